/**
 * Descriptors of threads, taken as on kernels before Linux 6.9, where only the first thread of a process can be named.
 */
// needs: python3
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, fstatSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { close } from '../../src/kernel/libc.js';
import { takeDescriptor, takeOfLeader } from '../../src/kernel/seccomp.js';

/** A thread that makes a socket, and says its own number and that of the socket. @param first what it does before */
const threadWith = (first: string) => `
import ctypes, os, socket, sys, threading, time
libc = ctypes.CDLL(None)
def run():
    ${first}
    s = socket.socket()
    print(threading.get_native_id(), s.fileno(), flush=True)
    time.sleep(60)
threading.Thread(target=run, daemon=True).start()
time.sleep(60)
`;
const CLONE_FILES = 0x400;

async function startThread(t: TestContext, first: string): Promise<{ tid: number; fd: number }> {
  const child = spawn('/usr/bin/python3', ['-c', threadWith(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [tid, fd] = line.split(' ').map(Number);
  assert.notEqual(tid, child.pid);
  return { tid: tid!, fd: fd! };
}

for (const take of [takeDescriptor, takeOfLeader])
  test(`${take.name}: a socket of a thread is the one that its process has`, async (t) => {
    const { tid, fd } = await startThread(t, 'pass');
    const own = take(tid, fd);
    assert.equal(fstatSync(own).ino, statSync(`/proc/${tid}/fd/${fd}`).ino);
    close(own);
  });

test('takeOfLeader: a thread with descriptors of its own is refused by name, also where its process has one of that number', async (t) => {
  const both = `other = os.dup(2); libc.unshare(${CLONE_FILES}); os.close(other)`;
  const { tid, fd } = await startThread(t, both);
  assert.ok(existsSync(`/proc/${tid}/fd/${fd}`));
  assert.throws(() => takeOfLeader(tid, fd), /pidfd_getfd failed with EBADF \(of thread \d+, whose .* Linux 6\.9\)/);
});
