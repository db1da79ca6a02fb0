import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorsOf } from '../../src/load/engine.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arrival } from '../../src/plan/plan.js';

const LIMIT = 1 << 20;
const fill = (attempts: number | null): Arrival => ({
  shape: 'fill',
  attempts,
  failures: null,
  inFlight: 1,
  waves: 1,
  pauseMs: 0,
});
const place = { descriptorLimit: LIMIT, ownDescriptors: true, addresses: ['10.0.0.1'] };
const planOf = (arrival: Arrival, maxInFlight: number | null = null) => ({ ...LOAD, arrival, maxInFlight });

test('tables by descriptor are as long as a load can need, and not as the limit', () => {
  const few = descriptorsOf({ ...place, plan: planOf(fill(100)) });
  assert.ok(few > 100 && few < 1000, `${few}`);
  const bounded = descriptorsOf({ ...place, plan: planOf(fill(100_000), 50) });
  assert.ok(bounded > 50 && bounded < 1000, `${bounded}`);
});

test('the limit bounds them, and is what they are where nobody knows how many there will be', () => {
  assert.equal(descriptorsOf({ ...place, plan: planOf(fill(LIMIT)) }), LIMIT);
  assert.equal(descriptorsOf({ ...place, plan: planOf(fill(null)) }), LIMIT);
  assert.equal(descriptorsOf({ ...place, ownDescriptors: false, plan: planOf(fill(100)) }), LIMIT);
});
