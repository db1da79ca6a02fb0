/** The arms of the profile time-wait-collisions, once each, against the kernel that runs here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadProfile } from '../../src/profile/load.js';
import type { Outcomes } from '../../src/results/schema.js';
import { measure } from '../support/lab.js';

const file = new URL('../../../profiles/time-wait-collisions.yaml', import.meta.url);
const { arms } = loadProfile(readFileSync(file, 'utf8'), 'time-wait-collisions.yaml').experiment;

/** Of 19 ports that are used again by the other client, 10 are by the one whose clock is behind. */
const EXPECTED: Readonly<Record<string, Outcomes>> = {
  baseline: { ok: 40 },
  rfc1337: { ok: 30, 'timeout:ETIMEDOUT': 10 },
  'few-buckets': { ok: 40 },
  'one-client': { ok: 40 },
};

test('the server refuses what looks like an old duplicate only as long as its TIME_WAIT cannot be ended by a RST', async (t) => {
  assert.deepEqual(
    arms.map(({ name }) => name),
    Object.keys(EXPECTED),
  );
  const results = await Promise.all(arms.map((arm) => measure(arm)));
  for (const [i, { name }] of arms.entries()) {
    await t.test(name, () => {
      const { outcomes, counters } = results[i]!;
      assert.deepEqual(outcomes, EXPECTED[name]);
      const resets = counters['Tcp.OutRsts'] ?? 0;
      // The client answers the ACK of a connection that it does not know.
      assert.equal(resets >= 10, name === 'baseline' || name === 'rfc1337', `${resets} RSTs`);
    });
  }
});
