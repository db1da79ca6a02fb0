/**
 * The table of other sockets in docs/how-linux-picks-ports.md, as far as this kernel has them: each case in numbers, with 20 ports. SCTP and VRF
 * are on no kernel that tests have.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { netnsCommand } from '../../src/lab/netns.js';
import type { OtherSockets } from '../support/other-sockets.js';

const SOCKETS = fileURLToPath(new URL('../support/other-sockets.js', import.meta.url));
const P = 20;
const [NO_TUPLE, NO_PORT] = ['connect:EADDRNOTAVAIL', 'bind:EADDRINUSE'];

/** Case → what each of its steps holds, and what the next then says. */
const CASES: Readonly<Record<string, readonly (readonly [held: number, refused: string])[]>> = {
  'MPTCP, connect()': [[4 * P, NO_TUPLE]],
  'MPTCP, bind()': [[P, NO_PORT]],
  'MPTCP, IP_BIND_ADDRESS_NO_PORT': [[4 * P, NO_TUPLE]],
  TCP_FASTOPEN_CONNECT: [[P, NO_TUPLE]],
  'sendto(MSG_FASTOPEN)': [[P, 'sendto:EADDRNOTAVAIL']],
  'SO_BINDTODEVICE: two devices, then none': [
    [P, NO_PORT],
    [P, NO_PORT],
    [0, NO_PORT],
  ],
  'SO_BINDTODEVICE: none, then a device': [
    [P, NO_PORT],
    [0, NO_PORT],
  ],
  'SO_BINDTODEVICE, connect(): a device, then none': [
    [P, NO_TUPLE],
    [P, NO_TUPLE],
  ],
  'SO_REUSEPORT, bind(), four destinations': [[P, NO_PORT]],
  'IPv4-mapped connect(), then IPv4, then IPv6': [
    [P, NO_TUPLE],
    [0, NO_TUPLE],
    [P, NO_TUPLE],
  ],
  'bind(::), then bind() of IPv4': [
    [P, NO_PORT],
    [0, NO_PORT],
  ],
  'bind(::), then connect() of IPv4': [
    [P, NO_PORT],
    [0, NO_TUPLE],
  ],
  'bind(::) of IPv6 only, then bind() of IPv4': [
    [P, NO_PORT],
    [P, NO_PORT],
  ],
  'bind(::) of IPv6 only, then connect() of IPv4': [
    [P, NO_PORT],
    [0, NO_TUPLE],
  ],
  'bind() of an IPv6 address, then bind() of IPv4': [
    [P, NO_PORT],
    [P, NO_PORT],
  ],
  'bind() of an IPv6 address, then connect() of IPv4': [
    [P, NO_PORT],
    [0, NO_TUPLE],
  ],
  'connect() of IPv6, then of IPv4': [
    [P, NO_TUPLE],
    [P, NO_TUPLE],
  ],
};

describe('other sockets, with 20 ports', () => {
  let answer: OtherSockets;
  before(() => {
    const [program, ...rest] = netnsCommand([process.execPath, SOCKETS], process.getuid?.() === 0);
    const { stdout, stderr, status } = spawnSync(program!, rest, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    answer = JSON.parse(stdout) as OtherSockets;
  });

  for (const [name, expected] of Object.entries(CASES))
    it(name, (t) => {
      const { noMptcp, cases } = answer;
      if (name.startsWith('MPTCP') && noMptcp !== null) return t.skip(`this kernel has no MPTCP (${noMptcp})`);
      assert.deepEqual(
        cases[name]?.map(({ held, refused }) => [held, refused]),
        expected,
      );
    });

  it('each case that was tried is one of these', () => {
    for (const name of Object.keys(answer.cases)) assert.ok(name in CASES, name);
  });

  it('after connect(AF_UNSPEC) a port is free, and still the name of the socket', () => {
    const both = { named: true, free: true };
    assert.deepEqual(answer.released, { 'not bound': both, IP_BIND_ADDRESS_NO_PORT: both, bound: both });
  });
});
