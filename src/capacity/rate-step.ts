/**
 * How one rate is tried so that it shows whether the rate can be sustained. A rate that fills the ports only after a minute holds
 * for a minute whatever it is, so a step lasts longer than a tuple is in use, or begins with as many tuples in use as the rate
 * would lead to. Pure.
 */
import type { Arrival } from '../plan/plan.js';
import type { SearchSettings } from '../plan/search.js';
import { limitOf } from './limit.js';
import { type PredictInput, TIME_WAIT_SECONDS } from './predict-input.js';
import { timerTick } from './timer-wheel.js';

export interface Occupancy {
  /** How long a connection keeps its tuple at the latest, TIME_WAIT included; 0: ports do not limit the rate. */
  readonly seconds: number;
  /** The same at the earliest. */
  readonly earliest: number;
  /** Where the seconds come from: the model, or, where it has no closed form, the longest that there is. */
  readonly how: 'model' | 'assumed';
}

/** How long each connection keeps its tuple, by the kernel's rules. */
export function occupancyOf(input: PredictInput): Occupancy {
  const { after } = limitOf(input);
  const hold = input.holdMs / 1000;
  if (after.seconds !== null && after.latest !== null)
    return { seconds: hold + after.latest, earliest: hold + after.seconds, how: 'model' };
  const longest = TIME_WAIT_SECONDS + timerTick(TIME_WAIT_SECONDS, input.kernel);
  return { seconds: hold + longest, earliest: hold + TIME_WAIT_SECONDS, how: 'assumed' };
}

export interface RateStep {
  readonly arrival: Arrival;
  /**
   * `in full`: it lasts longer than tuples are in use, so that what it shows is sustained. `scaled`: it begins with so many
   * connections in one go that, with those of the rate, as many tuples are in use as the rate leads to. `unbound`: nothing that
   * the model knows of is in use after a connection, and the step only shows what it shows while it lasts.
   */
  readonly how: 'in full' | 'scaled' | 'unbound';
  readonly seconds: number;
}

/** So many occupancies: after the first, what is given back and what is taken have met. */
const ROUNDS = 3;
/** Longer than this a step is not made in full if there is another way. */
const LONG_SECONDS = 15;
/** Connections per second that the beginning of a scaled step may ask for, directly and through a proxy. */
const BURST = { direct: 4000, proxy: 400 };
/** A scaled step must end well before the first of its tuples is given back. */
const MOST_OF_OCCUPANCY = 0.6;

/** The step for a rate. With a limit of the latency nothing is scaled, as the burst would be slower than the rate. */
export function rateStep(
  rate: number,
  { seconds: occupied, earliest }: Occupancy,
  { stepMs, p99Ms }: Pick<SearchSettings, 'stepMs' | 'p99Ms'>,
  proxied: boolean,
): RateStep {
  const least = stepMs / 1000;
  const constant = (seconds: number, how: RateStep['how']): RateStep => ({
    arrival: { shape: 'constant', rate, durationMs: Math.ceil(seconds * 1000) },
    how,
    seconds,
  });
  // At least a few attempts, also of a rate of one in a minute.
  if (occupied === 0) return constant(Math.max(least, 3 / rate), 'unbound');
  if (ROUNDS * occupied <= LONG_SECONDS) return constant(Math.max(least, ROUNDS * occupied, 3 / rate), 'in full');
  return (
    (p99Ms === null ? scaled(rate, occupied, earliest, least, proxied) : null) ?? constant(occupied * 1.2, 'in full')
  );
}

/**
 * Two parts of one length: a burst, then the rate, together as many attempts as the rate makes while one tuple is in use; none of
 * which is given back before the end. Null where the burst would take too long.
 */
function scaled(rate: number, occupied: number, earliest: number, least: number, proxied: boolean): RateStep | null {
  // Rounded up: a rate that leaves a tuple more than there are, if only now and then, does not hold.
  const total = Math.ceil(rate * occupied - 1e-9);
  const burst = proxied ? BURST.proxy : BURST.direct;
  const each = Math.max(least / 2, total / (burst + rate));
  if (2 * each > earliest * MOST_OF_OCCUPANCY || total < 2) return null;
  // As floor() in the scheduled attempts loses a share of one.
  const first = (total + 1e-6) / each - rate;
  return { arrival: { shape: 'steps', rates: [first, rate], eachMs: each * 1000 }, how: 'scaled', seconds: 2 * each };
}
