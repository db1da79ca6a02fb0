/**
 * A set-up described in a few numbers, and all that the arithmetic says of it: for one host, or for many alike. Pure.
 */
import type { DatagramUse } from '../domain/datagram.js';
import type { StrategyName } from '../domain/strategy.js';
import { type PortRange, portCount, UnitError } from '../domain/units.js';
import { mostAtOnce } from '../results/prediction.js';
import type { Prediction } from '../results/schema.js';
import type { KernelVersion } from './kernel-version.js';
import { limitOf } from './limit.js';
import { predict } from './predict.js';
import { inputFrom, type PredictInput, searchedRange } from './predict-input.js';
import { usablePorts } from './search-order.js';
import { simulateLoad } from './simulator/load.js';
import { addressesFor, type Needed, type Spread, sustainedRates } from './sizing.js';
import { type FirstFull, firstFull } from './spread.js';
import { secondsUntil } from './time-until.js';

export interface CapacityQuestion {
  readonly kernel: KernelVersion;
  readonly strategy: StrategyName;
  /** How its UDP sockets are used; absent: they are of TCP. */
  readonly datagram?: DatagramUse;
  /** Of each host. */
  readonly addresses: number;
  readonly destinations: number;
  /** Hosts, or network namespaces, that share the load evenly. */
  readonly hosts: number;
  /** null: the kernel's default. */
  readonly range: PortRange | null;
  readonly reserved: number;
  readonly heldHere: number;
  readonly heldElsewhere: number;
  /** Connections a second of all hosts together; null: not asked. */
  readonly rate: number | null;
  readonly holdMs: number;
  readonly close: 'client' | 'server' | 'reset';
  readonly pick: Spread['pick'];
  readonly loss: number;
  /** Name → value, as `net.ipv4.tcp_tw_reuse`. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** Of all hosts together. `rate`: sustained connections a second; null: no rate leads there, or there is no closed form. */
interface Wall {
  readonly tuples: number | null;
  readonly rate: number | null;
}

export interface CapacityAnswer {
  readonly kernel: string;
  readonly strategy: StrategyName;
  /** P of one address. */
  readonly ports: number;
  /** Of one host. */
  readonly prediction: Prediction;
  readonly full: Wall;
  /** null: this search has no slow wall. */
  readonly slow: Wall | null;
  /** Held connections of all hosts at the first refusal when they are spread at random; null: round-robin, or one place only. */
  readonly firstFull: FirstFull | null;
  /** null: no rate was asked for. */
  readonly atRate: {
    /** Seconds; null: never. */
    readonly slow: number | null;
    readonly full: number | null;
    /**
     * How long a connection may be open, in seconds, until the rate fills the ports after all, everything else as asked; 0: it fills them
     * whatever that is; null: no length does, or there is no closed form.
     */
    readonly longestHold: number | null;
    /** Addresses of each host. */
    readonly needed: { readonly full: Needed; readonly slow: Needed };
  } | null;
}

/** @throws UnitError when reserved and held ports are more than the range has */
export function capacityOf(question: CapacityQuestion): CapacityAnswer {
  const { hosts, rate, pick } = question;
  const input = inputFrom(question);
  const ports = usablePorts(input);
  const whole = portCount(searchedRange(input));
  const held = question.heldHere + question.heldElsewhere;
  if (question.reserved + held > whole) {
    throw new UnitError(
      `${question.reserved} reserved ports and ${held} held by others are more than the range has, ${whole}`,
    );
  }
  const { top } = limitOf(input);
  const prediction = withSimulation(question, input, predict(input));
  const spread = { pick, loss: question.loss };
  const rates = sustainedRates(input, spread);
  const times = (value: number | null) => (value === null ? null : value * hosts);
  const places = top.sources * top.targets * hosts;
  const known = top.concurrent !== null && top.ports > 0;
  return {
    kernel: question.kernel.release,
    strategy: question.strategy,
    ports,
    prediction,
    full: { tuples: times(top.concurrent), rate: times(rates.hard) },
    slow: prediction.slowWall ? { tuples: times(prediction.slowWall.tuples), rate: times(rates.slow) } : null,
    firstFull: pick === 'random' && known && places > 1 ? firstFull(places, top.ports) : null,
    atRate: rate === null ? null : atRate(input, rate / hosts, spread, question.holdMs / 1000),
  };
}

/** Where there is no closed form: twice as many attempts as there are 4-tuples, all held. */
function withSimulation({ pick }: CapacityQuestion, input: PredictInput, prediction: Prediction): Prediction {
  if (mostAtOnce(prediction) !== null) return prediction;
  const attempts = 2 * usablePorts(input) * input.addresses * input.destinations;
  const simulated = simulateLoad(input, { attempts, durationMs: 0, holdMs: null, pick, peersHere: false });
  return simulated === null ? prediction : { ...prediction, simulated };
}

/** @param rate of one host @param hold seconds that a connection is open */
function atRate(
  input: PredictInput,
  rate: number,
  spread: Spread,
  hold: number,
): NonNullable<CapacityAnswer['atRate']> {
  const { hard, slow } = sustainedRates(input, spread);
  const { top } = limitOf(input);
  const tuples = { hard: top.concurrent, slow: predict(input).slowWall?.tuples ?? null };
  const arrival = { shape: 'constant', rate, durationMs: 0 } as const;
  // In use at the rate that just does not reach the wall.
  const until = (wall: 'hard' | 'slow', lasting: number | null) => {
    const most = tuples[wall];
    if (most === null || lasting === null) return most === 0 ? 0 : null;
    return lasting === 0 ? 0 : secondsUntil(arrival, most, most / lasting);
  };
  return {
    slow: until('slow', slow),
    full: until('hard', hard),
    longestHold: longestHold(top.concurrent, hard, predict(input).again, rate, hold),
    needed: { full: addressesFor(input, rate, 'hard', spread), slow: addressesFor(input, rate, 'slow', spread) },
  };
}

/**
 * From which hold on a rate fills the ports: a tuple is in use for as long as the connection is open, and for a constant time after it.
 * @param lasting what the hold that was asked about sustains @param again seconds from the start of a connection until its tuple serves again
 */
function longestHold(
  tuples: number | null,
  lasting: number | null,
  again: number | null | undefined,
  rate: number,
  hold: number,
): number | null {
  if (tuples === null || lasting === 0) return null;
  // Of UDP that is not held nothing remains in use, so that no rate is the most.
  const inUse = lasting === null ? (again === 0 ? 0 : null) : tuples / lasting;
  return inUse === null ? null : Math.max(0, tuples / rate - (inUse - hold));
}
