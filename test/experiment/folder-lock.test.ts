import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LOCK_FILE, lockFolder, withLockedFolder } from '../../src/experiment/folder-lock.js';
import { scratchFolder } from '../support/cli.js';

const HOLDER = fileURLToPath(new URL('../support/folder-holder.js', import.meta.url));

interface Holder {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** What it said first. */
  readonly said: string;
}

/** Another process that asks for the lock. */
async function holder(t: TestContext, dir: string): Promise<Holder> {
  const child = spawn(process.execPath, [HOLDER, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, said };
}

const refuse = (text: string) => assert.fail(`a note: ${text}`);

test('of two processes one has the folder, and the other is told which and what to do', async (t) => {
  const dir = scratchFolder(t);
  const first = await holder(t, dir);
  assert.equal(first.said, 'locked');
  const second = await holder(t, dir);
  const { pid } = first.child;
  assert.ok(
    second.said.startsWith(`refused FolderInUse: ${dir} is in use by process ${pid} (bindstorm ${dir}, since 20`),
    second.said,
  );
  assert.ok(second.said.endsWith(`; wait until it has ended, or end it with: kill ${pid}`), second.said);
  assert.throws(() => lockFolder(dir, refuse), { name: 'FolderInUse' });
  // The end in good order leaves the folder as it was.
  const ended = once(first.child, 'exit');
  first.child.stdin.end();
  await ended;
  assert.equal(existsSync(join(dir, LOCK_FILE)), false);
  assert.equal((await holder(t, dir)).said, 'locked');
});

test('SIGKILL gives the folder free, whatever file it leaves', async (t) => {
  const dir = scratchFolder(t);
  const { child } = await holder(t, dir);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  assert.equal(JSON.parse(readFileSync(join(dir, LOCK_FILE), 'utf8')).pid, child.pid);
  const lock = lockFolder(dir, refuse);
  assert.equal(JSON.parse(readFileSync(join(dir, LOCK_FILE), 'utf8')).pid, process.pid);
  lock.release();
  lock.release();
  assert.equal(existsSync(join(dir, LOCK_FILE)), false);
});

test('a file that names a dead process, or nobody, is not believed', async (t) => {
  const dir = scratchFolder(t);
  await holder(t, dir);
  for (const text of [
    '',
    'garbage\n',
    // Above the most that the kernel gives (PID_MAX_LIMIT).
    `${JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), command: 'bindstorm run x', since: 'then' })}\n`,
  ]) {
    writeFileSync(join(dir, LOCK_FILE), text);
    assert.throws(() => lockFolder(dir, refuse), {
      name: 'FolderInUse',
      message: `${dir} is in use by another process, whose pid is not known; wait until it has ended, then repeat this command`,
    });
  }
  const other = { pid: 1, host: 'elsewhere\u001b[2J', command: 'bindstorm run x', since: '2026-01-02' };
  writeFileSync(join(dir, LOCK_FILE), `${JSON.stringify(other)}\n`);
  assert.throws(() => lockFolder(dir, refuse), {
    message: `${dir} is in use by process 1 on elsewhere\\u001b[2J (bindstorm run x, since 2026-01-02); wait until it has ended, or end it there`,
  });
});

test('many that take turns never have it at the same time', async (t) => {
  const dir = scratchFolder(t);
  const held: Holder[] = [];
  for (let round = 0; round < 3; round++) {
    const asked = await Promise.all([0, 1, 2].map(() => holder(t, dir)));
    const got = asked.filter(({ said }) => said === 'locked');
    held.push(...got);
    assert.equal(got.length, 1, asked.map(({ said }) => said).join('\n'));
    const ended = once(got[0]!.child, 'exit');
    // Once in good order, once not: what is left must not let two in.
    if (round % 2 === 0) got[0]!.child.stdin.end();
    else got[0]!.child.kill('SIGKILL');
    await ended;
  }
  assert.equal(new Set(held.map(({ child }) => child.pid)).size, 3);
});

test('is held as long as the work lasts, also when that fails', async (t) => {
  const dir = scratchFolder(t);
  await withLockedFolder(dir, refuse, async () => {
    assert.match((await holder(t, dir)).said, /^refused FolderInUse/);
  });
  await assert.rejects(
    withLockedFolder(dir, refuse, () => Promise.reject(new Error('the work'))),
    /the work/,
  );
  assert.equal((await holder(t, dir)).said, 'locked');
});

test('a folder that is not there is asked for by name', (t) => {
  const dir = join(scratchFolder(t), 'nowhere');
  assert.throws(() => lockFolder(dir, refuse), {
    name: 'JournalError',
    message: `there is no folder ${dir}; name one that bindstorm has made, such as reports/quickstart-…`,
  });
});
