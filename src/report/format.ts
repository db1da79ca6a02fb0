/**
 * How reports write numbers and verdicts: one place, so that the page, the pull-request text and the terminal agree. Pure.
 */
import { formatDifference as differenceInWords, formatBound as valueInWords } from '../analysis/format.js';
import { grouped } from '../domain/grouped.js';
import { knownMetric } from '../domain/metric.js';
import type { Comparison, VerdictWord } from '../results/schema.js';

export { counted as plural, formatP, listed } from '../analysis/format.js';

export type Unit = Comparison['unit'];

/** U+2212, which is as wide as a plus sign; a hyphen would break the alignment of signed columns. */
const MINUS = '−';

/** What stands where there is no number. */
export const NONE = '–';

/** `12345.6` → `12,346`; below 100 one decimal is kept when there is one. */
export function formatNumber(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 0.1 ? 1 : 3;
  const text = grouped(Math.abs(value), digits);
  return value < 0 && text !== '0' ? MINUS + text : text;
}

/** A value in human units (analysis/format.ts, so that tables and sentences agree); an en dash for null. @param atLeast it may be higher in truth */
export function formatValue(unit: Unit, value: number | null, atLeast = false): string {
  return value === null ? NONE : valueInWords(unit, value, atLeast);
}

/** A difference with its sign, shares in percentage points; an en dash for null. */
export function formatDifference(unit: Unit, difference: number | null): string {
  return difference === null ? NONE : differenceInWords(unit, difference);
}

/** `50.0 % → 0 %`; one en dash where neither was measured. @param atLeast which of the two may be higher in truth: `≥ 5 s → 250 ms` */
export function formatChange(
  unit: Unit,
  before: number | null,
  after: number | null,
  atLeast: readonly [before: boolean, after: boolean] = [false, false],
): string {
  if (before === null && after === null) return NONE;
  return `${formatValue(unit, before, atLeast[0])} → ${formatValue(unit, after, atLeast[1])}`;
}

/** The change of a comparison, as `formatChange` writes it. */
export function formatCompared({ unit, baseline, variant, atLeast }: Comparison): string {
  return formatChange(unit, baseline, variant, [atLeast?.baseline ?? false, atLeast?.variant ?? false]);
}

/** The interval of a difference, `−50.2 to −49.8` for shares, else with units; null when there is none. */
export function formatInterval(unit: Unit, ci: readonly [number, number] | null): string | null {
  if (!ci) return null;
  return ci.map((end) => formatDifference(unit, end).replace(/ points$/, '')).join(' to ');
}

/** A length of time. @param ms milliseconds */
export function formatDuration(ms: number): string {
  if (ms < 59_500) return formatValue('microseconds', ms * 1000);
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
  return knownMetric(metric)?.unit ?? 'count';
}

/** The heading of a metric by its name; a name that this version does not know is shown as it is. */
export function metricLabel(metric: string): string {
  return knownMetric(metric)?.title ?? metric;
}
