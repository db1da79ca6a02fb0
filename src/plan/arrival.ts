/**
 * What a plan comes to in numbers: how long, how many, to how many. Pure, and free of the schema library, because every load
 * worker loads it.
 */
import type { Arrival, Destinations, LoadPlan } from './plan.js';

/** Number of (address, port) pairs that attempts go to. */
export function destinationCount(destinations: Destinations): number {
  return destinations.kind === 'lab' ? destinations.addresses * destinations.ports : destinations.targets.length;
}

/** How long the arrivals of one run last, in milliseconds; null for `fill` and for a program that ends by itself, which last as long as it takes. */
export function arrivalDurationMs(arrival: Arrival): number | null {
  switch (arrival.shape) {
    case 'constant':
    case 'poisson':
    case 'ramp':
    case 'hold':
      return arrival.durationMs;
    case 'steps':
      return arrival.rates.length * arrival.eachMs;
    case 'own':
      return arrival.durationMs ?? null;
    case 'fill':
      return null;
  }
}

/** A program that drives itself is ended after so many milliseconds, where the profile gives no time. */
export const LONGEST_OWN_MS = 600_000;

/** How many attempts one run schedules; null where the run decides (`fill` up to N failures, `hold`, `own` to its end). For `poisson`, the expectation. */
export function scheduledAttempts(arrival: Arrival): number | null {
  switch (arrival.shape) {
    case 'constant':
    case 'poisson':
      return Math.floor((arrival.rate * arrival.durationMs) / 1000 + 1e-9);
    case 'ramp':
      return Math.floor((((arrival.from + arrival.to) / 2) * arrival.durationMs) / 1000 + 1e-9);
    case 'steps':
      return Math.floor((arrival.rates.reduce((sum, rate) => sum + rate, 0) * arrival.eachMs) / 1000 + 1e-9);
    case 'fill':
      return arrival.attempts === null ? null : arrival.attempts * arrival.waves;
    case 'own':
      return arrival.attempts;
    case 'hold':
      return null;
  }
}

/** Sockets that a load has open at once, if nothing fails; infinite for a `fill` without an end whose sockets are held. */
export function openAtOnce({ arrival, holdMs }: Pick<LoadPlan, 'arrival' | 'holdMs'>): number {
  if (arrival.shape === 'hold') return arrival.connections;
  if (arrival.shape === 'own') return 0;
  const attempts = scheduledAttempts(arrival) ?? Number.POSITIVE_INFINITY;
  if (arrival.shape === 'fill') return holdMs === 0 ? 0 : attempts;
  // Little's law, with the highest rate of the arrivals.
  return Math.min(attempts, (highestRate(arrival) * (holdMs ?? Number.POSITIVE_INFINITY)) / 1000);
}

/** The most attempts a second that paced arrivals come to. */
export function highestRate(arrival: Exclude<Arrival, { shape: 'fill' | 'hold' | 'own' }>): number {
  switch (arrival.shape) {
    case 'ramp':
      return Math.max(arrival.from, arrival.to);
    case 'steps':
      return Math.max(...arrival.rates);
    default:
      return arrival.rate;
  }
}
