/**
 * When a load reaches so many tuples in use. Pure.
 */
import type { Arm, Arrival } from '../plan/plan.js';
import { limitOf } from './limit.js';
import type { PredictInput } from './predict-input.js';
import { slowWall } from './slow-wall.js';

/** Seconds from the start of the load; null where the load does not get that far, or there is no closed form. */
export interface Walls {
  readonly slow: number | null;
  readonly hard: number | null;
}

/** When an arm, in a namespace where nothing else holds ports, reaches its walls. */
export function wallsOf(arm: Arm, input: PredictInput): Walls {
  const { top, after, parked } = limitOf(input);
  const slow = slowWall(input, top);
  const held = arm.load.holdMs === null;
  const until = (tuples: number, rest: number | null) =>
    rest === null && !held
      ? null
      : secondsUntil(
          arm.load.arrival,
          tuples / input.fresh,
          held ? Number.POSITIVE_INFINITY : input.holdMs / 1000 + (rest ?? 0),
        );
  return {
    slow:
      slow === null
        ? null
        : until(slow.tuples, slow.rate === null ? 0 : slow.tuples / slow.rate / input.fresh - input.holdMs / 1000),
    hard: top.concurrent === null ? null : until(top.concurrent - (held ? 0 : parked), after.latest),
  };
}

/**
 * Seconds from the start of the load until `tuples` are in use at once.
 * @param occupiedSeconds how long a connection keeps its tuple, TIME_WAIT included; infinite for one that is held to the end
 * @returns null where that does not happen: the rate is too low, the arrivals end before, or (`fill`) they follow no clock. A
 *   constant or poisson arrival is taken to be sustained
 */
export function secondsUntil(arrival: Arrival, tuples: number, occupiedSeconds: number): number | null {
  switch (arrival.shape) {
    case 'constant':
    case 'poisson': {
      const seconds = tuples / arrival.rate;
      return seconds <= occupiedSeconds ? seconds : null;
    }
    case 'ramp': {
      const end = arrival.durationMs / 1000;
      const slope = (arrival.to - arrival.from) / end;
      return firstInstant((t) => arrival.from * t + (slope * t * t) / 2, end, tuples, occupiedSeconds);
    }
    case 'steps': {
      const each = arrival.eachMs / 1000;
      const arrived = (t: number) =>
        arrival.rates.reduce((sum, rate, i) => sum + rate * Math.min(Math.max(t - i * each, 0), each), 0);
      return firstInstant(arrived, arrival.rates.length * each, tuples, occupiedSeconds);
    }
    case 'hold':
      return arrival.connections >= tuples ? 0 : null;
    case 'fill':
    case 'own':
      return null;
  }
}

const STEPS = 2000;

/** @param arrived attempts that have begun by t seconds, for t from 0 to `end` */
function firstInstant(
  arrived: (t: number) => number,
  end: number,
  tuples: number,
  occupiedSeconds: number,
): number | null {
  const inUse = (t: number) => arrived(t) - (t > occupiedSeconds ? arrived(t - occupiedSeconds) : 0);
  for (let i = 1; i <= STEPS; i++) {
    let high = (end * i) / STEPS;
    if (inUse(high) < tuples) continue;
    let low = (end * (i - 1)) / STEPS;
    for (let bits = 0; bits < 40; bits++) {
      const middle = (low + high) / 2;
      if (inUse(middle) < tuples) low = middle;
      else high = middle;
    }
    return high;
  }
  return null;
}
