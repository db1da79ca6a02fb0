/**
 * The statistics of two independent sets of runs, as of two machines or two days, where no run has a partner. Pure; what is random
 * takes a seeded stream.
 *
 * Differences are b − a, in the unit of the metric.
 */
import type { Random } from '../domain/random.js';
import { ALPHA, bootstrapMedian, draw, type Interval, quantile, Z_95 } from './statistics.js';

/** Up to this many runs in all the distribution of the rank sum is counted out; above, its normal approximation serves. */
export const EXACT_RANKS_MAX_RUNS = 60;
/** Above this many differences the interval comes from the ranks: a bootstrap would walk all of them for each resample. */
const BOOTSTRAP_MAX_DIFFERENCES = 2500;

/**
 * The Hodges-Lehmann estimate of the shift between two samples: the median of all differences bⱼ − aᵢ (Hollander, Wolfe and Chicken,
 * Nonparametric Statistical Methods, §4.2).
 * @throws RangeError for an empty list
 */
export function hodgesLehmannShift(a: readonly number[], b: readonly number[]): number {
  return quantile(
    a.flatMap((x) => b.map((y) => y - x)),
    0.5,
  );
}

/**
 * A 95 % interval of that estimate: the percentile bootstrap over the runs of both sides, BOOTSTRAP_RESAMPLES resamples; with very
 * many runs the order statistics of the differences that invert the rank-sum test (Hollander, Wolfe and Chicken, §4.3).
 * @returns null where a side has fewer than two runs
 */
export function shiftInterval(a: readonly number[], b: readonly number[], random: Random): Interval | null {
  if (a.length < 2 || b.length < 2) return null;
  return a.length * b.length <= BOOTSTRAP_MAX_DIFFERENCES ? bootstrapShift(a, b, random) : rankShift(a, b);
}

/**
 * A resample decides how often each run counts, so the differences are sorted once, and each resample is a weighted median over
 * that order: the difference of i and j counts cᵢ·cⱼ times.
 */
function bootstrapShift(a: readonly number[], b: readonly number[], random: Random): Interval {
  const size = a.length * b.length;
  const differences = Float64Array.from({ length: size }, (_, k) => b[k % b.length]! - a[Math.floor(k / b.length)]!);
  const order = Uint32Array.from(differences, (_, k) => k).sort((x, y) => differences[x]! - differences[y]!);
  const values = Float64Array.from(order, (k) => differences[k]!);
  const [countsA, countsB] = [new Uint32Array(a.length), new Uint32Array(b.length)];
  const weight = (at: number) => countsA[Math.floor(order[at]! / b.length)]! * countsB[order[at]! % b.length]!;
  return bootstrapMedian(values, weight, () => {
    draw(countsA, random);
    draw(countsB, random);
  });
}

function rankShift(a: readonly number[], b: readonly number[]): Interval {
  const differences = Float64Array.from(a.flatMap((x) => b.map((y) => y - x))).sort();
  const [n, m] = [a.length, b.length];
  const rank = Math.max(1, Math.floor((n * m) / 2 - Z_95 * Math.sqrt((n * m * (n + m + 1)) / 12)));
  return [differences[rank - 1]!, differences[differences.length - rank]!];
}

/**
 * The two-sided p of the rank-sum test (Wilcoxon 1945, Mann and Whitney 1947): were it all the same which runs came from which side,
 * how often would the ranks of one side be at least as far from even? Ties have the mean of their ranks; the distribution is that of
 * these very ranks, exact up to EXACT_RANKS_MAX_RUNS runs. Above: the normal approximation, corrected for ties and continuity.
 * @returns from 2/C(n+m, n) to 1; 1 where a side is empty
 */
export function rankSumP(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const ranks = doubledRanks([...a, ...b]);
  const observed = ranks.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  return ranks.length <= EXACT_RANKS_MAX_RUNS
    ? countedP(ranks, a.length, observed)
    : normalP(ranks, a.length, observed);
}

/** Twice the midranks, so that they are whole numbers. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((x, y) => values[x]! - values[y]!);
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to++;
    for (let i = from; i <= to; i++) ranks[order[i]!] = from + to + 2;
    from = to + 1;
  }
  return ranks;
}

/** How many subsets of `size` ranks have each sum, one rank after the other. */
function countedP(ranks: readonly number[], size: number, observed: number): number {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(total + 1));
  ways[0]![0] = 1;
  for (const rank of ranks) {
    for (let chosen = size; chosen >= 1; chosen--) {
      const [into, from] = [ways[chosen]!, ways[chosen - 1]!];
      for (let sum = total; sum >= rank; sum--) into[sum]! += from[sum - rank]!;
    }
  }
  const even = (total * size) / ranks.length;
  const reach = Math.abs(observed - even) - 1e-9 * total;
  let [extreme, all] = [0, 0];
  ways[size]!.forEach((count, sum) => {
    all += count;
    if (Math.abs(sum - even) >= reach) extreme += count;
  });
  return Math.min(1, extreme / all);
}

function normalP(ranks: readonly number[], n: number, observed: number): number {
  const total = ranks.length;
  const m = total - n;
  const ties = new Map<number, number>();
  for (const rank of ranks) ties.set(rank, (ties.get(rank) ?? 0) + 1);
  const tied = [...ties.values()].reduce((sum, t) => sum + (t ** 3 - t), 0);
  const variance = ((n * m) / 12) * (total + 1 - tied / (total * (total - 1)));
  if (variance <= 0) return 1;
  const distance = Math.max(0, Math.abs(observed / 2 - (n * (total + 1)) / 2) - 0.5);
  return Math.min(1, 2 * upperTail(distance / Math.sqrt(variance)));
}

/** P(Z > z) of the standard normal for z ≥ 0, within 7.5e-8 (Abramowitz and Stegun 26.2.17). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

/** The least p that n and m runs can give: all of one side above all of the other. */
export function smallestRankSumP(n: number, m: number): number {
  let ways = 1;
  for (let i = 1; i <= n; i++) ways = (ways * (m + i)) / i;
  return Math.min(1, 2 / ways);
}

/** The least number of runs a side with which a claim can be made when `comparisons` arms are compared on one metric. */
export function smallestRuns(comparisons: number): number {
  let runs = 1;
  while (smallestRankSumP(runs, runs) * comparisons > ALPHA) runs++;
  return runs;
}
