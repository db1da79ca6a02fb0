/**
 * Numbers in the words of a report. Pure.
 */
import { plural } from '../domain/format.js';
import type { MetricUnit } from '../domain/metric.js';

const MINUS = '−';

/** A value in human units: `50.0 %`, `28,232`, `1,450/s`, `1.20 ms`, `12.3 MiB`. */
export function formatValue(unit: MetricUnit, value: number): string {
  if (value < 0) return MINUS + formatValue(unit, -value);
  switch (unit) {
    case 'share':
      return `${percent(value)} %`;
    case 'count':
      return !Number.isInteger(value) && value < 10
        ? significant(value)
        : grouped(value, Number.isInteger(value) ? 0 : 1);
    case 'perSecond':
      return `${value === 0 ? '0' : significant(value)}/s`;
    case 'microseconds':
      return duration(value);
    case 'bytes':
      return bytes(value);
  }
}

/** The same of a value that may be higher in truth, if it may: `≥ 5 s`. */
export function formatBound(unit: MetricUnit, value: number, atLeast = false): string {
  return `${atLeast ? '≥ ' : ''}${formatValue(unit, value)}`;
}

/** A sustained rate, rounded down, since one above the limit does not last: `1,450/s`, `16.6/s`, `4.83/s`. */
export function formatSustained(perSecond: number): string {
  return `${safely(perSecond, Math.floor, 1e-6)}/s`;
}

/** A rate that does not last, rounded up. */
export function formatUnsustained(perSecond: number): string {
  return `${safely(perSecond, Math.ceil, -1e-6)}/s`;
}

/** @param ease what floating point may be off by in the last digit */
function safely(value: number, round: (value: number) => number, ease: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.0995 ? 2 : 4;
  const text = grouped(round(value * 10 ** decimals + ease) / 10 ** decimals, decimals);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** A time before which something does not happen, rounded down: `2.4 s`, `19 s`, `14 min`, `1.5 h`. */
export function soonest(seconds: number): string {
  const down = (value: number, digits: number) => Math.floor(value * digits + 1e-6) / digits;
  if (seconds < 90) return `${down(seconds, seconds < 10 ? 10 : 1)} s`;
  return seconds < 5400 ? `${down(seconds / 60, 1)} min` : `${down(seconds / 3600, 10)} h`;
}

/** A difference with its sign: `+30 µs`, `−50.0 points` (percentage points, for shares). */
export function formatDifference(unit: MetricUnit, difference: number): string {
  // What floating point leaves of a difference between equals is no difference.
  const size = Math.abs(difference);
  const span = formatSpan(unit, size < 1e-12 ? 0 : size);
  const sign = !/[1-9]/.test(span) ? '' : difference > 0 ? '+' : MINUS;
  return sign + span;
}

/** The size of a difference without a sign. */
export function formatSpan(unit: MetricUnit, size: number): string {
  return unit === 'share' ? `${percent(size)} points` : formatValue(unit, size);
}

/** `p = 0.031`, `p < 0.001`. */
export function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${Number(p.toPrecision(2))}`;
}

/** `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `1 pair`, `6 pairs`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count, 0)} ${plural(noun, count)}`;
}

/** Near 0 and near 100 % it is the last digits that matter, so they are never rounded away. */
function percent(share: number): string {
  if (share === 0 || share === 1) return String(share * 100);
  const distance = Math.min(share, Math.abs(1 - share)) * 100;
  if (distance < 1e-4) return share < 0.5 ? '< 0.0001' : '> 99.9999';
  if (distance >= 1) return (share * 100).toFixed(1);
  const decimals = Math.min(6, 1 + Math.ceil(-Math.log10(distance)));
  return String(Number((share * 100).toFixed(decimals)));
}

function duration(us: number): string {
  if (us === 0) return '0 µs';
  if (us < 999.5) return `${significant(us)} µs`;
  return us < 999_500 ? `${significant(us / 1000)} ms` : `${significant(us / 1_000_000)} s`;
}

function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(scaled) : significant(scaled)} ${units[unit]}`;
}

/** About three significant digits, never fewer than the integer part has, and no zeros behind the point. */
function significant(value: number): string {
  const text = grouped(value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function grouped(value: number, decimals: number): string {
  const [whole, fraction] = value.toFixed(decimals).split('.');
  const separated = whole!.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}
