/** The search for the highest rate, against systems that are simulated: with a fixed limit, with a random one, and broken ones. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextStep, type RateInterval, type SearchRules, type Tried } from '../../src/analysis/rate-search.js';
import { randomStream } from '../../src/domain/random.js';

const RULES: SearchRules = {
  from: 100,
  to: 20_000,
  tolerance: 0.02,
  confirm: 3,
  attemptsAt: (rate) => Math.ceil(rate * 60),
};

interface Found {
  readonly interval: RateInterval;
  readonly tried: readonly Tried[];
}

function search(system: (rate: number) => Omit<Tried, 'rate'>, rules: SearchRules = RULES): Found {
  const tried: Tried[] = [];
  for (;;) {
    const next = nextStep(rules, tried);
    if (next.type === 'answer') return { interval: next.interval, tried };
    assert.ok(tried.length < 60, 'it does not end');
    tried.push({ rate: next.rate, ...system(next.rate) });
  }
}

/** So many tuples for a minute each: more attempts than that in a minute are refused. */
const tuples = (limit: number) => (rate: number) => {
  const attempts = Math.ceil(rate * 60);
  const failures = Math.max(0, attempts - limit) / attempts;
  return { notHeld: failures > 0 ? ('refused' as const) : null, failures };
};

describe('a fixed number of tuples', () => {
  for (const limit of [12, 100, 777, 6_000, 28_232, 141_160, 999_983]) {
    it(`finds ${limit} / 60 s, in few steps`, () => {
      const { interval, tried } = search(tuples(limit));
      const { low, high, held } = interval;
      assert.ok(low * 60 <= limit + 1e-9 && high! * 60 > limit, `${low} to ${high}`);
      assert.ok(high! / low <= 1.02 || Math.ceil(high! * 60) - Math.ceil(low * 60) <= 1);
      assert.equal(held, 3);
      assert.equal(interval.limit, 'refused');
      assert.ok(tried.length <= 20, `${tried.length} steps`);
    });
  }

  it('confirms what it answers by steps of their own', () => {
    const { interval, tried } = search(tuples(1000), { ...RULES, confirm: 5 });
    assert.equal(tried.filter(({ rate, notHeld }) => rate === interval.low && notHeld === null).length, 5);
  });
});

describe('a limit that differs from step to step', () => {
  it('answers an interval in which it lies: below no step failed, at its end one did', () => {
    let covered = 0;
    const seeds = 300;
    for (let seed = 0; seed < seeds; seed++) {
      const random = randomStream(seed, 'limit');
      const { interval, tried } = search((rate) => tuples(Math.round(10_000 * (1 + 0.01 * (2 * random() - 1))))(rate));
      assert.equal(interval.high, Math.min(...tried.filter(({ notHeld }) => notHeld).map(({ rate }) => rate)));
      assert.ok(tried.every(({ rate, notHeld }) => rate > interval.low || notHeld === null));
      // Attempts per minute that always hold: 9,900; that never do: 10,100.
      if (interval.low * 60 <= 10_100 && interval.high! * 60 >= 9_900) covered++;
    }
    assert.equal(covered, seeds);
  });

  it('goes down when the rate that was to be confirmed fails', () => {
    let steps = 0;
    // The fourth step at or above 100/s fails though the limit is 120/s.
    const { interval } = search((rate) =>
      rate >= 100 && ++steps === 4 ? { notHeld: 'refused', failures: 0.001 } : tuples(7200)(rate),
    );
    assert.ok(interval.high! <= 120.5);
    assert.ok(interval.low < interval.high!);
  });
});

describe('systems that have no such rate', () => {
  it('answers that every rate holds up to where the search ends', () => {
    const { interval } = search(() => ({ notHeld: null, failures: 0 }));
    assert.deepEqual(interval, { low: 20_000, high: null, held: 3, limit: null });
  });

  it('gives up where every rate fails', () => {
    const { interval, tried } = search(() => ({ notHeld: 'refused', failures: 1 }));
    assert.equal(interval.low, 0);
    assert.equal(interval.held, 0);
    assert.ok(tried.length < 20);
  });

  it('finds a limit of the latency by bisection, and says which limit it was', () => {
    const { interval } = search((rate) => ({ notHeld: rate > 345 ? 'slow' : null, failures: 0 }));
    assert.ok(interval.low <= 345 && interval.high! > 345 && interval.high! / interval.low <= 1.02);
    assert.equal(interval.limit, 'slow');
  });

  it('finds a limit far below where it begins', () => {
    const { interval } = search(tuples(30));
    assert.ok(interval.low * 60 <= 30 && Math.ceil(interval.high! * 60) === 31);
  });

  it('ends when the failures mislead', () => {
    // A thousandth fails, however far above the limit.
    const { interval } = search((rate) => ({
      notHeld: rate > 1234 ? 'refused' : null,
      failures: rate > 1234 ? 0.001 : 0,
    }));
    assert.ok(interval.low <= 1234 && interval.high! > 1234 && interval.high! / interval.low <= 1.02);
  });
});
