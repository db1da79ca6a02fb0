/**
 * A load in the simulator, that of an arm or any other, scaled down where it is large. Pure.
 */

import { strategyOf } from '../../domain/strategy.js';
import { portCount } from '../../domain/units.js';
import { arrivalDurationMs, scheduledAttempts } from '../../plan/arrival.js';
import type { Arm } from '../../plan/plan.js';
import type { Prediction } from '../../results/schema.js';
import { hasStrategy } from '../bind-era.js';
import { ceiling } from '../ceiling.js';
import type { PredictInput } from '../predict-input.js';
import { usablePorts } from '../search-order.js';
import { reuseActs } from '../time-wait.js';
import type { HostConfig } from './host.js';
import { expectedOf, repeatSimulation } from './repeat.js';
import type { SimulatedProgram } from './simulate.js';

export type Simulated = NonNullable<Prediction['simulated']>;

/** Small loads are simulated often, since chance has the largest part in them. */
const RUNS = { least: 10, most: 100 } as const;
const SEED = 1;
/** Looks into the bind table that one run may take, and all of them: attempts × ports. */
const BUDGET = 250_000;
const BUDGET_OF_ALL = 2_500_000;
/** A range smaller than this is not like a large one. */
const LEAST_PORTS = 64;

/** Attempts that are simulated. */
export interface SimulatedLoad {
  readonly attempts: number;
  /** Over which they are spread evenly, ms; 0: one after the other. */
  readonly durationMs: number;
  /** null: held to the end. */
  readonly holdMs: number | null;
  readonly pick: SimulatedProgram['pick'];
  /** Whether the peers are sockets of the same machine. */
  readonly peersHere: boolean;
}

/** @returns null where time decides what is simulated (a fill that closes, `hold`), or the kernel may lack the strategy */
export function simulateArm({ load, destinations }: Arm, input: PredictInput): Simulated | null {
  if (load.arrival.shape === 'hold') return null;
  if (load.arrival.shape === 'fill' && (load.holdMs !== null || load.arrival.waves > 1)) return null;
  const attempts = scheduledAttempts(load.arrival);
  if (attempts === null) return null;
  return simulateLoad(input, {
    attempts,
    durationMs: arrivalDurationMs(load.arrival) ?? 0,
    holdMs: load.holdMs,
    pick: load.pick === 'random' ? 'random' : 'round-robin',
    peersHere: destinations.kind === 'lab',
  });
}

/** @returns null where there is nothing to simulate (the search is that of TCP), or the kernel may lack the strategy */
export function simulateLoad(input: PredictInput, load: SimulatedLoad): Simulated | null {
  if (input.datagram !== null) return null;
  if (hasStrategy(input.kernel, input.strategy) !== 'yes' || strategyOf(input.strategy).port !== 'bind') return null;
  const { attempts } = load;
  if (input.finTimeoutMs !== null || attempts === 0 || usablePorts(input) === 0 || input.unmodelled !== null)
    return null;
  const close = load.holdMs === null ? 'client' : input.close;
  // How many connections there are is then the pace's affair.
  if (close === 'kept' || close === 'unknown') return null;
  const scale = scaleOf(input, attempts);
  const [program, config] = [programOf(input.strategy, close, load, scale), configOf(input, load, scale)];
  const often = Math.floor(BUDGET_OF_ALL / (scale.attempts * scale.ports));
  const runs = Math.min(RUNS.most, Math.max(RUNS.least, often));
  const outcomes = repeatSimulation(config, [program], runs, SEED)[0]!;
  const whole = attempts / program.attempts;
  const most = Math.min(attempts, load.holdMs === null ? ceiling(input).most : attempts);
  const ok = expectedOf(outcomes.map((outcome) => outcome.ok * whole));
  const first = outcomes.flatMap((outcome) => outcome.okBeforeFirstFailure ?? []);
  return {
    attempts,
    ok: { mean: ok.mean, low: Math.max(0, ok.low), high: Math.min(ok.high, most) },
    beforeFirstFailure: scale.whole && first.length === runs ? clipped(expectedOf(first)) : null,
    runs,
    scaledTo: scale.whole ? null : scale.ports,
  };
}

const clipped = ({ mean, low, high }: { mean: number; low: number; high: number }) => ({
  mean,
  low: Math.max(0, low),
  high,
});

interface Scale {
  readonly ports: number;
  readonly addresses: number;
  readonly destinations: number;
  readonly attempts: number;
  /** Nothing was scaled. */
  readonly whole: boolean;
}

/** Shares of success depend on how full the range is, hardly on its size: so fewer ports, then fewer addresses stand for all. */
function scaleOf(input: PredictInput, attempts: number): Scale {
  const full = { ports: usablePorts(input), addresses: input.addresses, destinations: input.destinations };
  let scale = full;
  const cost = ({ ports, addresses, destinations }: typeof full) =>
    (attempts * ports * ports * addresses * destinations) / (full.ports * full.addresses * full.destinations);
  while (cost(scale) > BUDGET) {
    if (scale.ports > LEAST_PORTS) scale = { ...scale, ports: Math.max(LEAST_PORTS, Math.floor(scale.ports / 8) * 4) };
    else if (scale.addresses > 2) scale = { ...scale, addresses: Math.ceil(scale.addresses / 2) };
    else if (scale.destinations > 8) scale = { ...scale, destinations: Math.ceil(scale.destinations / 2) };
    else break;
  }
  const share =
    (scale.ports * scale.addresses * scale.destinations) / (full.ports * full.addresses * full.destinations);
  return { ...scale, attempts: Math.max(1, Math.round(attempts * share)), whole: scale === full };
}

function programOf(
  strategy: PredictInput['strategy'],
  close: SimulatedProgram['close'],
  load: SimulatedLoad,
  scale: Scale,
): SimulatedProgram {
  return {
    strategy,
    addresses: numbers(scale.addresses),
    destinations: numbers(scale.destinations),
    pick: load.pick,
    attempts: scale.attempts,
    startMs: 0,
    everyMs: load.durationMs / scale.attempts,
    holdMs: load.holdMs,
    close,
    ports: null,
  };
}

/** A range with this many times as many ports as can be had is searched too slowly: then the reserved ones are cut off its end. */
const MOST_RESERVED = 8;

function configOf(input: PredictInput, load: SimulatedLoad, scale: Scale): HostConfig {
  const { low } = input.range;
  const { reservedPorts } = input;
  // Where reserved ports lie decides which parity and which half has room.
  const asItIs =
    reservedPorts !== null &&
    scale.ports === usablePorts(input) &&
    portCount(input.range) <= MOST_RESERVED * scale.ports;
  return {
    kernel: input.kernel,
    ...(asItIs
      ? { range: input.range, reserved: reservedPorts }
      : { range: { low, high: low + scale.ports - 1 }, reserved: new Set<number>() }),
    autobindReuse: input.autobindReuse,
    twReuse: reuseActs(input),
    twReuseDelayMs: input.twReuseDelayMs,
    timestamps: input.timestamps,
    timeWaitMs: input.timeWaitSeconds * 1000,
    peersHere: load.peersHere,
  };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
