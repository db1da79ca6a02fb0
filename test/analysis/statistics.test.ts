import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { minimalDetectableEffect } from '../../src/analysis/detectable.js';
import {
  BOOTSTRAP_RESAMPLES,
  hodgesLehmann,
  hodgesLehmannInterval,
  holm,
  median,
  quantile,
  signFlipP,
  smallestP,
  smallestPairs,
  standardDeviation,
} from '../../src/analysis/statistics.js';
import { type Random, randomStream } from '../../src/domain/random.js';
import { normal } from '../support/runs.js';

const random = () => randomStream(1, 'test');
const noise = (stream: Random, length: number) => Array.from({ length }, () => normal(stream));

describe('median and quantile', () => {
  it('interpolate between order statistics', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(quantile([4, 1, 3, 2], 0.25), 1.75);
    assert.equal(quantile([7], 0.99), 7);
    assert.equal(quantile([1, 2], 1), 2);
  });

  it('sort by number, not by text', () => assert.equal(median([100, 9, 20]), 20));

  it('of an empty list are none', () => assert.equal(median([]), null));
});

it('the standard deviation divides by n − 1', () => {
  assert.equal(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  assert.throws(() => standardDeviation([1]), RangeError);
});

describe('Hodges-Lehmann', () => {
  it('is the median of the Walsh averages', () => {
    // 1, 1.5, 2, 2.5, 3, 4
    assert.equal(hodgesLehmann([1, 2, 4]), 2.25);
    assert.equal(hodgesLehmann([-5]), -5);
  });

  it('is not moved far by one wild pair', () => assert.equal(hodgesLehmann([1, 2, 3, 1000]), 2.75));
});

describe('the interval', () => {
  it('is the percentile bootstrap of the Hodges-Lehmann estimate over pairs', () => {
    const differences = [3, -1, 4, 1, -5, 9, 2];
    const stream = random();
    const estimates = Array.from({ length: BOOTSTRAP_RESAMPLES }, () =>
      hodgesLehmann(differences.map(() => differences[Math.floor(stream() * differences.length)]!)),
    );
    assert.deepEqual(hodgesLehmannInterval(differences, random()), [
      quantile(estimates, 0.025),
      quantile(estimates, 0.975),
    ]);
  });

  it('needs two pairs', () => {
    assert.equal(hodgesLehmannInterval([1], random()), null);
    assert.deepEqual(hodgesLehmannInterval([1, 1], random()), [1, 1]);
  });

  it('repeats for the same seed', () => {
    const differences = noise(randomStream(3, 'differences'), 10);
    assert.deepEqual(hodgesLehmannInterval(differences, random()), hodgesLehmannInterval(differences, random()));
  });

  for (const pairs of [10, 60]) {
    it(`covers the truth about 95 times out of 100, for ${pairs} pairs`, () => {
      const stream = randomStream(5, `coverage/${pairs}`);
      const samples = 300;
      let covered = 0;
      for (let i = 0; i < samples; i++) {
        const [low, high] = hodgesLehmannInterval(noise(stream, pairs), stream)!;
        if (low <= 0 && high >= 0) covered++;
      }
      // The percentile bootstrap is a few points narrow for ten pairs. Four standard errors are 5 points.
      assert.ok(covered >= 0.86 * samples && covered < samples, `covered ${covered} of ${samples}`);
    });
  }
});

describe('the sign-flip p', () => {
  it('counts the flips whose mean is at least as far from 0', () => {
    assert.equal(signFlipP([1, 2, 3], random()), 2 / 8);
    // |5 ± 1 ± 1| is 7, 5, 5, 3, and 5 was seen.
    assert.equal(signFlipP([5, 1, -1], random()), 6 / 8);
    assert.equal(signFlipP([1, 1, -1], random()), 1);
  });

  it('is 2/2^n when all pairs moved the same way', () => {
    assert.equal(signFlipP([5, 4, 3, 2, 1, 6], random()), 2 / 64);
    assert.equal(smallestP(6), 2 / 64);
    assert.equal(signFlipP(Array(16).fill(0.1), random()), 2 / 65_536);
  });

  it('is 1 where there is nothing to see', () => {
    assert.equal(signFlipP([], random()), 1);
    assert.equal(signFlipP([0, 0, 0, 0, 0, 0], random()), 1);
    assert.equal(signFlipP([3], random()), 1);
  });

  it('is the same for the mirrored, the reordered and the scaled differences', () => {
    const stream = randomStream(2, 'symmetry');
    for (let i = 0; i < 50; i++) {
      const differences = noise(stream, 8);
      const p = signFlipP(differences, random());
      assert.equal(
        signFlipP(
          differences.map((d) => -d),
          random(),
        ),
        p,
      );
      assert.equal(signFlipP(differences.toReversed(), random()), p);
      assert.equal(
        signFlipP(
          differences.map((d) => d * 1e6),
          random(),
        ),
        p,
      );
    }
  });

  it('counts ties in spite of rounding', () => assert.equal(signFlipP([0.1, 0.2, -0.3, 0.1, 0.2, -0.3], random()), 1));

  it('sampled for many pairs, agrees with the enumeration', () => {
    const differences = noise(randomStream(8, 'many'), 17).map((value) => value + 0.4);
    const sum = differences.reduce((a, b) => a + b, 0);
    let extreme = 0;
    for (let flips = 0; flips < 2 ** 17; flips++) {
      const flipped = differences.reduce((total, d, i) => total + ((flips >> i) & 1 ? -d : d), 0);
      if (Math.abs(flipped) >= Math.abs(sum) - 1e-9) extreme++;
    }
    const exact = extreme / 2 ** 17;
    const fourErrors = 4 * Math.sqrt((exact * (1 - exact)) / 100_000);
    const sampled = signFlipP(differences, random());
    assert.ok(Math.abs(sampled - exact) < fourErrors, `${sampled} against ${exact}`);
    assert.notEqual(sampled, exact);
  });

  it('sampled, is never 0', () => assert.equal(signFlipP(Array(40).fill(1), random()), 1 / 100_001));
});

describe('Holm', () => {
  it('multiplies the smallest by m, the next by m − 1, and never goes down', () =>
    assert.deepEqual(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]));

  it('stops at 1', () => assert.deepEqual(holm([0.9, 0.6]), [1, 1]));

  it('leaves a single p and an empty family alone', () => {
    assert.deepEqual(holm([0.04]), [0.04]);
    assert.deepEqual(holm([]), []);
  });

  it('keeps the order of the p and never lowers one', () => {
    const stream = randomStream(4, 'holm');
    for (let i = 0; i < 100; i++) {
      const ps = Array.from({ length: 6 }, () => stream() ** 3);
      const adjusted = holm(ps);
      for (let a = 0; a < 6; a++) {
        assert.ok(adjusted[a]! >= ps[a]! && adjusted[a]! <= Math.min(1, ps[a]! * 6));
        for (let b = 0; b < 6; b++) assert.ok(ps[a]! > ps[b]! || adjusted[a]! <= adjusted[b]!);
      }
    }
  });
});

describe('what an experiment can find', () => {
  it('needs 2/2^n · m ≤ 5 %', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 6, 7, 64].map((variants) => smallestPairs(variants)),
      [6, 7, 7, 8, 8, 9, 12],
    );
    assert.equal(smallestPairs(1, 0.01), 8);
  });

  it('is nothing with fewer pairs than that', () => {
    assert.equal(minimalDetectableEffect(1, 5), null);
    assert.equal(minimalDetectableEffect(1, 6, 2), null);
  });

  it('comes to 2.8·sd/√n for many pairs', () => {
    for (const pairs of [50, 100, 400]) {
      const textbook = (2.8 * 7) / Math.sqrt(pairs);
      const effect = minimalDetectableEffect(7, pairs)!;
      assert.ok(effect >= textbook && effect < 1.03 * textbook, `${effect} against ${textbook}`);
    }
  });

  it('is, for six pairs, the shift that moves all six the same way 8 times out of 10', () => {
    // Φ(1.79)^6 = 0.8; the textbook's 1.14 would be found 4 times out of 10.
    const effect = minimalDetectableEffect(1, 6)!;
    assert.ok(Math.abs(effect - 1.79) < 0.12, String(effect));
  });

  it('is found 8 times out of 10 by the test itself, by simulation and by formula', () => {
    for (const pairs of [9, 14]) {
      const effect = minimalDetectableEffect(1, pairs, 2)!;
      const stream = randomStream(6, `power/${pairs}`);
      let found = 0;
      for (let i = 0; i < 500; i++) {
        const differences = noise(stream, pairs).map((value) => value + effect);
        if (signFlipP(differences, stream) * 2 <= 0.05) found++;
      }
      assert.ok(found > 360 && found < 440, `${pairs} pairs: ${found} of 500`);
    }
  });

  it('grows with more variants and shrinks with more pairs', () => {
    assert.ok(minimalDetectableEffect(1, 10, 5)! > minimalDetectableEffect(1, 10, 1)!);
    assert.ok(minimalDetectableEffect(1, 8, 3)! > minimalDetectableEffect(1, 12, 3)!);
    assert.ok(minimalDetectableEffect(1, 12, 3)! > minimalDetectableEffect(1, 16, 3)!);
  });
});
