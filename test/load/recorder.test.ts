import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomesOf, SLOT_TIMEOUT } from '../../src/load/outcome.js';
import { createRecorder } from '../../src/load/recorder.js';
import { createSharedLoad } from '../../src/load/shared.js';

function twoWorkers() {
  const shared = createSharedLoad(2);
  const recorders = [createRecorder(shared, 0), createRecorder(shared, 1)] as const;
  for (const recorder of recorders) recorder.beginWave();
  return { shared, recorders };
}

test('each worker counts its own outcomes, and failures are counted for all', () => {
  const { shared, recorders } = twoWorkers();
  const [one, two] = recorders;
  one.ok(100, 100);
  one.ok(300, 300);
  two.ok(50, 50);
  two.shed();
  two.failed(SLOT_TIMEOUT, 5000);
  assert.deepEqual(outcomesOf([shared.counters[0]!]), { ok: 2 });
  assert.deepEqual(outcomesOf([shared.counters[1]!]), { ok: 1, shed: 1, 'timeout:ETIMEDOUT': 1 });
  assert.equal(shared.failures[0], 1, 'what was shed is no failure');
  assert.equal(one.histograms.total.totalCount, 2);
  assert.equal(one.histograms.total.maxValue, 300);
  assert.equal(two.histograms.failed.maxValue, 5000);
  assert.equal(two.histograms.total.totalCount, 1, 'a failure is no part of the latency of ok attempts');
});

test('open sockets go up and down, and the peak of those that were established stays', () => {
  const { shared, recorders } = twoWorkers();
  const [one, two] = recorders;
  for (let i = 0; i < 4; i++) one.opened();
  one.ok(1, 1);
  one.ok(1, 1);
  one.ok(1, 1);
  one.closed(true);
  one.closed(true);
  one.closed(false);
  one.opened();
  one.ok(1, 1);
  two.opened();
  assert.deepEqual([one.open(), one.peakOpen], [2, 3]);
  assert.deepEqual([two.open(), two.peakOpen], [1, 0], 'a socket that is still connecting is not a connection');
  assert.deepEqual([...shared.open], [2, 1]);
});

test('the first failure of a wave is that of whichever worker comes first, with what all had open and ok', () => {
  const { recorders } = twoWorkers();
  const [one, two] = recorders;
  one.opened();
  one.opened();
  two.opened();
  one.ok(1, 1);
  two.ok(1, 1);
  two.ok(1, 1);
  two.failed(SLOT_TIMEOUT, 1);
  one.opened();
  one.failed(SLOT_TIMEOUT, 1);
  two.failed(SLOT_TIMEOUT, 1);
  assert.deepEqual(two.firstFailures, [{ open: 3, ok: 3 }]);
  assert.deepEqual(one.firstFailures, [null]);
});

test('each wave has a first failure of its own, or none', () => {
  const { recorders } = twoWorkers();
  const [one, two] = recorders;
  one.failed(SLOT_TIMEOUT, 1);
  for (const recorder of recorders) recorder.beginWave();
  for (const recorder of recorders) recorder.beginWave();
  two.opened();
  two.failed(SLOT_TIMEOUT, 1);
  assert.deepEqual(one.firstFailures, [{ open: 0, ok: 0 }, null, null]);
  assert.deepEqual(two.firstFailures, [null, null, { open: 1, ok: 0 }]);
});
