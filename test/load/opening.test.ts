import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import * as libc from '../../src/kernel/libc.js';
import { sockaddrTable } from '../../src/kernel/sockaddr.js';
import { createOpening, NO_ROOM } from '../../src/load/opening.js';
import { createPicker } from '../../src/load/picker.js';
import { createDialer } from '../../src/load/strategy.js';

const HOST = '127.0.0.1';
/** errno(3), of a port on which nobody listens. */
const ECONNREFUSED = 111;
const openFiles = () => readdirSync('/proc/self/fd').length;

/** Opens one socket that binds first. @param size one more than the highest descriptor */
function open(port: number, size: number) {
  const opening = createOpening({
    type: libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC,
    dialer: createDialer({ strategy: 'bind', addresses: [HOST], ports: { low: 1024, high: 65_535 } }),
    remotes: sockaddrTable([{ address: HOST, port }]),
    size,
    connects: true,
    looks: true,
    close: 'client',
    deferral: null,
    datagram: null,
  });
  const picker = createPicker('round-robin', 1, 1, 0, 1, 1);
  picker.pick(0);
  return { opening, result: opening.open(picker, 0, true) };
}

/** Does something while a port of this machine is listened on. */
async function listening(work: (port: number) => void): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  try {
    work((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

describe('the calls that open a socket', () => {
  it('connect it and close it, with the time of each', () =>
    listening((port) => {
      const before = openFiles();
      const { opening, result } = open(port, 4096);
      assert.deepEqual([result, opening.closed, openFiles()], [0, true, before]);
      assert.ok(opening.bindMicros > 0 && opening.readyAt > opening.connectAt);
    }));

  it('leave no socket where the tables have no room for its number', () =>
    listening((port) => {
      const before = openFiles();
      assert.equal(open(port, 1).result, NO_ROOM);
      assert.equal(openFiles(), before);
    }));

  it('name the call that failed, and leave its socket to the caller', () => {
    const { opening, result } = open(1, 4096);
    assert.deepEqual([result, opening.phase, opening.closed], [ECONNREFUSED, 'connect', false]);
    assert.equal(libc.close(opening.fd), 0);
  });
});
