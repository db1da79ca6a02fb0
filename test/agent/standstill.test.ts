import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBeat } from '../../src/agent/standstill.js';

/** A thread whose clocks a test moves. */
function thread() {
  let [at, worked] = [1e9, 5];
  const beat = startBeat({ now: () => at, cpu: () => ({ user: worked, system: 0 }) });
  return {
    end: beat.end,
    /** So many milliseconds pass, of which the thread works some; then it beats. */
    pass(ms: number, work = 0) {
      at += ms * 1000;
      worked += work / 1000;
      beat.beat();
    },
  };
}

test('beats that are a little late are no standstill, nor those that the thread itself delayed', () => {
  const { pass, end } = thread();
  for (const [ms, work] of [
    [100, 3],
    [1_900, 0],
    [100, 100],
    [60_000, 58_500],
  ] as const)
    pass(ms, work);
  assert.deepEqual(end(), []);
});

test('the longest standstill is told, also one at the end', () => {
  const first = thread();
  first.pass(4_000);
  first.pass(10_100);
  first.pass(3_000);
  assert.deepEqual(first.end(), [
    'the run stood still for 10s during the load: its processes were stopped or got no CPU',
  ]);
  let at = 0;
  const { end } = startBeat({ now: () => at, cpu: () => ({ user: 0, system: 0 }) });
  at = 2_600_000;
  assert.match(end()[0]!, /^the run stood still for 2500ms/);
});
