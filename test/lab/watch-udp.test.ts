/**
 * The gauge against UDP sockets whose number is known, in a namespace of their own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Look } from '../../src/gauge/look.js';
import type { NodeLook } from '../../src/gauge/node-look.js';
import { netnsCommand } from '../../src/lab/netns.js';
import type { CliEnd } from '../support/cli.js';

const SOCKETS = fileURLToPath(new URL('../support/datagram-sockets.js', import.meta.url));

test('each address, and all together; the exit code follows the walls', () => {
  const once = ['watch', '--udp', '--once', '--json'];
  const lists = [
    once,
    [...once, '--slow', '15%'],
    [...once, '--hard', '15%', '--slow', '0.1'],
    ['watch', '--udp', '--once'],
    ['watch', '--udp', '--all', '--once', '--json'],
  ];
  const [program, ...rest] = netnsCommand([process.execPath, SOCKETS, JSON.stringify(lists)], process.getuid?.() === 0);
  const { stdout, stderr, status } = spawnSync(program!, rest, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [plain, slow, hard, table, all] = JSON.parse(stdout) as [CliEnd, CliEnd, CliEnd, CliEnd, CliEnd];
  assert.deepEqual([plain.code, slow.code, hard.code, table.code], [0, 1, 5, 0]);
  const look = JSON.parse(plain.stdout) as Look;
  assert.equal(look.transport, 'udp');
  assert.equal(look.capacity.slowWall, 98);
  assert.deepEqual(
    look.addresses.map(({ address, ports, sockets, states, wall }) => [address, ports, sockets, states, wall]),
    [
      // Ten numbers on the one address of which the other has five, two on all, and three that connect() found besides.
      ['*', 15, 20, { CLOSE: 17, ESTABLISHED: 3 }, 'ports'],
      ['127.0.1.1', 12, 10, { CLOSE: 10 }, 'ports'],
      ['127.0.1.2', 7, 5, { CLOSE: 5 }, 'ports'],
      ['127.0.0.1', 5, 3, { ESTABLISHED: 3 }, 'ports'],
    ],
  );
  assert.deepEqual(look.sockets, { all: 21, listening: 0, incoming: 0, other: 1 });
  const { cause } = JSON.parse(hard.stdout) as Look;
  assert.equal(cause.class, 'hard-wall');
  assert.match(cause.sentence, /^15 UDP ports are taken on all addresses together.* UDP has no TIME_WAIT/);
  assert.doesNotMatch(`${cause.advice?.helps}`, /TIME_WAIT|tw_reuse/);
  assert.match(table.stdout, /21 UDP sockets/);
  // Among all namespaces of the machine, of which others may be full, it is as when looked at alone.
  const node = JSON.parse(all.stdout) as NodeLook;
  const among = node.namespaces.find(({ namespace }) => namespace === look.namespace);
  assert.equal(among?.transport, 'udp');
  assert.deepEqual(
    among.addresses.map(({ growthPerSecond: _, secondsToHardWall: __, ...same }) => same),
    look.addresses.map(({ growthPerSecond: _, secondsToHardWall: __, ...same }) => same),
  );
});
