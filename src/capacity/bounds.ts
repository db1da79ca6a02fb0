/**
 * What can be said of the counts of a run where time, and not the kernel's rules alone, decides them: at most so many attempts can be ok, and
 * some loads never run out. So a prediction is held against the measurement also where it is not exact. Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import { scheduledAttempts } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import { isExclusive } from './deterministic.js';
import { limitOf } from './limit.js';
import type { PredictInput } from './predict-input.js';
import { missesAtRandom } from './search-order.js';
import { wallsOf } from './time-until.js';

export interface Bounds {
  /** Tuples at once. */
  readonly concurrent: number;
  /** Seconds after which a tuple serves again, at the earliest; infinite for what is held to the end. */
  readonly again: number;
  /** By the model no attempt fails for want of a port, unless the machine is so slow that many are under way at once. */
  readonly neverFull: boolean;
  /** So many of some attempts find a port at the least. */
  atLeast(attempts: number): number;
}

/** @param inTurn addresses are taken in turn @returns null where there is no closed form, or nobody knows how long a tuple is in use */
export function boundsOf(arm: Arm, input: PredictInput, inTurn: boolean): Bounds | null {
  const { top, after } = limitOf(input);
  const { load } = arm;
  if (top.concurrent === null || after.seconds === null || after.latest === null) return null;
  // Which attempts use a connection again is up to the pace.
  if (input.fresh !== 1) return null;
  const pairs = top.sources * top.targets;
  const surePorts = missesAtRandom(input) ? top.ports - 1 : top.ports;
  const clocked = load.arrival.shape !== 'fill' && load.arrival.shape !== 'hold' && load.arrival.shape !== 'poisson';
  // Workers walk their lists of ports side by side.
  const listed = strategyOf(load.strategy).port === 'program' && load.workers > 1;
  const even =
    ((inTurn && load.pick === 'round-robin') || pairs === 1) &&
    top.takesOver !== 'random' &&
    !listed &&
    !isExclusive(input);
  const attempts = scheduledAttempts(load.arrival) ?? Number.POSITIVE_INFINITY;
  const fits =
    Math.ceil(attempts / pairs) <= surePorts || (clocked && surePorts > 1 && wallsOf(arm, input).hard === null);
  return {
    concurrent: top.concurrent,
    again: load.holdMs === null ? Number.POSITIVE_INFINITY : input.holdMs / 1000 + after.seconds,
    neverFull: even && fits,
    atLeast: (made) => (even ? pairs * Math.min(Math.floor(made / pairs), surePorts) : 0),
  };
}
