import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { PHASES } from '../../src/domain/outcome.js';
import {
  EOF,
  FIRST_NAMED,
  failureSlot,
  OUTCOME_SLOTS,
  outcomeName,
  outcomesOf,
  outcomesSince,
  SLOT_OK,
  SLOT_SHED,
  SLOT_TIMEOUT,
  totalOf,
} from '../../src/load/outcome.js';

const { EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED } = constants.errno;

test('every failure has a name of its phase and errno', () => {
  assert.equal(outcomeName(SLOT_OK), 'ok');
  assert.equal(outcomeName(SLOT_SHED), 'shed');
  assert.equal(outcomeName(failureSlot('bind', EADDRINUSE)), 'bind:EADDRINUSE');
  assert.equal(outcomeName(failureSlot('connect', EADDRNOTAVAIL)), 'connect:EADDRNOTAVAIL');
  assert.equal(outcomeName(failureSlot('socket', constants.errno.EMFILE)), 'socket:EMFILE');
  assert.equal(outcomeName(failureSlot('exchange', EOF)), 'exchange:EOF');
  assert.equal(outcomeName(SLOT_TIMEOUT), 'timeout:ETIMEDOUT');
});

test('an errno without a name keeps its number, and one outside the table is not lost', () => {
  assert.equal(outcomeName(failureSlot('connect', 200)), 'connect:E200');
  for (const errno of [0, -1, 256, 4095]) assert.equal(outcomeName(failureSlot('connect', errno)), 'connect:E0');
});

test('slots of all phases and errnos are distinct and inside the table', () => {
  const slots = [SLOT_OK, SLOT_SHED];
  for (const phase of PHASES) for (let errno = 0; errno < 256; errno++) slots.push(failureSlot(phase, errno));
  assert.equal(new Set(slots).size, FIRST_NAMED);
  assert.equal(Math.max(...slots), FIRST_NAMED - 1);
  const names = slots.map((slot) => outcomeName(slot));
  assert.equal(new Set(names).size, FIRST_NAMED, 'each slot has a name of its own');
});

test('counters of several workers add up by name, without zeros', () => {
  const [one, two, idle] = [0, 0, 0].map(() => new Int32Array(OUTCOME_SLOTS)) as [Int32Array, Int32Array, Int32Array];
  one[SLOT_OK] = 5;
  one[failureSlot('bind', EADDRINUSE)] = 2;
  two[SLOT_OK] = 7;
  two[SLOT_SHED] = 1;
  two[FIRST_NAMED - 1] = 3;
  const outcomes = outcomesOf([one, idle, two]);
  assert.deepEqual(outcomes, { ok: 12, 'bind:EADDRINUSE': 2, shed: 1, 'listen:EOF': 3 });
  assert.equal(totalOf(outcomes), 18);
  assert.deepEqual(outcomesOf([idle]), {});
  assert.equal(totalOf({}), 0);
});

test('what is new since an earlier look', () => {
  const refused = `connect:ECONNREFUSED`;
  assert.equal(outcomeName(failureSlot('connect', ECONNREFUSED)), refused);
  assert.deepEqual(outcomesSince({ ok: 10, shed: 2, [refused]: 1 }, { ok: 4, shed: 2 }), { ok: 6, [refused]: 1 });
  assert.deepEqual(outcomesSince({ ok: 1 }, {}), { ok: 1 });
  assert.deepEqual(outcomesSince({ ok: 1 }, { ok: 1 }), {});
});
