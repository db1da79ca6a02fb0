import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPacer, isPaced, type PacedArrival } from '../../src/load/pacer.js';
import { scheduledAttempts } from '../../src/plan/arrival.js';

/** All instants of one worker, µs. */
function instants(arrival: PacedArrival, worker = 0, workers = 1, seed = 1): number[] {
  const pacer = createPacer(arrival, worker, workers, seed);
  const found: number[] = [];
  for (let at = pacer(); at !== Number.POSITIVE_INFINITY; at = pacer()) found.push(at);
  return found;
}

/** The instants of all workers, in order. */
function union(arrival: PacedArrival, workers: number, seed = 1): number[] {
  return Array.from({ length: workers }, (_, worker) => instants(arrival, worker, workers, seed))
    .flat()
    .sort((a, b) => a - b);
}

function assertClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) <= tolerance, `attempt ${i}: ${value}, not ${expected[i]}`);
  });
}

const DETERMINISTIC: Record<string, PacedArrival> = {
  constant: { shape: 'constant', rate: 700, durationMs: 1500 },
  'a constant rate that is no whole number': { shape: 'constant', rate: 33.3, durationMs: 2000 },
  'ramp up': { shape: 'ramp', from: 10, to: 900, durationMs: 2000 },
  'ramp down': { shape: 'ramp', from: 900, to: 10, durationMs: 2000 },
  steps: { shape: 'steps', rates: [100, 400, 50], eachMs: 500 },
  'steps that hold no whole number of attempts': { shape: 'steps', rates: [3, 7, 1.5], eachMs: 500 },
};

describe('the instants of a schedule', () => {
  it('constant: one every 1/rate from the start, none at the end', () => {
    assert.deepEqual(
      instants({ shape: 'constant', rate: 8, durationMs: 1000 }),
      [0, 125_000, 250_000, 375_000, 500_000, 625_000, 750_000, 875_000],
    );
    // 1.15/s for 100 s is 115 attempts, although 1.15 · 100,000 / 1000 is below 115 in floating point.
    assert.equal(instants({ shape: 'constant', rate: 1.15, durationMs: 100_000 }).length, 115);
    assert.equal(instants({ shape: 'constant', rate: 1 / 60, durationMs: 59_999 }).length, 0);
    assert.deepEqual(instants({ shape: 'constant', rate: 1 / 60, durationMs: 60_000 }), [0]);
  });

  it('ramp: where the integral of the rate reaches i', () => {
    // From 0.5/s to 3.5/s in 4 s: N(t) = t/2 + 3t²/8, so N(2) = 2.5 and N(4) = 8 attempts.
    const arrival: PacedArrival = { shape: 'ramp', from: 0.5, to: 3.5, durationMs: 4000 };
    const expected = Array.from({ length: 8 }, (_, i) => ((-0.5 + Math.sqrt(0.25 + 1.5 * i)) / 0.75) * 1e6);
    assertClose(instants(arrival), expected, 1e-3);
  });

  it('a ramp down is the ramp up seen from its end', () => {
    const up = instants({ shape: 'ramp', from: 50, to: 150, durationMs: 2000 });
    const down = instants({ shape: 'ramp', from: 150, to: 50, durationMs: 2000 });
    assert.equal(up.length, 200);
    // Attempt 0 of one is the end of the other, which is not an attempt itself.
    assertClose(
      down.slice(1),
      up
        .slice(1)
        .reverse()
        .map((at) => 2e6 - at),
      1e-3,
    );
  });

  it('a ramp that does not rise is constant', () => {
    assertClose(
      instants({ shape: 'ramp', from: 40, to: 40, durationMs: 1000 }),
      instants({ shape: 'constant', rate: 40, durationMs: 1000 }),
      1e-6,
    );
  });

  it('steps: each at its own rate, with what a step leaves over carried into the next', () => {
    assert.deepEqual(
      instants({ shape: 'steps', rates: [2, 4], eachMs: 1000 }),
      [0, 500_000, 1_000_000, 1_250_000, 1_500_000, 1_750_000],
    );
    // 1.5 attempts in the first second: attempt 2 is half an attempt into the second step, 0.5/2 s.
    assert.deepEqual(instants({ shape: 'steps', rates: [1.5, 2], eachMs: 1000 }), [0, 1e6 / 1.5, 1_250_000]);
  });

  for (const [name, arrival] of Object.entries(DETERMINISTIC)) {
    it(`${name}: in order, within its duration, and as many as announced`, () => {
      const found = instants(arrival);
      const end = arrival.shape === 'steps' ? arrival.rates.length * arrival.eachMs : arrival.durationMs;
      assert.equal(found.length, scheduledAttempts(arrival));
      assert.equal(found[0], 0);
      found.forEach((at, i) => {
        assert.ok(i === 0 || at > found[i - 1]!, `attempt ${i} is at ${at}, after one at ${found[i - 1]}`);
        assert.ok(at <= end * 1000);
      });
    });

    for (const workers of [2, 3, 7, 64]) {
      it(`${name}: ${workers} workers together keep the schedule of one`, () => {
        assert.deepEqual(union(arrival, workers), instants(arrival));
      });
    }
  }

  it('worker w of W has the attempts w, w + W, …', () => {
    const arrival: PacedArrival = { shape: 'constant', rate: 10, durationMs: 1000 };
    assert.deepEqual(instants(arrival, 1, 4), [100_000, 500_000, 900_000]);
    assert.deepEqual(instants(arrival, 11, 12), []);
  });

  it('stays at its end', () => {
    for (const arrival of [...Object.values(DETERMINISTIC), POISSON]) {
      const pacer = createPacer(arrival, 0, 1, 1);
      while (pacer() !== Number.POSITIVE_INFINITY);
      for (let i = 0; i < 3; i++) assert.equal(pacer(), Number.POSITIVE_INFINITY);
    }
  });
});

const POISSON: PacedArrival = { shape: 'poisson', rate: 2000, durationMs: 10_000 };

/**
 * The largest distance between the sample's distribution of gaps and the exponential one of `mean`, times √n (the
 * Kolmogorov-Smirnov statistic). Above 1.95 in one of a thousand samples of a true Poisson process.
 */
function kolmogorovSmirnov(gaps: readonly number[], mean: number): number {
  const sorted = [...gaps].sort((a, b) => a - b);
  const n = sorted.length;
  const distance = sorted.reduce((worst, gap, i) => {
    const expected = 1 - Math.exp(-gap / mean);
    return Math.max(worst, Math.abs((i + 1) / n - expected), Math.abs(expected - i / n));
  }, 0);
  return distance * Math.sqrt(n);
}

const gapsOf = (times: readonly number[]) => times.map((at, i) => at - (times[i - 1] ?? 0));

describe('Poisson arrivals', () => {
  it('the same seed gives the same schedule, another seed and another worker another', () => {
    assert.deepEqual(instants(POISSON, 1, 3, 7), instants(POISSON, 1, 3, 7));
    assert.notDeepEqual(instants(POISSON, 1, 3, 7), instants(POISSON, 1, 3, 8));
    assert.notDeepEqual(instants(POISSON, 1, 3, 7), instants(POISSON, 2, 3, 7));
  });

  // The seeds are fixed, so the tests give the same answer each time: none of them is a draw of luck.
  for (const seed of [1, 2, 3]) {
    for (const workers of [1, 2, 8]) {
      it(`the gaps over ${workers} worker(s) are exponential at the whole rate (seed ${seed})`, () => {
        const found = union(POISSON, workers, seed);
        // 20,000 expected, with a standard deviation of √20,000 ≈ 141.
        assert.ok(Math.abs(found.length - 20_000) < 3 * 141, `${found.length} arrivals`);
        assert.ok(kolmogorovSmirnov(gapsOf(found), 500) < 1.95, `KS ${kolmogorovSmirnov(gapsOf(found), 500)}`);
      });
    }
  }

  it('the test of the gaps tells a rate that is 5 % off, and arrivals that are too even', () => {
    const found = union(POISSON, 2, 1);
    assert.ok(kolmogorovSmirnov(gapsOf(found), 525) > 1.95);
    const even = instants({ shape: 'constant', rate: 2000, durationMs: 10_000 });
    assert.ok(kolmogorovSmirnov(gapsOf(even), 500) > 1.95);
  });

  it('numbers of arrivals in disjoint intervals vary as their mean', () => {
    const counts = new Array<number>(1000).fill(0);
    for (const at of union(POISSON, 4, 5)) counts[Math.floor(at / 10_000)]!++;
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (counts.length - 1);
    // The index of dispersion is 1 ± √(2/n) = ± 0.045 for a Poisson process.
    assert.ok(Math.abs(variance / mean - 1) < 3 * 0.045, `variance ${variance}, mean ${mean}`);
  });

  it('ends with the duration', () => {
    assert.ok(instants(POISSON).at(-1)! <= 10e6);
    assert.ok(instants(POISSON).at(-1)! > 9.9e6);
  });
});

it('fill and hold have no schedule', () => {
  assert.equal(isPaced({ shape: 'hold', connections: 1, durationMs: 1 }), false);
  assert.equal(isPaced({ shape: 'fill', attempts: 1, failures: null, inFlight: 1, waves: 1, pauseMs: 0 }), false);
  for (const arrival of [...Object.values(DETERMINISTIC), POISSON]) assert.equal(isPaced(arrival), true);
});
