import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moderate, moderatedDetectable, moderatedInterval, moderatedP } from '../../src/analysis/moderated.js';
import { randomStream } from '../../src/domain/random.js';
import { normal } from '../support/runs.js';

const near = (found: number, right: number) =>
  assert.ok(Math.abs(found - right) <= 1e-6 * Math.abs(right), `${found}, and not ${right}`);

describe('the spread of a few differences', () => {
  it('is their own where there is no other variant', () => {
    const [found] = moderate([[1, 2, 3]]);
    assert.deepEqual(found, { n: 3, mean: 2, sd: 1, df: 2 });
    // t = 2·√3, 2 degrees of freedom: 1 − t/√(2 + t²).
    near(moderatedP(found!, 0), 1 - Math.sqrt(12 / 14));
    // 4.302653 = t of 5 % with 2 degrees of freedom.
    const [low, high] = moderatedInterval(found!, 0, 0.05);
    near(high - low, (2 * 4.30265273) / Math.sqrt(3));
  });

  it('is pooled with the median of the others, with half the weight', () => {
    const wide = [0, 10, 20];
    const [found] = moderate([[1, 2, 3], wide]);
    // Variances 1 and 100, the latter over what the median of a χ² of 2 degrees of freedom is of its mean, (1 − 1/9)³.
    near(found!.sd ** 2, (2 * 1 + 1 * (100 / (8 / 9) ** 3)) / 3);
    assert.equal(found!.df, 3);
    const [again] = moderate([[1, 2, 3], wide, [0, 1000, 5000], [5, 6, 7]]);
    near(again!.sd, found!.sd);
  });

  it('is never less than their own', () => {
    const [found] = moderate([
      [0, 10, 20],
      [1, 1, 1],
    ]);
    near(found!.sd, 10);
  });

  it('is not known of one difference, which is no other to the rest', () => {
    const [one, rest] = moderate([[5], [1, 2, 3]]);
    assert.equal(one, null);
    assert.deepEqual(rest, { n: 3, mean: 2, sd: 1, df: 2 });
  });

  it('is not believed below the least', () => {
    const [equal] = moderate([[5, 5, 5]]);
    assert.equal(moderatedP(equal!, 0), 0);
    near(moderatedP(equal!, 5), 1 - Math.sqrt(3 / 5));
    assert.equal(moderatedP(moderate([[0, 0]])[0]!, 0), 1);
  });
});

it('what is detectable is found about 8 times out of 10', () => {
  for (const [n, level] of [
    [4, 0.05],
    [6, 0.01],
    [9, 0.02],
  ] as const) {
    const random = randomStream(1, `detectable/${n}`);
    const effect = moderatedDetectable({ n, mean: 0, sd: 1, df: n - 1 }, 0, level);
    const experiments = 2000;
    let found = 0;
    for (let i = 0; i < experiments; i++) {
      const [summary] = moderate([Array.from({ length: n }, () => effect + normal(random))]);
      if (moderatedP(summary!, 0) <= level) found++;
    }
    assert.ok(Math.abs(found / experiments - 0.8) < 0.06, `${n} pairs: ${found} of ${experiments}`);
  }
});
