import assert from 'node:assert/strict';
import { test } from 'node:test';
import { againLimit, failureLines, messageOf, settled, type Tried } from './support/tries.js';

const LAB = { alone: false, group: 'lab', limit: 900 };

test('a file that failed beside others runs once more, as long as there is time', () => {
  assert.equal(againLimit(LAB, 40, 55), 900);
  assert.equal(againLimit(LAB, 69, 55), 660);
  assert.equal(againLimit(LAB, 70, 55), null);
  assert.equal(againLimit(LAB, 700, 0), 900);
});

test('pure code, and what ran alone, has no second time', () => {
  assert.equal(againLimit({ ...LAB, group: 'unit' }, 1, 55), null);
  assert.equal(againLimit({ ...LAB, alone: true }, 1, 55), null);
});

test('the second time counts; what fails twice has failed, and what failed once is told', () => {
  const failure = { test: 'a (b)', message: 'late' };
  const failed: Tried = { passed: 1, failures: [failure], skipped: [] };
  const passed: Tried = { passed: 2, failures: [], skipped: [] };
  assert.deepEqual(settled(failed, undefined), { ...failed, besideOthers: [] });
  assert.deepEqual(settled(failed, failed), { ...failed, besideOthers: [] });
  assert.deepEqual(settled(failed, passed), { ...passed, besideOthers: [failure] });
});

test('a failure says what was thrown, short', () => {
  const wrapped = new Error('test failed', { cause: new Error('1 is not 2') });
  assert.equal(messageOf(wrapped), '1 is not 2');
  assert.equal(messageOf(new Error('hook failed')), 'hook failed');
  assert.equal(messageOf(new Error('', { cause: 'a word' })), 'a word');
  const long = messageOf(new Error(Array.from({ length: 40 }, (_, i) => `line ${i}`).join('\n')));
  assert.deepEqual([long.split('\n').length, long.split('\n').at(-1)], [13, '…']);
  assert.deepEqual(failureLines([{ test: 'a (b)', message: 'one\n\ntwo' }]), ['a (b)', '    one', '', '    two']);
});
