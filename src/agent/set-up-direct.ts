/**
 * The client under test: the workers are in the agent's own namespace, the origin in one of its own, or in the same where there is no
 * veth, or nowhere where the targets are outside the lab.
 */
import { PORT_SYSCTLS } from '../capacity/sysctl-catalogue.js';
import { familyOf, isLoopback } from '../domain/addresses.js';
import { transportOf } from '../domain/protocol.js';
import type { PortRange } from '../domain/units.js';
import { createSocketObserver } from '../kernel/sock-diag.js';
import { readSysctls } from '../kernel/sysctl.js';
import { createPool } from '../load/pool.js';
import type { Arm } from '../plan/plan.js';
import type { RouterSettings } from '../subjects/index.js';
import { setUpClient, setUpShared, withUnbound } from './place/network.js';
import { setUpClientsOfRouter } from './place/router-network.js';
import { applyLabSysctls, applySysctls, ephemeralRange, LAB_SYSCTLS, reservedIn } from './place/sysctls.js';
import type { RunSpec } from './protocol.js';
import { freePorts, PROBE_SEED } from './recovery.js';
import { type LaunchedOrigin, launchOrigin } from './roles/launch.js';
import { hostsOfLoads, placeLoads, poolInputs } from './roles/loads.js';
import {
  beside,
  besideInput,
  expectedSources,
  hostsOf,
  openNeighbours,
  type PlacedNeighbour,
  placeNeighbours,
} from './roles/neighbours.js';
import { connectOrigin, type Origin } from './roles/origin-client.js';
import { openRouterRole } from './roles/router-client.js';
import { leftovers, type Setup } from './setup.js';

/** Set up what a load without a proxy under test needs. Rejects with what could not be done. */
export async function setUpDirect(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  onPhase: (phase: 'sysctls' | 'origin') => void,
): Promise<Setup> {
  const { arm } = spec;
  onPhase('sysctls');
  if (spec.ownNamespace) applyLabSysctls();
  applySysctls(arm.sysctls);
  const sysctls = readSysctls([...PORT_SYSCTLS, ...Object.keys(LAB_SYSCTLS), ...Object.keys(arm.sysctls)]);
  const range = ephemeralRange();

  onPhase('origin');
  const first = arm.addresses[0]!;
  const loads = placeLoads(arm, familyOf(first), !spec.ownNamespace || isLoopback(first));
  const placed = beside(placeNeighbours(spec.neighbours, familyOf(first)));
  const clientsOf = (of: typeof loads, seed: number) =>
    createPool(
      poolInputs(of, seed, range, ({ load }) => ({
        addresses: arm.addresses,
        ...(arm.via ? { via: { proxy: arm.via, outgoing: null } } : {}),
        ports: load.ports ?? range,
        ...(spec.share ? { share: spec.share } : {}),
      })),
    );
  // The workers come up while the origin does; whichever fails, the other is not waited for.
  const [started, neighbours, pool] = await Promise.all([
    startOrigin(spec, launched, loads, placed),
    openNeighbours(placed.map((each) => ({ ...each, namespace: null, input: besideInput(each, range, spec.seed) }))),
    clientsOf(loads, spec.seed),
  ]);
  const addresses = withUnbound(arm.addresses, arm.unbound);
  const whole = createSocketObserver(addresses, spanOf(loads, range), {
    onlyThese: placed.length > 0,
    transport: transportOf(arm.load.protocol),
  });
  const observer: typeof whole = {
    ...whole,
    snapshot() {
      const { portsPerAddress, ...rest } = whole.snapshot();
      return { ...rest, portsPerAddress: portsPerAddress.slice(0, arm.addresses.length) };
    },
  };
  return {
    pool,
    origin: started.origin,
    neighbours,
    proxy: null,
    observer,
    range,
    reserved: reservedIn(range),
    sysctls,
    ...(started.router ? { router: started.router } : {}),
    roles: { client: {}, origin: started.sysctls },
    problems: spec.network === 'veth' ? leftovers(observer.snapshot()) : [],
    alone: spec.network === 'veth',
    aftermath: spec.ownNamespace
      ? {
          free: () => freePorts(addresses, () => observer.snapshot().portsInUse),
          openProbe: (plan) => clientsOf([{ ...loads[0]!, load: plan }], spec.seed + PROBE_SEED),
        }
      : null,
    close: () => {
      neighbours.close();
      started.router?.role.close();
      started.origin?.stop();
    },
  };
}

/** The range of all ports that the loads may have: lists of their own, or the kernel's. */
function spanOf(loads: ReturnType<typeof placeLoads>, range: PortRange): PortRange {
  const all = loads.map(({ load }) => load.ports ?? range);
  return { low: Math.min(...all.map(({ low }) => low)), high: Math.max(...all.map(({ high }) => high)) };
}

/** Bring the origin up, joined to this namespace; null when the targets are not the lab's own. */
async function startOrigin(
  spec: RunSpec,
  launched: LaunchedOrigin | null,
  loads: ReturnType<typeof placeLoads>,
  neighbours: readonly PlacedNeighbour[],
): Promise<{ origin: Origin | null; sysctls: Record<string, string>; router?: NonNullable<Setup['router']> }> {
  const { arm, network } = spec;
  if (network === 'external') return { origin: null, sysctls: {} };
  if (arm.router && network !== 'veth')
    throw new Error('a router needs a namespace of its own, and this lab has none to give');
  const family = familyOf(arm.addresses[0]!);
  const fits = launched?.ownNamespace === (network === 'veth');
  if (!fits) launched?.child.stdin.end();
  const origin = await connectOrigin(launched && fits ? launched : launchOrigin(network === 'veth'));
  const router = arm.router ? await startRouter(arm, arm.router, origin.pid, neighbours) : undefined;
  if (network === 'veth') {
    if (router === undefined)
      await origin.reach(() => setUpClient(arm.addresses, family, origin.pid, neighbours, arm.unbound));
  } else if (spec.ownNamespace) {
    const own = neighbours.flatMap(({ addresses }) => addresses);
    setUpShared(
      [...arm.addresses, ...own],
      [...loads.flatMap(({ targets }) => targets), ...neighbours.map(({ target }) => target)],
      family,
    );
  }
  const sysctls = await origin.serve({
    network,
    family,
    hosts: hostsOfLoads(loads),
    neighbours: hostsOf(neighbours),
    ...(network === 'veth' ? expectedSources(arm, neighbours) : {}),
    sysctls: arm.roles?.origin,
  });
  if (router) await router.role.hold(loads[0]!.targets[0]!);
  return { origin, sysctls, ...(router ? { router } : {}) };
}

/** Bring a router up between this namespace and the origin's. Rejects with why it cannot be had. */
async function startRouter(
  arm: Arm,
  settings: RouterSettings,
  originPid: number,
  neighbours: readonly PlacedNeighbour[],
): Promise<NonNullable<Setup['router']>> {
  const role = await openRouterRole();
  try {
    const family = familyOf(arm.addresses[0]!);
    setUpClientsOfRouter(arm.addresses, family, role.pid, neighbours, arm.unbound);
    const behind = [...withUnbound(arm.addresses, arm.unbound), ...neighbours.flatMap(({ addresses }) => addresses)];
    const sysctls = arm.roles?.router ?? {};
    return { role, made: await role.setUpNetwork({ family, settings, clients: behind, originPid, sysctls }) };
  } catch (error) {
    role.close();
    throw error;
  }
}
