/** A share of the kills that `npm run fuzz -- --kills` makes in all labs, with all subjects and commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzKills } from '../support/fuzz/kills.js';

test('killed at a random instant, a command leaves nothing, and what it was at is completed as if nothing had been', async () => {
  const { tried, failures, detail } = await fuzzKills(4, 1, () => {}, ['netns', 'host']);
  assert.deepEqual(failures, []);
  assert.ok(tried >= 4, detail);
});
