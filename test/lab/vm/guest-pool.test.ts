/**
 * Which session has which guest, with guests that only say what a script tells them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentEvent, Command } from '../../../src/agent/protocol.js';
import { AgentDied, LabError, type LabSession } from '../../../src/lab/lab.js';
import { guestPool } from '../../../src/lab/vm/guest-pool.js';
import { deferred } from '../../../src/machine/promises.js';
import { fakeLab, makeMeasurement, type Said } from '../../support/fake-lab.js';

const RESULT: AgentEvent = { type: 'result', measurement: makeMeasurement() };
const run = { type: 'run' } as Command;
const shared = () => false;
const alone = () => true;

/** Guests that do what they are asked. @param renewed what the i-th guest says when it is to have a fresh namespace */
function pooled(renewed: (i: number, hello: AgentEvent) => Said = (_, hello) => hello, mayWait = () => true) {
  const guests = fakeLab((i) => ({
    answers: ({ type }) => (type === 'renew' ? [renewed(i, guests.sessions[i]!.hello)] : [RESULT]),
  }));
  const signals: (AbortSignal | undefined)[] = [];
  const pool = guestPool(async (signal) => {
    signals.push(signal);
    return { ...(await guests.open('run')), bootMs: 1000 };
  }, mayWait);
  const renewals = (i: number) => guests.sessions[i]!.sent.filter(({ type }) => type === 'renew').length;
  const closed = () => guests.sessions.map((session) => session.closed);
  return { pool, guests, signals, renewals, closed };
}

async function used(session: LabSession): Promise<void> {
  session.send(run);
  assert.equal((await session.next()).type, 'result');
  await session.close();
}

test('one boot serves a rehearsal and runs, each in a fresh namespace; its boot is told with the first run', async () => {
  const { pool, guests, renewals, closed } = pooled();
  const told: (number | null)[] = [];
  for (const purpose of ['check', 'run', 'run'] as const) {
    const session = await pool.open(purpose, shared);
    told.push(session.bootMs);
    await used(session);
  }
  assert.deepEqual(told, [null, 1000, null]);
  assert.equal(guests.sessions.length, 1);
  // Before each, and after the last for one that may come.
  assert.equal(renewals(0), 4);
  assert.deepEqual(closed(), [false]);
  await pool.release();
  assert.deepEqual(closed(), [true]);
});

test('what sets the whole kernel’s has a guest that nobody used, in its first namespace, and nobody has it afterwards', async () => {
  const { pool, guests, renewals, closed } = pooled();
  await used(await pool.open('run', shared));
  await used(await pool.open('run', alone));
  assert.deepEqual([guests.sessions.length, renewals(1), closed()], [2, 0, [false, true]]);
  await used(await pool.open('run', shared));
  assert.deepEqual([guests.sessions.length, renewals(0)], [2, 3]);
  await pool.release();
});

test('runs side by side have a guest each, and these serve the next', async () => {
  const { pool, guests } = pooled();
  const both = await Promise.all([pool.open('run', shared), pool.open('run', shared)]);
  assert.equal(guests.sessions.length, 2);
  await Promise.all(both.map(used));
  await Promise.all((await Promise.all([pool.open('run', shared), pool.open('run', shared)])).map(used));
  assert.equal(guests.sessions.length, 2);
  await pool.release();
});

test('a guest is used once more only after an answer; one that was killed or was not answered ends', async () => {
  const { pool, guests, closed } = pooled();
  const unanswered = await pool.open('run', shared);
  await unanswered.close();
  const killed = await pool.open('run', shared);
  killed.send(run);
  await killed.next();
  killed.kill();
  await killed.close();
  assert.deepEqual(closed(), [true, true]);
  await used(await pool.open('run', shared));
  assert.equal(guests.sessions.length, 3);
  await pool.release();
});

test('one in which something of the last run is left ends, and the next run has another', async () => {
  let renewals = 0;
  const left: AgentEvent = { type: 'failed', message: '3 TCP sockets of the last run are left in the kernel' };
  const { pool, guests, closed } = pooled((i, hello) => (i === 0 && ++renewals === 2 ? left : hello));
  await used(await pool.open('run', shared));
  await used(await pool.open('run', shared));
  assert.deepEqual([guests.sessions.length, closed()], [2, [true, false]]);
  await pool.release();
});

test('one that is lost while it waits is not missed', async () => {
  let renewals = 0;
  const { pool, guests } = pooled((i, hello) =>
    i === 0 && ++renewals === 2 ? new AgentDied('the agent was killed by SIGKILL') : hello,
  );
  await used(await pool.open('run', shared));
  await used(await pool.open('run', shared));
  assert.equal(guests.sessions.length, 2);
  await pool.release();
});

test('a new guest that can have no fresh namespace is an error, and ends', async () => {
  const { pool, closed } = pooled(() => ({ type: 'failed', message: 'unshare of the network: EPERM' }));
  await assert.rejects(pool.open('run', shared), (error) => error instanceof LabError && /EPERM/.test(error.message));
  assert.deepEqual(closed(), [true]);
});

test('where memory is short, no guest waits', async () => {
  const { pool, guests, closed } = pooled(undefined, () => false);
  await used(await pool.open('run', shared));
  await used(await pool.open('run', shared));
  assert.deepEqual([guests.sessions.length, closed()], [2, [true, true]]);
  await pool.release();
});

test('a guest is booted ahead where the next run cannot have the one that is in use, and only one', async () => {
  const { pool, guests } = pooled();
  const first = await pool.open('run', alone);
  pool.prepare(false);
  assert.equal(guests.purposes.length, 1);
  pool.prepare(true);
  pool.prepare(true);
  assert.equal(guests.purposes.length, 2);
  await used(first);
  await used(await pool.open('run', alone));
  assert.equal(guests.sessions.length, 2);
  await pool.release();
});

test('in the end what is still booting is ended, and a guest in use ends when its session is closed', async () => {
  const made = deferred<LabSession>();
  let aborted = false;
  const pool = guestPool(
    (signal) => {
      signal?.addEventListener('abort', () => {
        aborted = true;
        made.reject(new Error('killed'));
      });
      return made.promise;
    },
    () => true,
  );
  pool.prepare(true);
  await pool.release();
  assert.ok(aborted);

  const { pool: other, closed } = pooled();
  const session = await other.open('run', shared);
  await other.release();
  assert.deepEqual(closed(), [false]);
  await used(session);
  assert.deepEqual(closed(), [true]);
});
