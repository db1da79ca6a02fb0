import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type CallBatch, createCallBatch, FIRST } from '../../src/kernel/call-batch.js';
import { EAGAIN, ENOPROTOOPT } from '../../src/kernel/errno.js';
import * as libc from '../../src/kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';

const TYPE = libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
const NO_OPTION = 9999;
/** errno(3), of a descriptor that is not open. */
const EBADF = 9;
/** Of 127.0.0.1, to be bound to. */
const local = sockaddrTable([{ address: '127.0.0.1', port: 0 }]);
const opened: number[] = [];

/** A batch whose first entry is a UDP socket. */
function withSocket(byLibrary: boolean, most = Number.MAX_SAFE_INTEGER): CallBatch {
  const batch = createCallBatch(8, byLibrary);
  batch.add('socket', [libc.AF_INET, TYPE, 0], { most });
  return batch;
}

function run(batch: CallBatch): number {
  const ended = batch.run(0, batch.size);
  if (batch.result(0) >= 0) opened.push(batch.result(0));
  return ended;
}

/** The value of an option of 32 bits. */
function optionOf(fd: number, level: number, name: number): number {
  const value = libc.nativeBuffer(8);
  value.view.setUint32(4, 4, true);
  assert.equal(libc.getsockopt(fd, level, name, value.address, value.address + 4), 0);
  return value.view.getInt32(0, true);
}

function option(value: number): libc.NativeBuffer {
  const memory = libc.nativeBuffer(4);
  memory.view.setInt32(0, value, true);
  return memory;
}

for (const byLibrary of [false, true])
  describe(`a batch of calls, ${byLibrary ? 'each by the C library' : 'by machine code where that is possible'}`, () => {
    afterEach(() => {
      for (const fd of opened.splice(0)) libc.close(fd);
    });

    it('makes them in a row, on what the first returned', () => {
      const batch = withSocket(byLibrary);
      const set = batch.add('setsockopt', [FIRST, libc.SOL_SOCKET, libc.SO_REUSEADDR, option(1), 4]);
      const bind = batch.add('bind', [FIRST, sockaddrAt(local, 0), local.length]);
      assert.equal(run(batch), 3);
      assert.deepEqual([batch.result(set), batch.result(bind)], [0, 0]);
      assert.equal(optionOf(batch.result(0), libc.SOL_SOCKET, libc.SO_REUSEADDR), 1);
    });

    it('ends at the first that fails, with its errno, and makes none after it', () => {
      const batch = withSocket(byLibrary);
      const fails = batch.add('setsockopt', [FIRST, libc.SOL_SOCKET, NO_OPTION, option(1), 4]);
      batch.add('setsockopt', [FIRST, libc.SOL_SOCKET, libc.SO_REUSEADDR, option(1), 4]);
      assert.equal(run(batch), fails);
      assert.equal(batch.result(fails), -ENOPROTOOPT);
      assert.equal(optionOf(batch.result(0), libc.SOL_SOCKET, libc.SO_REUSEADDR), 0);
    });

    it('goes on after the errno that is allowed, and only after that', () => {
      const batch = withSocket(byLibrary);
      batch.add('setsockopt', [FIRST, libc.SOL_SOCKET, NO_OPTION, option(1), 4], { also: ENOPROTOOPT });
      const closes = batch.add('close', [-2], { also: EAGAIN });
      assert.equal(run(batch), closes);
      assert.equal(batch.result(closes), -EBADF);
    });

    it('ends at a result above the most that is allowed', () => {
      const batch = withSocket(byLibrary, 2);
      batch.addClock();
      assert.equal(run(batch), 0);
      assert.ok(batch.result(0) > 2);
    });

    it('reads the clock between calls', () => {
      const batch = withSocket(byLibrary);
      const clocks = [batch.addClock(), batch.addClock()] as const;
      const before = libc.monotonicMicros();
      assert.equal(run(batch), 3);
      const times = [before, ...clocks.map((entry) => batch.micros(entry)), libc.monotonicMicros()];
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    });

    it('sends and receives with all six arguments, and is run in parts', () => {
      const [to, text, into] = [sockaddrTable([{ address: '127.0.0.1', port: 0 }]), option(77), libc.nativeBuffer(16)];
      const batch = withSocket(byLibrary);
      batch.add('bind', [FIRST, sockaddrAt(local, 0), local.length]);
      const send = batch.add('sendto', [FIRST, text, 4, 0, 0, to.length]);
      const receive = batch.add('recv', [FIRST, into, 16, 0, 0, 0]);
      assert.equal(batch.run(0, send), send);
      const fd = batch.result(0);
      opened.push(fd);
      const length = option(16);
      assert.equal(libc.getsockname(fd, sockaddrAt(to, 0), length.address), 0);
      batch.setArgument(send, 4, sockaddrAt(to, 0));
      assert.equal(batch.run(send, batch.size), batch.size);
      assert.deepEqual([batch.result(send), batch.result(receive)], [4, 4]);
      assert.equal(into.view.getInt32(0, true), 77);
      assert.equal(batch.run(receive, batch.size), receive);
      assert.equal(batch.result(receive), -EAGAIN);
    });

    it('keeps the memory that it names', () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const batch = withSocket(byLibrary);
      const weak = (() => {
        const value = option(1);
        batch.add('setsockopt', [FIRST, libc.SOL_SOCKET, libc.SO_REUSEADDR, value, 4]);
        return new WeakRef(value.bytes);
      })();
      return new Promise<void>((resolve) => {
        // A WeakRef holds what it names until the turn is over.
        setImmediate(() => {
          collect();
          assert.ok(weak.deref());
          assert.equal(run(batch), 2);
          resolve();
        });
      });
    });

    it('has no more entries than it has room for', () => {
      const batch = createCallBatch(1, byLibrary);
      batch.addClock();
      assert.throws(() => batch.addClock(), /a batch for 1 calls is full/);
    });
  });
