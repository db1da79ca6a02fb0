import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openingNext } from '../../src/lab/next.js';
import { fakeLab } from '../support/fake-lab.js';

test('the next run is made ready when one is taken, and none beyond the last', async () => {
  const lab = fakeLab(() => ({}), 'vm');
  const next = openingNext(lab, 3);
  const first = await next.open('run');
  assert.deepEqual([lab.purposes.length, first], [2, lab.sessions[0]]);
  assert.equal(await next.open('run'), lab.sessions[1]);
  assert.equal(await next.open('run'), lab.sessions[2]);
  assert.equal(lab.purposes.length, 3);
  await next.release();
  assert.ok(lab.sessions.every(({ closed }) => !closed));
});

test('one that is not wanted any more is closed, and one that could not be had is tried again', async () => {
  const lab = fakeLab((i) => (i === 1 ? new Error('no guest') : {}), 'vm');
  const next = openingNext(lab, 9);
  await next.open('run');
  assert.equal(await next.open('run'), lab.sessions[1]);
  await next.release();
  assert.deepEqual(
    lab.sessions.map(({ closed }) => closed),
    [false, false, true],
  );
});
