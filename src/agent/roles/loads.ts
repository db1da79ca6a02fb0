/**
 * The loads of a run: where each goes, and what the origin's hosts answer.
 */
import type { Target } from '../../domain/target.js';
import type { PortRange } from '../../domain/units.js';
import { type Certificate, certificateFor } from '../../load/origin/certificate.js';
import type { Arm } from '../../plan/plan.js';
import { loadsOf, type NamedLoadPlan } from '../../plan/scenario.js';
import { DESCRIPTOR_RESERVE, descriptorLimit, originThreads } from '../place/limits.js';
import { originTargets } from '../place/network.js';
import type { OriginProtocol } from './origin-protocol.js';

/** A load with the destinations that it has here. */
interface PlacedLoad extends NamedLoadPlan {
  readonly targets: readonly Target[];
  readonly certificate: Certificate | undefined;
}

/** Give each load its destinations: hosts of its own, those of the first, or targets outside. */
export function placeLoads(arm: Arm, family: 4 | 6, loopback: boolean): PlacedLoad[] {
  const placed: PlacedLoad[] = [];
  let before: readonly Target[] = [];
  for (const load of loadsOf(arm)) {
    const { destinations, shared } = load;
    const [first] = placed;
    if (shared && first) {
      placed.push({ ...load, targets: first.targets, certificate: first.certificate });
      continue;
    }
    const targets =
      destinations.kind === 'lab'
        ? originTargets(family, loopback, destinations.addresses, destinations.ports, before)
        : destinations.targets;
    before = [...before, ...targets];
    placed.push({ ...load, targets, certificate: certificateFor(load.load, targets) });
  }
  return placed;
}

/** What the hosts of the loads do, for the origin. */
export function hostsOfLoads(placed: readonly PlacedLoad[]): OriginProtocol['serve']['request']['hosts'] {
  return placed
    .filter(({ shared }) => !shared)
    .map(({ targets, load, certificate }) => ({
      listen: targets,
      plan: load,
      threads: originThreads(load),
      ...(certificate ? { certificate } : {}),
    }));
}

/** What the workers of every load have alike, and what of each is its own. @param seed of the run */
export function poolInputs<T extends object>(
  placed: readonly PlacedLoad[],
  seed: number,
  ports: PortRange,
  of: (load: PlacedLoad) => T,
) {
  return placed.map((load, i) => ({
    plan: load.load,
    targets: load.targets,
    ...(load.certificate ? { certificate: load.certificate.certificate } : {}),
    ports,
    // Equal seeds would draw equal instants.
    seed: seed + i,
    descriptorLimit: descriptorLimit(),
    descriptorReserve: DESCRIPTOR_RESERVE,
    ...of(load),
  }));
}
