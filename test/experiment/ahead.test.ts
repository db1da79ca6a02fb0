import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openingAhead } from '../../src/lab/ahead.js';
import type { Lab, LabSession } from '../../src/lab/lab.js';

/** A lab that only counts. */
function counting(failures = 0) {
  let left = failures;
  const opened: string[] = [];
  const closed: LabSession[] = [];
  const lab: Lab = {
    kind: 'netns',
    description: '',
    open(purpose) {
      opened.push(purpose);
      if (purpose === 'run' && left-- > 0) return Promise.reject(new Error('not yet'));
      const session = {
        purpose,
        n: opened.length,
        close: async () => void closed.push(session),
      } as unknown as LabSession;
      return Promise.resolve(session);
    },
  };
  return { lab: openingAhead(lab), opened, closed };
}
const numberOf = (session: LabSession) => (session as unknown as { n: number }).n;

test('the first run is made ready with the first rehearsal, and later ones when they are wanted', async () => {
  const { lab, opened } = counting();
  await lab.open('check');
  assert.deepEqual(opened, ['check', 'run']);
  assert.equal(numberOf(await lab.open('run')), 2);
  await lab.open('check');
  assert.deepEqual(opened, ['check', 'run', 'check']);
  assert.equal(numberOf(await lab.open('run')), 4);
});

test('one that could not be had is tried again', async () => {
  const { lab, opened } = counting(1);
  await lab.open('check');
  assert.equal(numberOf(await lab.open('run')), 3);
  assert.deepEqual(opened, ['check', 'run', 'run']);
});

test('what was not used is closed at the end, once', async () => {
  const { lab, closed } = counting();
  await lab.open('check');
  await lab.release?.();
  await lab.release?.();
  assert.deepEqual(closed.map(numberOf), [2]);
});
