/**
 * The pacer: at which instant each attempt is due. Pure arithmetic; the engine holds the clock. Open loop: the instants do not
 * depend on how earlier attempts went, so a slow answer delays no later attempt.
 */

import { randomStream } from '../domain/random.js';
import { scheduledAttempts } from '../plan/arrival.js';
import type { Arrival } from '../plan/plan.js';

/**
 * Gives the due instants of one worker's attempts, in order.
 * @returns microseconds after the start of the load; Infinity when there are no more
 */
type Pacer = () => number;

export type PacedArrival = Exclude<Arrival, { shape: 'fill' | 'hold' | 'own' }>;

/** Whether attempts have scheduled instants; `fill` and `hold` start the next attempt when there is room. */
export function isPaced(arrival: Arrival): arrival is PacedArrival {
  return arrival.shape !== 'fill' && arrival.shape !== 'hold' && arrival.shape !== 'own';
}

/**
 * The pacer of one worker. Attempt i of the whole load belongs to worker i mod workers, so the union over the workers is the
 * same schedule whatever their number. For `poisson` each worker draws arrivals of its own at its share of the rate; their
 * superposition is a Poisson process of the whole rate.
 */
export function createPacer(arrival: PacedArrival, worker: number, workers: number, seed: number): Pacer {
  if (arrival.shape === 'poisson') return poissonPacer(arrival.rate / workers, arrival.durationMs, seed, worker);
  const instant = instantOf(arrival);
  const total = scheduledAttempts(arrival) ?? 0;
  let i = worker - workers;
  return () => {
    i += workers;
    return i < total ? instant(i) : Number.POSITIVE_INFINITY;
  };
}

function poissonPacer(perSecond: number, durationMs: number, seed: number, worker: number): Pacer {
  const random = randomStream(seed, `poisson/${worker}`);
  const end = durationMs * 1000;
  let at = 0;
  return () => {
    // 1 − random() is in (0, 1], so the logarithm is finite.
    if (at <= end) at += (-Math.log(1 - random()) / perSecond) * 1e6;
    return at <= end ? at : Number.POSITIVE_INFINITY;
  };
}

/** The due instant of the i-th attempt (0-based) of a deterministic arrival: the inverse of its cumulative count. */
function instantOf(arrival: Exclude<PacedArrival, { shape: 'poisson' }>): (i: number) => number {
  switch (arrival.shape) {
    case 'constant':
      return (i) => (i / arrival.rate) * 1e6;
    case 'ramp': {
      // N(t) = from·t + (to − from)·t²/2T, solved for t. The form with the root in the denominator is stable when to = from.
      const seconds = arrival.durationMs / 1000;
      const slope = (arrival.to - arrival.from) / seconds;
      return (i) => ((2 * i) / (arrival.from + Math.sqrt(Math.max(arrival.from ** 2 + 2 * slope * i, 0)))) * 1e6;
    }
    case 'steps': {
      const each = arrival.eachMs / 1000;
      let step = 0;
      let before = 0;
      return (i) => {
        // The engine asks in ascending order, so the step only moves forward.
        while (step < arrival.rates.length - 1 && i >= before + arrival.rates[step]! * each) {
          before += arrival.rates[step]! * each;
          step++;
        }
        return (step * each + (i - before) / arrival.rates[step]!) * 1e6;
      };
    }
  }
}
