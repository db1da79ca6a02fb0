import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lab, LabSession } from '../../src/lab/lab.js';
import { preparingRuns } from '../../src/lab/prepared-runs.js';

/** A lab that only counts. */
function counting(failures = 0, onSignal: (signal: AbortSignal | undefined) => void = () => {}) {
  let left = failures;
  const opened: string[] = [];
  const closed: LabSession[] = [];
  const lab: Lab = {
    kind: 'netns',
    description: '',
    open(purpose, signal) {
      opened.push(purpose);
      onSignal(signal);
      if (purpose === 'run' && left-- > 0) return Promise.reject(new Error('not yet'));
      const session = {
        purpose,
        n: opened.length,
        close: async () => void closed.push(session),
      } as unknown as LabSession;
      return Promise.resolve(session);
    },
  };
  return { lab: preparingRuns(lab), opened, closed };
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

test('a later run is made ready when it is asked for, and only once', async () => {
  const { lab, opened } = counting();
  await lab.open('check');
  await lab.open('run');
  lab.prepare?.();
  lab.prepare?.();
  assert.deepEqual(opened, ['check', 'run', 'run']);
  assert.equal(numberOf(await lab.open('run')), 3);
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

test('what is still being made at the end is ended, and not waited for', async () => {
  let aborted = 0;
  const lab = preparingRuns({
    kind: 'vm',
    description: '',
    open: (purpose, signal) =>
      new Promise((resolve, reject) => {
        if (purpose === 'check') return resolve({} as LabSession);
        // It would never come up.
        signal?.addEventListener('abort', () => {
          aborted++;
          reject(new Error('killed'));
        });
      }),
  });
  await lab.open('check');
  await lab.release?.();
  assert.equal(aborted, 1);
});

test('a run that is under way is not ended with the lab', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const { lab, closed } = counting(0, (signal) => signals.push(signal));
  await lab.open('check');
  await lab.open('run');
  await lab.release?.();
  assert.deepEqual(
    signals.map((signal) => signal?.aborted),
    [undefined, false],
  );
  assert.deepEqual(closed, []);
});

test('the lab says of itself what it knows by then, and is released', async () => {
  let engine: 'uml' | undefined;
  let released = 0;
  const lab = preparingRuns({
    kind: 'vm',
    get description() {
      return `engine ${engine}`;
    },
    get engine() {
      return engine;
    },
    get caveat() {
      return engine && 'slow';
    },
    open: () => {
      engine = 'uml';
      return Promise.resolve({ close: async () => {} } as LabSession);
    },
    release: async () => void released++,
  });
  assert.deepEqual([lab.description, lab.engine, lab.caveat], ['engine undefined', undefined, undefined]);
  await lab.open('check');
  assert.deepEqual([lab.description, lab.engine, lab.caveat], ['engine uml', 'uml', 'slow']);
  await lab.release?.();
  assert.equal(released, 1);
});

test('a lab that prepares its runs itself is asked to, and none is opened before it is wanted', async () => {
  const done: string[] = [];
  const lab = preparingRuns({
    kind: 'vm',
    description: '',
    open: (purpose) => {
      done.push(purpose);
      return Promise.resolve({ close: async () => {} } as LabSession);
    },
    prepare: () => void done.push('prepare'),
  });
  await lab.open('check');
  await lab.open('run');
  lab.prepare?.();
  await lab.open('run');
  await lab.release?.();
  assert.deepEqual(done, ['check', 'prepare', 'run', 'prepare', 'run']);
});
