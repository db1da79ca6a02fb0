import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lab, LabSession } from '../../src/lab/lab.js';
import { preparingDuringRuns, preparingRuns } from '../../src/lab/prepared-runs.js';
import { fakeLab } from '../support/fake-lab.js';

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

test('while one is under load: the next run is made ready when one is taken, and none beyond the last', async () => {
  const lab = fakeLab(() => ({}), 'vm');
  const next = preparingDuringRuns(lab, 3);
  const first = await next.open('run');
  assert.deepEqual([lab.purposes.length, first], [2, lab.sessions[0]]);
  assert.equal(await next.open('run'), lab.sessions[1]);
  assert.equal(await next.open('run'), lab.sessions[2]);
  assert.equal(lab.purposes.length, 3);
  await next.release();
  assert.ok(lab.sessions.every(({ closed }) => !closed));
});

test('while one is under load: one that is not wanted any more is closed, and one that could not be had is tried again', async () => {
  const lab = fakeLab((i) => (i === 1 ? new Error('no guest') : {}), 'vm');
  const next = preparingDuringRuns(lab, 9);
  await next.open('run');
  assert.equal(await next.open('run'), lab.sessions[1]);
  await next.release();
  assert.deepEqual(
    lab.sessions.map(({ closed }) => closed),
    [false, false, true],
  );
});

test('while one is under load: what is still coming up at the end is ended, and the lab is not released', async () => {
  let described = 0;
  let aborted = 0;
  let opened = 0;
  const next = preparingDuringRuns(
    {
      kind: 'vm',
      get description() {
        return `asked ${++described}`;
      },
      open: (_purpose, signal) =>
        new Promise((resolve, reject) => {
          if (opened++ === 0) return resolve({} as LabSession);
          // It would never come up.
          signal?.addEventListener('abort', () => {
            aborted++;
            reject(new Error('killed'));
          });
        }),
      release: () => assert.fail('whoever has made the lab releases it'),
    },
    2,
  );
  await next.open('run');
  await next.release();
  assert.equal(aborted, 1);
  assert.equal(described, 0, 'what the lab says of itself is not asked before it is wanted');
  assert.equal(next.description, 'asked 1');
});
