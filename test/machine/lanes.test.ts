import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLanes } from '../../src/machine/lanes.js';
import { deferred } from '../../src/machine/promises.js';

const never = new AbortController().signal;

test('so many at once, begun in order, each once', async () => {
  const begun: string[] = [];
  let [atOnce, most] = [0, 0];
  await inLanes(['a', 'b', 'c', 'd', 'e'], 2, never, async (piece, i) => {
    begun.push(`${piece}${i}`);
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce--;
  });
  assert.deepEqual(begun, ['a0', 'b1', 'c2', 'd3', 'e4']);
  assert.equal(most, 2);
});

test('after a failure nothing is begun, what is under way is told to end and waited for, and the first failure is the outcome', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const outcome = inLanes([0, 1, 2, 3], 2, never, async (piece, _, ending) => {
    begun.push(piece);
    if (piece === 1) throw new Error('first');
    await new Promise((resolve) => ending.addEventListener('abort', resolve));
    ended.push(piece);
    throw new Error('second');
  });
  await assert.rejects(outcome, /^Error: first$/);
  assert.deepEqual([begun, ended], [[0, 1], [0]]);
});

test('an order to end begins no other piece', async () => {
  const stop = new AbortController();
  const begun: number[] = [];
  const { promise, resolve } = deferred();
  const all = inLanes([0, 1, 2], 1, stop.signal, async (piece) => {
    begun.push(piece);
    await promise;
  });
  stop.abort();
  resolve();
  await all;
  assert.deepEqual(begun, [0]);
});
