import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILDS, WATCHERS, type WatchSample } from '../../bench/watch-lab.js';
import { summariseWatch } from '../../bench/watch-table.js';

test('contenders are compared with `watch --once` of the same round, so that a slow round slows both', () => {
  const samples = [1, 2, 4].flatMap((slow) =>
    // As a round has them: in any order.
    [...WATCHERS]
      .reverse()
      .map((contender, i): WatchSample => ({ contender, seconds: slow * (i + 1), cpuSeconds: slow })),
  );
  const rows = summariseWatch({ sockets: 16, samples });
  assert.deepEqual(
    rows.map(({ contender }) => contender),
    [...WATCHERS],
  );
  const [watch, look] = rows;
  assert.deepEqual([watch!.timeRatio, watch!.cpuRatio], [null, null]);
  assert.deepEqual(watch!.seconds, { median: 12, min: 6, max: 24 });
  assert.deepEqual(look!.timeRatio, { median: 5 / 6, min: 5 / 6, max: 5 / 6 });
  assert.deepEqual(look!.cpuRatio, { median: 1, min: 1, max: 1 });
});

test('two builds are compared with one another alone', () => {
  const samples = [3, 2].flatMap((slow) =>
    BUILDS.map(
      (contender): WatchSample => ({ contender, seconds: contender === 'watch' ? slow : 2 * slow, cpuSeconds: 1 }),
    ),
  );
  const rows = summariseWatch({ sockets: 16, samples });
  assert.deepEqual(
    rows.map(({ contender, timeRatio }) => [contender, timeRatio?.median ?? null]),
    [
      ['watch', null],
      ['other', 2],
    ],
  );
});
