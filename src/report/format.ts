/**
 * How reports write numbers and verdicts: one place, so that the page, the pull-request text and the terminal agree. Pure.
 */
import { metricUnit, parseMetric } from '../profile/metric.js';
import { UnitError } from '../profile/units.js';
import type { Comparison, VerdictWord } from '../results/schema.js';

export type Unit = Comparison['unit'];

/** U+2212, which is as wide as a plus sign; a hyphen would break the alignment of signed columns. */
const MINUS = '−';

/** What stands where there is no number. */
export const NONE = '–';

/** `12345.6` → `12,346`; below 100 one decimal is kept when there is one. */
export function formatNumber(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 0.1 ? 1 : 3;
  const text = Math.abs(value).toLocaleString('en-US', { maximumFractionDigits: digits });
  return value < 0 && text !== '0' ? MINUS + text : text;
}

/**
 * A value in words that a reader needs no legend for.
 * @param value in the unit's base: shares from 0 to 1, µs, bytes, events per second
 * @returns `50.0 %`, `1.2 ms`, `1,234/s`, `85 MB`, `1,234`; an en dash for null
 */
export function formatValue(unit: Unit, value: number | null): string {
  if (value === null) return NONE;
  switch (unit) {
    case 'share':
      return `${percent(value)} %`;
    case 'microseconds':
      return formatMicroseconds(value);
    case 'perSecond':
      return `${formatNumber(value)}/s`;
    case 'bytes':
      return formatBytes(value);
    case 'count':
      return formatNumber(value);
  }
}

/**
 * A difference with its sign. Shares differ by percentage points, written «points»: `−50.0 %` would read as a ratio.
 * @returns `−50.0 points`, `+0.3 ms`, `0`; an en dash for null
 */
export function formatDifference(unit: Unit, difference: number | null): string {
  if (difference === null) return NONE;
  // What floating point leaves of a difference between equals is no difference.
  if (Math.abs(difference) < 1e-9) return unit === 'share' ? '0 points' : '0';
  const size = unit === 'share' ? `${percent(Math.abs(difference))} points` : formatValue(unit, Math.abs(difference));
  return (difference < 0 ? MINUS : '+') + size;
}

/** `50.0 % → 0 %`; one en dash where neither was measured. */
export function formatChange(unit: Unit, before: number | null, after: number | null): string {
  return before === null && after === null ? NONE : `${formatValue(unit, before)} → ${formatValue(unit, after)}`;
}

/** The interval of a difference, `−50.2 to −49.8` for shares, else with units; null when there is none. */
export function formatInterval(unit: Unit, ci: readonly [number, number] | null): string | null {
  if (!ci) return null;
  return ci.map((end) => formatDifference(unit, end).replace(/ points$/, '')).join(' to ');
}

/** `p = 0.031`, `p < 0.001`. */
export function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toLocaleString('en-US', { maximumSignificantDigits: 2 })}`;
}

/** A length of time. @param ms milliseconds */
export function formatDuration(ms: number): string {
  if (ms < 59_500) return formatMicroseconds(ms * 1000);
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600)
    return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-01-02T03:04:05.678Z` → `2026-01-02 03:04 UTC`; what is no ISO time in UTC stays as it is. */
export function formatInstant(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::[\d.]+)?Z$/.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}

/** `1 pair`, `6 pairs`. */
export function plural(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** A sign beside the word, so that a verdict never rests on colour alone. */
export const VERDICT_SYMBOLS: Readonly<Record<VerdictWord, string>> = {
  better: '✓',
  worse: '✗',
  'no difference': '=',
  'not enough evidence': '?',
};

/** `✓ better`. */
export function verdictText(verdict: VerdictWord): string {
  return `${VERDICT_SYMBOLS[verdict]} ${verdict}`;
}

/** The unit of a metric by its name; a count for a name that this version does not know. */
export function unitOf(metric: string): Unit {
  try {
    return metricUnit(parseMetric(metric));
  } catch (error) {
    if (error instanceof UnitError) return 'count';
    throw error;
  }
}

/** Metric names as people say them; a name that is not listed is shown as the profile writes it. */
export function metricLabel(metric: string): string {
  const outcome = /^outcomes\[["'](.+)["']\]\.(share|count)$/.exec(metric);
  if (outcome) return outcome[2] === 'share' ? outcome[1]! : `${outcome[1]} (count)`;
  const latency = /^latency\.(\w+)\.(\w+)$/.exec(metric);
  if (latency) return `${latency[1]} time, ${latency[2] === 'p999' ? 'p99.9' : latency[2]}`;
  return METRIC_LABELS[metric] ?? metric;
}

const METRIC_LABELS: Readonly<Record<string, string>> = {
  'failures.share': 'failures',
  'failures.count': 'failures (count)',
  capacity: 'capacity',
  rate: 'connection rate',
  'cpu.perConnection': 'CPU per connection',
  'memory.peak': 'peak memory',
  'ports.peak': 'peak ports in use',
};

/** Exactly 0 and exactly 1 lose their decimal, so that «0 %» means none and «0.0 %» cannot appear for some. */
function percent(share: number): string {
  const value = share * 100;
  if (value === 0 || value === 100) return value.toFixed(0);
  const nearEnd = Math.min(Math.abs(value), Math.abs(100 - value));
  if (nearEnd >= 0.1) return value.toFixed(1);
  if (nearEnd < 0.0001) return value < 50 ? '< 0.0001' : '> 99.9999';
  return Number(value.toFixed(1 - Math.floor(Math.log10(nearEnd)))).toString();
}

function formatMicroseconds(us: number): string {
  // The limits are those of rounding: 999.6 µs is «1 ms», never «1,000 µs».
  const size = Math.abs(us);
  if (size < 999.5) return `${threeDigits(us)} µs`;
  if (size < 999_500) return `${threeDigits(us / 1000)} ms`;
  return `${threeDigits(us / 1_000_000)} s`;
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let index = 0;
  while (Math.abs(value) >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index++;
  }
  return `${threeDigits(value)} ${units[index]}`;
}

/** At most one decimal below 10, none from 10 on; small values keep two significant digits. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 9.95) return Math.round(value).toLocaleString('en-US');
  if (size >= 0.95) return value.toFixed(1).replace(/\.0$/, '');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}
