/**
 * What a full address says of the load, held against the model: the numbers that are read from the states are those with which `capacity` is asked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../src/gauge/cause.js';
import { capacityOf, readAddresses } from '../../src/gauge/reading.js';
import { turnoverOf } from '../../src/gauge/turnover.js';
import { ALARMS, countOf } from '../support/looks.js';

const CAPACITY = capacityOf({ range: { low: 32_768, high: 60_999 }, reserved: [] });
const TIME_WAIT = 62.048;

/** A full address whose connections are open for so long: by Little's law, at the rate that P ports sustain. */
function full(openSeconds: number, more: Partial<Parameters<typeof diagnose>[0]> = {}) {
  const { ports } = CAPACITY;
  const waiting = Math.round((ports * TIME_WAIT) / (TIME_WAIT + openSeconds));
  const states = { TIME_WAIT: waiting, ...(openSeconds > 0 ? { ESTABLISHED: ports - waiting } : {}) };
  const addresses = readAddresses([countOf('10.0.0.17', ports, { states })], CAPACITY, ALARMS);
  return diagnose({
    capacity: CAPACITY,
    alarms: ALARMS,
    addresses,
    activity: null,
    idleMs: 60_000,
    timeWaitSeconds: TIME_WAIT,
    holder: () => null,
    ...more,
  });
}

test('a full address with connections open for 60 s is told what it lets through, for how long they are open, and that this is all', () => {
  const { class: name, sentence, evidence } = full(60);
  assert.equal(name, 'churn');
  assert.equal(
    sentence,
    'Churn: 14,353 of 28,232 sockets of 10.0.0.17 are closed and keep their ports (TIME_WAIT), about 231 closes a second, and the others are open for 60 s each; 28,232 ports sustain 231 a second of that length.',
  );
  assert.deepEqual(evidence.slice(0, 4), [
    'states: TIME_WAIT 14,353, ESTABLISHED 13,879',
    'TIME_WAIT lasts 62.0 s here at most, so 14,353 of them are 231 closes a second, 100 % of what can be sustained',
    'the 13,879 others, at 231 a second, are open for 60 s each, once it has gone on for longer than that',
    "231 a second are let through: with those that are refused (watch --failures, or the program's log) that is the demand",
  ]);
});

test('of whatever length, a full address uses all that it sustains, and the length is what it was made with', () => {
  for (const openSeconds of [0, 5, 30, 60, 120, 300, 1000]) {
    const { evidence, class: name } = full(openSeconds);
    const told = evidence.join('\n');
    assert.match(told, /\b100 % of what can be sustained/, `${openSeconds} s: ${name}`);
    if (openSeconds === 0) continue;
    const [, said, unit] = /are open for ([\d.,]+) (s|min) each/.exec(told) ?? [];
    const seconds = Number(said) * (unit === 'min' ? 60 : 1);
    assert.ok(Math.abs(seconds - openSeconds) <= 0.03 * openSeconds, `${openSeconds} s: ${told}`);
  }
});

test('silent connections that end all the time are told from a pool that nobody uses', () => {
  const activity = { sampled: 1000, idle: 900, waiting: 0, quietMs: 100_000 };
  const ending = full(200, { activity });
  assert.match(ending.evidence.join('\n'), /open for 200 s each[\s\S]*do not leak: more ports help/);
  const pool = full(100_000, { activity });
  assert.equal(pool.class, 'leak');
  assert.doesNotMatch(pool.evidence.join('\n'), /do not leak/);
});

test('what TIME_WAIT does not say is not said: without one there is no pace', () => {
  assert.equal(turnoverOf({ states: { ESTABLISHED: 100 }, sockets: 100 }, TIME_WAIT), null);
  const pace = turnoverOf({ states: { ESTABLISHED: 100, TIME_WAIT: 1 }, sockets: 101 }, TIME_WAIT);
  assert.equal(pace?.mixed, false);
});

test('closes to many destinations are not held against the ports of one', () => {
  // 40,000 sockets share 20,000 ports; the busiest destination has a quarter of the room.
  const count = countOf('10.0.0.17', 20_000, {
    sockets: 40_000,
    states: { TIME_WAIT: 40_000 },
    largest: { address: '203.0.113.9', port: 443, sockets: 14_116 },
  });
  const addresses = readAddresses([count], CAPACITY, ALARMS);
  assert.equal(addresses[0]!.wall, 'destination');
  const { evidence } = full(0, { addresses });
  assert.match(evidence.join('\n'), /645 closes a second, 50 % of what can be sustained to the busiest destination$/m);
});
