/**
 * Times gathered in the hot loop. HdrHistogram finds a value's bin with Math.log2 and Math.pow, which costs more than a system
 * call's way through FFI. Nearly every time of a connection is short, so an array counts the whole microseconds until they are
 * asked for; the histogram that comes out is the same.
 */
import { type Histogram, record } from './histogram.js';

/** What takes longer than this many microseconds is recorded at once; 8 kB a phase stay in the first-level cache. */
const SHORT = 2048;

export interface Tally {
  /** Counts of 0 … 2047 µs that are not in the histogram yet. */
  readonly counts: Uint32Array;
  readonly histogram: Histogram;
}

/** @param histogram where the counts go; of microseconds, with three significant digits */
export function createTally(histogram: Histogram): Tally {
  return { counts: new Uint32Array(SHORT), histogram };
}

/** Count a time in microseconds, rounded and clamped as {@link record} does. */
export function count(tally: Tally, micros: number): void {
  const rounded = Math.round(micros);
  if (rounded >= 0 && rounded < SHORT) tally.counts[rounded]!++;
  else record(tally.histogram, micros);
}

/** Move what was counted into the histogram. */
export function settle({ counts, histogram }: Tally): void {
  for (let micros = 0; micros < SHORT; micros++) {
    const n = counts[micros]!;
    if (n === 0) continue;
    histogram.recordValueWithCount(micros, n);
    counts[micros] = 0;
  }
}
