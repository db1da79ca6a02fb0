/**
 * The statistics of paired runs. Pure: what is random takes a seeded stream, so that equal results give equal reports.
 *
 * Differences are variant − baseline of one pair of runs of the same block, in the unit of the metric.
 */
import type { Random } from '../domain/random.js';

/** The level of every claim: a family of comparisons has at most this chance of a false better or worse. */
export const ALPHA = 0.05;
export const BOOTSTRAP_RESAMPLES = 10_000;
/** Up to this many pairs all 2^n sign flips are enumerated; above, they are sampled. */
const EXACT_FLIPS_MAX_PAIRS = 16;
const SAMPLED_FLIPS = 100_000;
/** Above this many pairs the interval comes from the ranks: a bootstrap would cost n²/2 steps a resample for the same answer. */
const BOOTSTRAP_MAX_PAIRS = 50;

/** The standard normal quantile of 0.975. */
export const Z_95 = 1.959964;

export type Interval = [low: number, high: number];

/** The middle value, or the mean of the two middle ones; null for none. */
export function median(values: readonly number[]): number | null {
  return values.length === 0 ? null : quantile(values, 0.5);
}

/**
 * The sample quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996, R's default).
 * @param q from 0 to 1
 * @throws RangeError for an empty list
 */
export function quantile(values: readonly number[], q: number): number {
  return sortedQuantile(Float64Array.from(values).sort(), q);
}

function sortedQuantile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) throw new RangeError('a quantile needs at least one value');
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low === high ? low : low + (high - low) * (position - below);
}

/** The sample standard deviation (n − 1). @throws RangeError for fewer than two values */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) throw new RangeError('a standard deviation needs at least two values');
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * The Hodges-Lehmann estimate of a shift: the median of the Walsh averages (dᵢ + dⱼ)/2, i ≤ j
 * (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, §3.2). Robust to one wild pair, yet nearly as efficient
 * as the mean where there is none.
 * @throws RangeError for an empty list
 */
export function hodgesLehmann(differences: readonly number[]): number {
  return sortedQuantile(walshAverages(differences).values, 0.5);
}

/**
 * A 95 % interval of the Hodges-Lehmann estimate. Up to BOOTSTRAP_MAX_PAIRS pairs: the percentile bootstrap over pairs, with
 * BOOTSTRAP_RESAMPLES resamples. Above: the order statistics of the Walsh averages that invert the signed-rank test, by its
 * normal approximation (Hollander, Wolfe and Chicken, §3.3), which needs no random numbers.
 *
 * With few pairs a percentile interval is a few points too narrow, so `conclusion.ts` asks for a small p as well before it says
 * better or worse, and for five pairs before it says no difference.
 * @returns null for fewer than two pairs
 */
export function hodgesLehmannInterval(differences: readonly number[], random: Random): Interval | null {
  if (differences.length < 2) return null;
  return differences.length <= BOOTSTRAP_MAX_PAIRS ? bootstrapInterval(differences, random) : rankInterval(differences);
}

/**
 * Resampling n pairs with replacement is drawing how often each pair counts, so the Walsh averages are sorted once and each
 * resample is a weighted median over that order: a pair of pairs (i, j) counts cᵢ·cⱼ times, (i, i) counts cᵢ(cᵢ+1)/2 times.
 */
function bootstrapInterval(differences: readonly number[], random: Random): Interval {
  const { values, first, second } = walshAverages(differences);
  const counts = new Uint32Array(differences.length);
  const weight = (at: number) => {
    const [i, j] = [first[at]!, second[at]!];
    return i === j ? (counts[i]! * (counts[i]! + 1)) / 2 : counts[i]! * counts[j]!;
  };
  return bootstrapMedian(values, weight, () => draw(counts, random));
}

/** Draw with replacement as many times as there are runs. @param counts set to how often each was drawn */
export function draw(counts: Uint32Array, random: Random): void {
  counts.fill(0);
  for (let i = 0; i < counts.length; i++) counts[Math.floor(random() * counts.length)]!++;
}

/**
 * The 95 % percentile bootstrap of a median, BOOTSTRAP_RESAMPLES resamples.
 * @param values in ascending order
 * @param weight how often a value counts in the present resample; the weights of all values add up to their number
 * @param redraw makes the next resample
 */
export function bootstrapMedian(values: Float64Array, weight: (at: number) => number, redraw: () => void): Interval {
  const lower = Math.floor((values.length + 1) / 2);
  const upper = Math.floor(values.length / 2) + 1;
  const estimates = new Float64Array(BOOTSTRAP_RESAMPLES);
  for (let resample = 0; resample < BOOTSTRAP_RESAMPLES; resample++) {
    redraw();
    let [seen, at] = [0, -1];
    while (seen < lower) seen += weight(++at);
    const low = values[at]!;
    while (seen < upper) seen += weight(++at);
    estimates[resample] = (low + values[at]!) / 2;
  }
  estimates.sort();
  return [sortedQuantile(estimates, 0.025), sortedQuantile(estimates, 0.975)];
}

function rankInterval(differences: readonly number[]): Interval {
  const n = differences.length;
  const { values } = walshAverages(differences);
  const spread = Z_95 * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const rank = Math.max(1, Math.floor((n * (n + 1)) / 4 - spread));
  return [values[rank - 1]!, values[values.length - rank]!];
}

/** All n(n+1)/2 Walsh averages in ascending order, and which two differences each came from. */
function walshAverages(differences: readonly number[]) {
  const n = differences.length;
  const size = (n * (n + 1)) / 2;
  const unsorted = new Float64Array(size);
  const rows = new Uint32Array(size);
  const columns = new Uint32Array(size);
  let next = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      unsorted[next] = (differences[i]! + differences[j]!) / 2;
      rows[next] = i;
      columns[next] = j;
      next++;
    }
  }
  const order = Uint32Array.from(unsorted, (_, index) => index).sort((a, b) => unsorted[a]! - unsorted[b]!);
  return {
    values: Float64Array.from(order, (index) => unsorted[index]!),
    first: Uint32Array.from(order, (index) => rows[index]!),
    second: Uint32Array.from(order, (index) => columns[index]!),
  };
}

/**
 * The two-sided sign-flip (paired permutation) p of the mean difference: were the two labels of every pair exchangeable, how
 * often would a random exchange give a mean at least as far from 0? (Fisher 1935; the order inside a block is random, which is
 * what makes labels exchangeable.) Exact up to EXACT_FLIPS_MAX_PAIRS pairs: a multiple of 2/2^n. Above, SAMPLED_FLIPS random
 * flips with the +1 correction of Phipson and Smyth 2010, so that p is never 0.
 * @returns from 2/2^n to 1; 1 for no pairs
 */
export function signFlipP(differences: readonly number[], random: Random): number {
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  // Sums of the same numbers in another order may differ in the last bits and are still ties.
  const reach = observed - 1e-9 * differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
  return differences.length <= EXACT_FLIPS_MAX_PAIRS
    ? enumeratedFlips(differences, reach)
    : sampledFlips(differences, reach, random);
}

/** A flip and its mirror image have the same |sum|, so one sign stays fixed. A Gray code changes one sign a step. */
function enumeratedFlips(differences: readonly number[], reach: number): number {
  if (differences.length === 0) return 1;
  const flipped = Float64Array.from(differences);
  let sum = differences.reduce((total, difference) => total + difference, 0);
  const total = 2 ** (differences.length - 1);
  let extreme = 1;
  for (let step = 1; step < total; step++) {
    const index = 31 - Math.clz32(step & -step);
    flipped[index] = -flipped[index]!;
    sum += 2 * flipped[index]!;
    if (Math.abs(sum) >= reach) extreme++;
  }
  return extreme / total;
}

function sampledFlips(differences: readonly number[], reach: number, random: Random): number {
  let extreme = 1;
  for (let flip = 0; flip < SAMPLED_FLIPS; flip++) {
    let sum = 0;
    let bits = 0;
    for (let i = 0; i < differences.length; i++) {
      if (i % 32 === 0) bits = Math.floor(random() * 4294967296);
      sum += bits & 1 ? differences[i]! : -differences[i]!;
      bits >>>= 1;
    }
    if (Math.abs(sum) >= reach) extreme++;
  }
  return extreme / (SAMPLED_FLIPS + 1);
}

/**
 * Holm's step-down adjustment (Holm 1979): controls the chance of any false claim in the family, whatever the dependence, and
 * never has less power than Bonferroni.
 * @returns adjusted p, in the order of the input
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a]! - ps[b]!);
  const adjusted = new Array<number>(ps.length).fill(1);
  let floor = 0;
  order.forEach((index, rank) => {
    floor = Math.max(floor, Math.min(1, ps[index]! * (ps.length - rank)));
    adjusted[index] = floor;
  });
  return adjusted;
}

/** The least p that n pairs can give: all of them moved the same way. */
export function smallestP(pairs: number): number {
  return Math.min(1, 2 / 2 ** pairs);
}

/**
 * The least number of pairs with which a claim can be made at all when `comparisons` variants are compared on one metric:
 * the least n with 2/2^n · m ≤ α.
 */
export function smallestPairs(comparisons: number, alpha = ALPHA): number {
  let pairs = 1;
  while (smallestP(pairs) * comparisons > alpha) pairs++;
  return pairs;
}
