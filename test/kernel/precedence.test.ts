import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

const [OTHER, FIFO] = [0, 1];
const MODULE = new URL('../support/precedence.js', import.meta.url);

/** chrt(1) can give a policy here: who runs the tests may. */
function isAllowed(): boolean {
  return spawnSync('chrt', ['--fifo', '1', 'true']).status === 0;
}

test('precedence is of one thread, is given back, and where the system refuses it nothing happens', async () => {
  const [policies] = (await once(new Worker(MODULE), 'message')) as [readonly number[]];
  assert.deepEqual(policies, isAllowed() ? [OTHER, FIFO, FIFO, OTHER] : [OTHER, OTHER, OTHER, OTHER]);
});
