/**
 * Numbers back to the units that profiles are written in. Pure; the inverse of units.ts.
 */
import type { Arrival, Destinations } from './plan.js';

/** A duration in its largest whole unit: 0 → `0s`, 400 → `400ms`, 90000 → `90s`, 120000 → `2m`. @param ms milliseconds */
export function formatDuration(ms: number): string {
  const us = Math.round(ms * 1000);
  if (us === 0) return '0s';
  const units = [
    ['h', 3_600_000_000],
    ['m', 60_000_000],
    ['s', 1_000_000],
    ['ms', 1000],
  ] as const;
  const fit = units.find(([, size]) => us % size === 0);
  return fit ? `${us / fit[1]}${fit[0]}` : `${us}us`;
}

/** A rate as `2000/s`. @param perSecond attempts per second */
export function formatRate(perSecond: number): string {
  return `${Number(perSecond.toFixed(3))}/s`;
}

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
  if (destinations.kind === 'external') return destinations.targets.map(formatTarget).join(', ');
  return `${destinations.addresses} ${plural('address', destinations.addresses)} × ${destinations.ports} ${plural('port', destinations.ports)}`;
}

/** `192.0.2.10:3128`, `[2001:db8::1]:3128` */
export function formatTarget({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The English plural of a regular noun, unless the count is one. */
export function plural(noun: string, count: number): string {
  if (count === 1) return noun;
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`;
}
