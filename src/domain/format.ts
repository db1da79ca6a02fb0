/**
 * Numbers back to the units that profiles are written in. Pure; the inverse of units.ts.
 */

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

/** `192.0.2.10:3128`, `[2001:db8::1]:3128` */
export function formatTarget({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The English plural of a regular noun, unless the count is one. */
export function plural(noun: string, count: number): string {
  if (count === 1) return noun;
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`;
}

/** A time in words, rounded up: `42 s`, `12 min`, `1.5 h`. @param ms milliseconds */
export function formatLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
