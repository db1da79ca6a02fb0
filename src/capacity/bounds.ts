/**
 * What can be said of the counts of a run where time, and not the kernel's rules alone, decides them: at most so many attempts can be ok, and
 * some loads never run out. So a prediction is held against the measurement also where it is not exact. Pure.
 */
import { scheduledAttempts } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import { isExclusive } from './deterministic.js';
import { limitOf } from './limit.js';
import type { PredictInput } from './predict-input.js';
import { wallsOf } from './time-until.js';

export interface Bounds {
  /** Tuples at once. */
  readonly concurrent: number;
  /** Seconds after which a tuple serves again, at the earliest; infinite for what is held to the end. */
  readonly again: number;
  /** By the model no attempt fails for want of a port, unless the machine is so slow that many are under way at once. */
  readonly neverFull: boolean;
}

/** @param inTurn addresses are taken in turn @returns null where there is no closed form, or nobody knows how long a tuple is in use */
export function boundsOf(arm: Arm, input: PredictInput, inTurn: boolean): Bounds | null {
  const { top, after } = limitOf(input);
  const { load } = arm;
  if (top.concurrent === null || after.seconds === null || after.latest === null) return null;
  // Which attempts use a connection again is up to the pace.
  if (input.fresh !== 1) return null;
  const held = load.holdMs === null;
  const clocked = load.arrival.shape !== 'fill' && load.arrival.shape !== 'hold' && load.arrival.shape !== 'poisson';
  const even = (inTurn && load.pick === 'round-robin') || top.sources * top.targets === 1;
  // Each pair has its share within one; a search of an odd range may miss a port.
  const share = Math.ceil((scheduledAttempts(load.arrival) ?? Number.POSITIVE_INFINITY) / (top.sources * top.targets));
  const fits = share < top.ports || (clocked && wallsOf(arm, input).hard === null && top.ports > 1);
  return {
    concurrent: top.concurrent,
    again: held ? Number.POSITIVE_INFINITY : input.holdMs / 1000 + after.seconds,
    neverFull: even && fits && top.takesOver !== 'random' && !isExclusive(input),
  };
}
