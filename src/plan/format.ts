/**
 * What a plan holds, in words. Pure.
 */
import { formatDuration, formatRate, formatTarget, plural } from '../domain/format.js';
import type { Arrival, Destinations } from './plan.js';

/** Arrivals in words, as `constant 2000/s for 10s`. */
export function formatArrival(arrival: Arrival): string {
  switch (arrival.shape) {
    case 'constant':
    case 'poisson':
      return `${arrival.shape} ${formatRate(arrival.rate)} for ${formatDuration(arrival.durationMs)}`;
    case 'ramp':
      return `ramp ${formatRate(arrival.from)} to ${formatRate(arrival.to)} over ${formatDuration(arrival.durationMs)}`;
    case 'steps':
      return `steps ${arrival.rates.map(formatRate).join(', ')}, ${formatDuration(arrival.eachMs)} each`;
    case 'fill': {
      const until = [
        ...(arrival.attempts === null ? [] : [`${arrival.attempts} attempts`]),
        ...(arrival.failures === null ? [] : [`${arrival.failures} failures`]),
        ...(arrival.withinMs === undefined ? [] : [formatDuration(arrival.withinMs)]),
      ].join(' or ');
      const waves = arrival.waves === 1 ? '' : `, ${arrival.waves} waves ${formatDuration(arrival.pauseMs)} apart`;
      return `fill to ${until}, ${arrival.inFlight} in flight${waves}`;
    }
    case 'hold':
      return `hold ${arrival.connections} connections for ${formatDuration(arrival.durationMs)}`;
  }
}

/** Destinations in words, as `2 addresses × 4 ports`, or the targets. */
export function formatDestinations(destinations: Destinations): string {
  if (destinations.kind !== 'lab') return destinations.targets.map(formatTarget).join(', ');
  return `${destinations.addresses} ${plural('address', destinations.addresses)} × ${destinations.ports} ${plural('port', destinations.ports)}`;
}
