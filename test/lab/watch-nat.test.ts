/**
 * The gauge against a NAT of the kernel, through which a known number of connections goes, in a namespace of its own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NatLook } from '../../src/gauge/nat.js';
import { netnsCommand } from '../../src/lab/netns.js';
import type { CliEnd } from '../support/cli.js';

const SOCKETS = fileURLToPath(new URL('../support/nat-sockets.js', import.meta.url));

test('each NAT address and destination, how far the first drop is, and what was dropped', () => {
  const once = ['watch', '--nat', '40000-40019', '--once'];
  const lists = [
    [...once, '--json'],
    once,
    ['watch', '--nat', '40000-40099', '--once', '--json'],
    // A range of thousands drops long before it is full, and the default is all that a NAT may take.
    ['watch', '--nat', '--once'],
    [...once, '--udp'],
  ];
  const [program, ...rest] = netnsCommand([process.execPath, SOCKETS, JSON.stringify(lists)], process.getuid?.() === 0);
  const { stdout, stderr, status } = spawnSync(program!, rest, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [full, table, wide, all, both] = JSON.parse(stdout) as [CliEnd, CliEnd, CliEnd, CliEnd, CliEnd];
  assert.deepEqual([full.code, table.code, wide.code, all.code, both.code], [5, 5, 0, 0, 2], full.stderr);
  const { pools, insertFailed, firstDrop, states, level } = JSON.parse(full.stdout) as NatLook;
  assert.deepEqual(pools, [
    {
      address: '10.60.0.1',
      protocol: 'tcp',
      destination: { address: '10.50.0.9', port: 9000 },
      entries: 20,
      fill: 1,
      left: 0,
      level: 'hard',
    },
  ]);
  assert.equal(level, 'hard');
  assert.equal(states.ESTABLISHED, 20);
  // Each look comes later, and the five send their SYNs again.
  assert.ok(insertFailed.all >= 5 && insertFailed.since === null, JSON.stringify(insertFailed));
  assert.deepEqual(firstDrop, { low: 1, median: 1 });
  assert.match(table.stdout, /10\.60\.0\.1 +10\.50\.0\.9:9000 tcp +20 +100\.0 % +past +drops/);
  assert.match(table.stdout, /dropped for want of a port \(insert_failed\): \d+/);
  const [fifth] = (JSON.parse(wide.stdout) as NatLook).pools;
  assert.deepEqual([fifth!.entries, fifth!.fill, fifth!.left, fifth!.level], [20, 0.2, 80, 'ok']);
  assert.match(
    all.stdout,
    /ports 1024 to 65535: 64,512 for each NAT address and destination; SYNs are dropped from [78]\d\.\d % to/,
  );
  assert.match(both.stderr, /--nat counts flows of a NAT, and --udp sockets; give one of them/);
});
