/**
 * How many agents a load takes that all of them make together, and how long units take on some agents: by what one agent can start, and by
 * the ports of its addresses. Pure.
 */
import { type CapacityAnswer, type CapacityQuestion, capacityOf } from './question.js';

/** Connections a second, each with a request, that one worker makes on the machine of bench/README.md (bind-no-port, 64 in flight). */
export const MEASURED_AGENT_RATE = 42_000;

export interface FleetQuestion {
  /** Of one agent; `rate` is that of all. */
  readonly set: Omit<CapacityQuestion, 'hosts'>;
  /** Connections a second that one agent starts, as measured; null: {@link MEASURED_AGENT_RATE}. */
  readonly agentRate: number | null;
  /** How many agents there are; null: not asked. */
  readonly agents: number | null;
  /** Pieces of work of which an agent makes one at a time, and what one takes; null: not asked. */
  readonly matrix: { readonly units: number; readonly unitMs: number } | null;
}

type LimitedBy = 'agents' | 'ports';

/** What some agents start and keep starting, in connections a second. */
interface FleetRate {
  readonly agents: number;
  readonly rate: number;
  readonly limitedBy: LimitedBy;
}

export interface FleetAnswer {
  /** One agent. */
  readonly each: {
    /** Connections a second that it starts, and whether that is somebody's figure or the one of the bench. */
    readonly starts: number;
    readonly source: 'given' | 'bench';
    readonly addresses: number;
    /** Connections a second that its ports sustain; null: they do not limit it, or there is no closed form (`portsKnown`). */
    readonly ports: number | null;
    readonly portsKnown: boolean;
    readonly full: CapacityAnswer['full'];
  };
  /** For the rate that was asked for; null: none was. `agents` null: no number is enough. */
  readonly needed: {
    readonly rate: number;
    readonly agents: number | null;
    readonly byStarts: number;
    readonly byPorts: number | null;
    readonly limitedBy: LimitedBy;
    /** Local addresses of all of them. */
    readonly addresses: number | null;
    /** Connections a second of each. */
    readonly share: number | null;
  } | null;
  /** What the agents that there are start and sustain; null: not asked. */
  readonly there: FleetRate | null;
  /** How long the units take; null: not asked. */
  readonly matrix: readonly MatrixTime[] | null;
}

/** The last round may be of fewer units than agents. */
interface MatrixTime {
  readonly agents: number;
  readonly rounds: number;
  readonly ms: number;
  /** How many times as fast as one agent. */
  readonly speedup: number;
}

/** Agents that are of no use to so many units are not named. */
const EXAMPLES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** @throws UnitError when reserved and held ports are more than the range has */
export function fleetOf({ set, agentRate, agents, matrix }: FleetQuestion): FleetAnswer {
  const { full, prediction } = capacityOf({ ...set, hosts: 1, rate: null });
  const starts = agentRate ?? MEASURED_AGENT_RATE;
  const portsKnown = prediction.unbounded || full.tuples !== null;
  const ports = full.tuples === 0 ? 0 : full.rate;
  const each = Math.min(starts, ports ?? starts);
  const limitedBy: LimitedBy = ports !== null && ports < starts ? 'ports' : 'agents';
  return {
    each: {
      ...{ starts, source: agentRate === null ? 'bench' : 'given', addresses: set.addresses },
      ...{ ports, portsKnown, full },
    },
    needed: set.rate === null ? null : neededFor(set.rate, starts, ports, set.addresses, limitedBy),
    there: agents === null ? null : { agents, rate: agents * each, limitedBy },
    matrix: matrix === null ? null : timesOf(matrix, agents),
  };
}

function neededFor(
  rate: number,
  starts: number,
  ports: number | null,
  addresses: number,
  limitedBy: LimitedBy,
): FleetAnswer['needed'] {
  // What floating point adds to a quotient that is whole is no agent.
  const forRate = (each: number) => Math.max(1, Math.ceil(rate / each - 1e-9));
  const byStarts = forRate(starts);
  const byPorts = ports === null ? 1 : ports === 0 ? null : forRate(ports);
  const agents = byPorts === null ? null : Math.max(byStarts, byPorts);
  return {
    ...{ rate, agents, byStarts, byPorts, limitedBy },
    addresses: agents === null ? null : agents * addresses,
    share: agents === null ? null : rate / agents,
  };
}

/** @param agents null: for examples up to as many as there are units */
function timesOf({ units, unitMs }: { readonly units: number; readonly unitMs: number }, agents: number | null) {
  const counts = agents === null ? [...EXAMPLES.filter((count) => count < units), units] : [agents];
  return counts.map((count): MatrixTime => {
    const rounds = Math.ceil(units / count);
    return { agents: count, rounds, ms: rounds * unitMs, speedup: units / rounds };
  });
}
