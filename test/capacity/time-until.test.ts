import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsUntil } from '../../src/capacity/time-until.js';
import type { Arrival } from '../../src/plan/plan.js';

const near = (actual: number | null, expected: number) =>
  assert.ok(actual !== null && Math.abs(actual - expected) < 1e-3, `${actual} is not ${expected}`);

test('a constant rate: so many tuples after so many seconds, unless they come free before', () => {
  const arrival = { shape: 'constant', rate: 500, durationMs: 1000 } as const;
  assert.equal(secondsUntil(arrival, 1000, 60), 2);
  assert.equal(secondsUntil(arrival, 30_000, 60), 60);
  assert.equal(secondsUntil(arrival, 30_001, 60), null);
  assert.equal(secondsUntil(arrival, 1_000_000, Number.POSITIVE_INFINITY), 2000);
});

test('a ramp and steps, with what has come free taken off', () => {
  const ramp = { shape: 'ramp', from: 0, to: 100, durationMs: 10_000 } as const;
  near(secondsUntil(ramp, 125, 60), 5);
  assert.equal(secondsUntil(ramp, 501, 60), null, 'the ramp brings 500 in all');
  // In use with 1 s each: 10 t - 5 from the second second on.
  near(secondsUntil(ramp, 45, 1), 5);
  const steps: Arrival = { shape: 'steps', rates: [10, 100], eachMs: 10_000 };
  near(secondsUntil(steps, 50, 60), 5);
  near(secondsUntil(steps, 200, 60), 11);
  near(secondsUntil(steps, 90, 1), 10 + 8 / 9);
  assert.equal(secondsUntil(steps, 101, 1), null);
});

test('hold is there at once or never, and fill follows no clock', () => {
  assert.equal(secondsUntil({ shape: 'hold', connections: 100, durationMs: 1 }, 100, 60), 0);
  assert.equal(secondsUntil({ shape: 'hold', connections: 99, durationMs: 1 }, 100, 60), null);
  const fill = { shape: 'fill', attempts: 10, failures: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;
  assert.equal(secondsUntil(fill, 1, 60), null);
});
