/**
 * Times that are gathered in the hot loop. HdrHistogram finds a value's bin with Math.log2 and Math.pow, which costs more than a system
 * call's way through FFI. So an array counts them by the histogram's own bins, which integers find, until they are asked for; the histogram that
 * comes out is the same.
 */
import { type Histogram, record } from './histogram.js';

/** Below, each whole microsecond has a bin; 8 kB a phase stay in the first-level cache. */
const SHORT = 2048;
/** From there on each power of two has half as many bins, as in a HdrHistogram of three digits. */
const HALF = SHORT / 2;
/** What takes longer, some 67 s, is recorded at once. */
const LONG = 2 ** 26;
/** By how many bits the last of these are shifted, so that 11 are left. */
const MOST_SHIFT = 15;
/** 31 − 10: of a number with its highest bit at 10 + shift, Math.clz32() is this less shift. */
const ZEROS = 21;

export interface Tally {
  /** Counts that are not in the histogram yet, by bin. */
  readonly counts: Uint32Array;
  /** The shortest and the longest of those from SHORT on. */
  least: number;
  most: number;
  readonly histogram: Histogram;
}

/** @param histogram where the counts go; of microseconds, with three significant digits */
export function createTally(histogram: Histogram): Tally {
  return { counts: new Uint32Array((MOST_SHIFT + 2) * HALF), least: LONG, most: 0, histogram };
}

/** Count a time in microseconds, rounded and clamped as {@link record} does. */
export function count(tally: Tally, micros: number): void {
  const rounded = Math.round(micros);
  if (rounded >= 0 && rounded < SHORT) tally.counts[rounded]!++;
  else if (rounded >= SHORT && rounded < LONG) countLong(tally, rounded);
  else record(tally.histogram, micros);
}

function countLong(tally: Tally, rounded: number): void {
  const shift = ZEROS - Math.clz32(rounded);
  tally.counts[shift * HALF + (rounded >> shift)]!++;
  if (rounded < tally.least) tally.least = rounded;
  if (rounded > tally.most) tally.most = rounded;
}

/** Move what was counted into the histogram. */
export function settle(tally: Tally): void {
  const { counts, histogram } = tally;
  for (let bin = 0; bin < counts.length; bin++) {
    const n = counts[bin]!;
    if (n === 0) continue;
    counts[bin] = 0;
    if (bin < SHORT) histogram.recordValueWithCount(bin, n);
    else settleLong(tally, bin, n);
  }
  tally.least = LONG;
  tally.most = 0;
}

/** Any value of a bin stands for all of it; but the histogram keeps the shortest and the longest as they were. */
function settleLong({ least, most, histogram }: Tally, bin: number, n: number): void {
  const shift = Math.floor(bin / HALF) - 1;
  const from = (bin - shift * HALF) * 2 ** shift;
  const hasMost = most >= from && most < from + 2 ** shift;
  if (hasMost) histogram.recordValue(most);
  const rest = hasMost ? n - 1 : n;
  if (rest > 0) histogram.recordValueWithCount(Math.max(from, least), rest);
}
