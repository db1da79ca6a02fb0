// needs: nats-server, iproute2
/** A hundred simulated agents on one server, by the code of real ones: all sign in, and each block is in the folder once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMany } from '../../../bench/fleet-thousand.js';

test('a hundred agents sign in and make a block each, and no run is lost or there twice', async (t) => {
  const found = await runMany(t, { agents: 100, blocks: 100, unitMs: 500, beat: '1s' });
  assert.equal(found.seen, 100);
  assert.equal(found.ids.length, 300);
  assert.equal(new Set(found.ids).size, 300);
  // A machine that is late for want of a CPU is taken for gone, and another makes its block too.
  const complaints = found.said.filter((text) => !text.endsWith(': made, but another agent was faster'));
  assert.deepEqual(complaints, []);
  t.diagnostic(`in the fleet after ${found.joined.toFixed(1)} s, made after ${found.ran.toFixed(1)} s`);
});
