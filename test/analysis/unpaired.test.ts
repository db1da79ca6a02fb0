import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOOTSTRAP_RESAMPLES, quantile } from '../../src/analysis/statistics.js';
import {
  EXACT_RANKS_MAX_RUNS,
  hodgesLehmannShift,
  rankSumP,
  shiftInterval,
  smallestRankSumP,
  smallestRuns,
} from '../../src/analysis/unpaired.js';
import { randomStream } from '../../src/domain/random.js';
import { normal } from '../support/runs.js';

const random = () => randomStream(1, 'test');
const close = (actual: number, expected: number, within = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);

/** Every way to choose `size` of the pooled values, by brute force: what the exact p is by definition. */
function bruteForceP(a: readonly number[], b: readonly number[]): number {
  const pooled = [...a, ...b];
  const rank = (value: number) =>
    pooled.filter((other) => other < value).length + (pooled.filter((other) => other === value).length + 1) / 2;
  const ranks = pooled.map(rank);
  const even = (a.length * (pooled.length + 1)) / 2;
  const far = (sum: number) => Math.abs(sum - even);
  const observed = far(ranks.slice(0, a.length).reduce((sum, r) => sum + r, 0));
  let [extreme, all] = [0, 0];
  for (let set = 0; set < 2 ** pooled.length; set++) {
    const chosen = ranks.filter((_, i) => set & (1 << i));
    if (chosen.length !== a.length) continue;
    all++;
    if (far(chosen.reduce((sum, r) => sum + r, 0)) >= observed - 1e-9) extreme++;
  }
  return extreme / all;
}

describe('the rank-sum p', () => {
  it('is that of R and SciPy where there are no ties', () => {
    close(rankSumP([1, 2, 3], [4, 5, 6]), 0.1);
    close(rankSumP([1.1, 2.2, 3.3, 4.4, 5.5], [2.5, 3.5, 6.5, 7.5, 8.5]), 0.15079365079365079);
    close(rankSumP([5], [1, 2, 3, 4]), 0.4);
  });

  it('is the share of all exchanges of runs that are as far apart, ties included', () => {
    const stream = random();
    for (let i = 0; i < 60; i++) {
      const draw = (length: number) => Array.from({ length }, () => Math.floor(stream() * 6));
      const [a, b] = [draw(2 + (i % 4)), draw(2 + (i % 5))];
      close(rankSumP(a, b), bruteForceP(a, b), 1e-12);
    }
    assert.equal(rankSumP([1, 1, 1], [1, 1, 1]), 1);
    close(rankSumP([1, 2, 2, 3], [2, 3, 3, 4]), 2 / 7);
  });

  it('does not depend on which side is which, or on the order of runs', () => {
    const [a, b] = [
      [3, 1, 4, 1, 5, 9],
      [2, 6, 5, 3, 5],
    ];
    close(rankSumP(a, b), rankSumP(b, a));
    close(rankSumP([...a].reverse(), b), rankSumP(a, b));
  });

  it('goes over into its normal approximation where the counts end', () => {
    const many = Array.from({ length: 40 }, (_, i) => (i * 37) % 101);
    const more = Array.from({ length: 45 }, (_, i) => ((i * 53) % 97) + 15);
    // SciPy 1.17, mannwhitneyu(method='asymptotic'), which corrects for ties and continuity.
    close(rankSumP(many, more), 0.12879227419361394, 1e-6);
    const stream = random();
    const draw = (length: number, shift: number) => Array.from({ length }, () => normal(stream) + shift);
    const [a, b] = [draw(30, 0), draw(30, 0.4)];
    assert.equal(a.length + b.length, EXACT_RANKS_MAX_RUNS);
    close(rankSumP([...a, 9], [...b, -9, 9]), rankSumP(a, b), 0.1);
    assert.equal(rankSumP(Array(40).fill(7), Array(40).fill(7)), 1);
  });

  it('is 1 where a side is empty', () => assert.equal(rankSumP([], [1]), 1));
});

describe('the shift', () => {
  it('is the median of all differences', () => {
    // 4-1, 4-2, 4-9, 6-1, 6-2, 6-9 = 3, 2, -5, 5, 4, -3
    assert.equal(hodgesLehmannShift([1, 2, 9], [4, 6]), 2.5);
    assert.equal(hodgesLehmannShift([1], [1.5]), 0.5);
    assert.throws(() => hodgesLehmannShift([], [1]), RangeError);
  });

  it('has the percentile bootstrap over both sides as its interval', () => {
    const [a, b] = [
      [3, 1, 4, 1],
      [5, 9, 2, 6, 5],
    ];
    const stream = random();
    const pick = (values: readonly number[]) => {
      const counts = values.map(() => 0);
      for (let i = 0; i < values.length; i++) counts[Math.floor(stream() * values.length)]!++;
      return values.flatMap((value, i) => Array<number>(counts[i]!).fill(value));
    };
    const estimates = Array.from({ length: BOOTSTRAP_RESAMPLES }, () => hodgesLehmannShift(pick(a), pick(b)));
    assert.deepEqual(shiftInterval(a, b, random()), [quantile(estimates, 0.025), quantile(estimates, 0.975)]);
    assert.equal(shiftInterval([1], [2, 3], random()), null);
    assert.equal(shiftInterval([1, 2], [3], random()), null);
  });

  it('has the ranks’ interval with very many runs, and it covers the truth as often as it says', () => {
    const stream = random();
    let covered = 0;
    for (let i = 0; i < 100; i++) {
      const draw = (shift: number) => Array.from({ length: 60 }, () => normal(stream) + shift);
      const [low, high] = shiftInterval(draw(0), draw(1), random())!;
      if (low <= 1 && 1 <= high) covered++;
    }
    assert.ok(covered >= 88 && covered <= 100, String(covered));
  });
});

describe('the least p', () => {
  it('is 2 of all choices', () => {
    close(smallestRankSumP(3, 3), 0.1);
    close(smallestRankSumP(4, 4), 2 / 70);
    close(smallestRankSumP(6, 6), 2 / 924);
    close(smallestRankSumP(2, 10), 2 / 66);
    assert.equal(smallestRankSumP(1, 1), 1);
    close(rankSumP([1, 2, 3, 4], [5, 6, 7, 8]), smallestRankSumP(4, 4));
  });

  it('says how many runs a claim takes', () => {
    assert.deepEqual([1, 2, 6, 7, 8].map(smallestRuns), [4, 5, 5, 6, 6]);
  });
});
