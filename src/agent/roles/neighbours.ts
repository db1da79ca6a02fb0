/**
 * The agent's side of neighbours: where each is, its program, and when it begins.
 */
import { familyOf } from '../../domain/addresses.js';
import type { PortRange } from '../../domain/units.js';
import type { Arm, Neighbour } from '../../plan/plan.js';
import type { PartRun } from '../../results/figures.js';
import { type NeighbourRoute, neighbourAddress, neighbourTarget, withBothFamilies } from '../place/network.js';
import { connectRole } from './channel.js';
import { launchRole } from './launch.js';
import { type NeighbourProtocol, neighbourSchemas } from './neighbour-protocol.js';

/** A neighbour with the addresses that it has here, and the host of the lab's that it talks to. */
export interface PlacedNeighbour extends NeighbourRoute {
  readonly neighbour: Neighbour;
}

/** Give each neighbour its addresses and its host. @param usual the family of those that have no addresses of their own */
export function placeNeighbours(neighbours: readonly Neighbour[] = [], usual: 4 | 6): PlacedNeighbour[] {
  return neighbours.map((neighbour, i) => {
    const [first] = neighbour.addresses;
    const family = first === undefined ? usual : familyOf(first);
    return {
      neighbour,
      addresses: first === undefined ? [neighbourAddress(family, i)] : neighbour.addresses,
      target: neighbourTarget(family, i),
    };
  });
}

/** Those that are other programs in the namespace under test. */
export function beside(placed: readonly PlacedNeighbour[]): PlacedNeighbour[] {
  return placed.filter(({ neighbour }) => neighbour.where === 'beside');
}

/** What their hosts do, for the origin. */
export function hostsOf(placed: readonly PlacedNeighbour[]) {
  return placed.map(({ neighbour, target }) => ({ listen: [target], plan: neighbour.load }));
}

/**
 * Where the origin expects connections from, as its role is asked: the addresses that the subject is told to use, and those of programs beside
 * it. Nothing where the profile does not tell unbound connections from others.
 */
export function expectedSources(
  { addresses, unbound }: Arm,
  placed: readonly PlacedNeighbour[],
): { readonly sources?: string[] } {
  if (unbound === undefined) return {};
  return { sources: [...withBothFamilies(addresses), ...placed.flatMap((each) => each.addresses)] };
}

/** What a neighbour beside the subject is to do, in its own words. */
export function besideInput(
  { neighbour, addresses, target }: PlacedNeighbour,
  ports: PortRange,
  seed: number,
): NeighbourInput {
  return { plan: neighbour.load, addresses, targets: [target], ports, seed };
}

export type NeighbourInput = NeighbourProtocol['prepare']['request']['input'];

/** The neighbours of a run, ready to begin. */
export interface Neighbours {
  /** The load begins so many microseconds from now: start those that begin by the clock. */
  begin(leadMicros: number): void;
  /** Every attempt of the load has its outcome: start those that have waited for it. @returns when all neighbours are through */
  afterLoad(): Promise<void>;
  /** End early. */
  stop(): void;
  finish(): Promise<PartRun[]>;
  /** Rejects when one of them ends by itself. */
  readonly failure: Promise<never>;
  close(): void;
}

/** A service restarts as often as its load would have attempts. */
function serviceOf({ service, load }: Neighbour, { addresses }: NeighbourInput) {
  if (service === undefined || load.arrival.shape !== 'constant') return {};
  const { rate, durationMs } = load.arrival;
  return { service: { ...service, rate, durationMs, family: familyOf(addresses[0]!) } };
}

interface NeighbourToOpen {
  readonly neighbour: Neighbour;
  readonly namespace: string | null;
  readonly input: NeighbourInput;
}

/** Start their programs; resolves when all are ready. Rejects when one cannot start. */
export async function openNeighbours(list: readonly NeighbourToOpen[]): Promise<Neighbours> {
  const roles = list.map((each) => ({
    ...each,
    role: connectRole<NeighbourProtocol>(
      `the neighbour ${each.neighbour.name}`,
      launchRole('./neighbour.js'),
      neighbourSchemas,
    ),
    /** Every attempt of it has its outcome. */
    drained: Promise.resolve<unknown>(undefined),
  }));
  const failure = Promise.race([new Promise<never>(() => {}), ...roles.map(({ role }) => role.failure)]);
  failure.catch(() => {});
  const close = () => {
    for (const { role } of roles) role.end();
  };
  try {
    await Promise.all(
      roles.map(({ role, namespace, input, neighbour }) =>
        role.ask('prepare', { namespace, input, ...serviceOf(neighbour, input) }),
      ),
    );
  } catch (error) {
    close();
    throw error;
  }
  return {
    begin(leadMicros) {
      for (const each of roles) {
        const { afterMs } = each.neighbour;
        if (afterMs !== null) each.drained = each.role.ask('start', { leadMicros: leadMicros + afterMs * 1000 });
      }
    },
    async afterLoad() {
      for (const each of roles)
        if (each.neighbour.afterMs === null) each.drained = each.role.ask('start', { leadMicros: 0 });
      await Promise.all(roles.map(({ drained }) => drained));
    },
    stop() {
      for (const { role } of roles) void role.ask('stop', {});
    },
    finish: () =>
      Promise.all(
        roles.map(async ({ role, neighbour }) => ({ name: neighbour.name, ...(await role.ask('finish', {})) })),
      ),
    failure,
    close,
  };
}
