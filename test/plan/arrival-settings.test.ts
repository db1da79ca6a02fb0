import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, formatRate } from '../../src/domain/format.js';
import { parseDuration, parseRate } from '../../src/domain/units.js';
import { formatArrival } from '../../src/plan/arrival-settings.js';

test('durations and rates read back as they were written', () => {
  for (const text of ['0s', '500us', '1500us', '250ms', '10s', '90s', '2m', '1h', '90m']) {
    assert.equal(formatDuration(parseDuration(text)), text);
  }
  for (const text of ['2000/s', '0.5/s', '1000000/s']) assert.equal(formatRate(parseRate(text)), text);
});

test('arrivals in words', () => {
  assert.equal(formatArrival({ shape: 'ramp', from: 10, to: 200, durationMs: 60_000 }), 'ramp 10/s to 200/s over 1m');
  assert.equal(formatArrival({ shape: 'steps', rates: [10, 20], eachMs: 5000 }), 'steps 10/s, 20/s, 5s each');
  assert.equal(
    formatArrival({ shape: 'fill', attempts: 5, failures: 2, withinMs: 3000, inFlight: 1, waves: 1, pauseMs: 0 }),
    'fill to 5 attempts or 2 failures or 3s, 1 in flight',
  );
  const fill = { shape: 'fill', failures: null, attempts: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;
  assert.equal(formatArrival({ ...fill, failures: 2 }), 'fill to 2 failures or 10m, 1 in flight');
  assert.equal(formatArrival({ ...fill, failures: 1 }), 'fill to 1 failure or 10m, 1 in flight');
  assert.equal(formatArrival({ ...fill, attempts: 9 }), 'fill to 9 attempts, 1 in flight');
  assert.equal(formatArrival({ shape: 'hold', connections: 5, durationMs: 1000 }), 'hold 5 connections for 1s');
});
