import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RoundSample } from '../../bench/results.js';
import { summarise, summariseSnapshots } from '../../bench/results.js';

const sample = (round: number, contender: RoundSample['contender'], seconds: number): RoundSample => ({
  round,
  contender,
  strategy: 'connect',
  ok: 1200,
  failed: 0,
  timed: 1000,
  seconds,
  cpuSeconds: seconds / 2,
});

describe('the summary of a bench', () => {
  it('compares contenders within a round, so that a slow round slows both', () => {
    // The machine is half as fast in each round as in the one before; bindstorm takes 1.25 times as long in all of them.
    const samples = [1, 2, 3].flatMap((round) => [
      sample(round, 'c', 2 ** round),
      sample(round, 'bindstorm', 1.25 * 2 ** round),
    ]);
    const [own, c, ...none] = summarise(samples);
    assert.deepEqual(none, []);
    assert.deepEqual(own?.rate, { median: 200, min: 100, max: 400 });
    assert.equal(own?.rateRatio, null);
    assert.deepEqual(c?.rateRatio, { median: 0.8, min: 0.8, max: 0.8 });
    assert.deepEqual(c?.cpuRatio, { median: 0.8, min: 0.8, max: 0.8 });
    assert.deepEqual(c?.cpu, { median: 2000, min: 1000, max: 4000 });
  });

  it('refuses a round in which bindstorm was not measured', () => {
    assert.throws(() => summarise([sample(1, 'c', 1)]), /round 1 has no sample of bindstorm/);
  });

  it('takes the cost of a socket over the cost of a snapshot that finds none', () => {
    const rows = summariseSnapshots([
      { sockets: 0, snapshots: [1, 1, 1], dumps: [1, 1, 1] },
      { sockets: 1000, snapshots: [2, 2, 9], dumps: [1.5, 1.5, 8.5] },
    ]);
    assert.deepEqual(
      rows.map(({ perSocket }) => perSocket),
      [null, { snapshot: 1, reading: 0.5 }],
    );
  });
});
