/**
 * The gauge against a NAT of the kernel, through which a known number of connections goes, in a namespace of its own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NatLook } from '../../src/gauge/nat.js';
import type { NodeLook } from '../../src/gauge/node-look.js';
import { netnsCommand } from '../../src/lab/netns.js';
import type { CliEnd } from '../support/cli.js';

const isRoot = process.getuid?.() === 0;
const SOCKETS = fileURLToPath(new URL('../support/nat-sockets.js', import.meta.url));

function looksAt(lists: readonly (readonly string[])[]): CliEnd[] {
  const [program, ...rest] = netnsCommand([process.execPath, SOCKETS, JSON.stringify(lists)], isRoot);
  const { stdout, stderr, status } = spawnSync(program!, rest, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as CliEnd[];
}

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
  const [full, table, wide, all, both] = looksAt(lists) as [CliEnd, CliEnd, CliEnd, CliEnd, CliEnd];
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

test('of every namespace of a machine, the NAT stands in its row, with what it dropped', {
  skip: !isRoot && 'only root may enter the namespaces of others',
}, () => {
  const all = ['watch', '--all', '--nat', '40000-40019', '--once'];
  const [one, json, table, twice] = looksAt([
    ['watch', '--nat', '40000-40019', '--once', '--json'],
    [...all, '--json'],
    all,
    [...all, '--json', '--interval', '2s'],
  ]) as [CliEnd, CliEnd, CliEnd, CliEnd];
  const { namespace, pools, firstDrop } = JSON.parse(one.stdout) as NatLook;
  const own = ({ stdout }: CliEnd) =>
    (JSON.parse(stdout) as NodeLook).namespaces.find((look) => look.namespace === namespace)!;
  const { nat, level } = own(json);
  // A full NAT makes the machine's level, and its exit code, whatever its own ports are.
  assert.deepEqual([json.code, table.code, twice.code], [5, 5, 5], json.stderr);
  assert.equal((JSON.parse(json.stdout) as NodeLook).level, 'hard');
  assert.equal(level, 'ok');
  assert.deepEqual(nat!.pools, pools);
  assert.deepEqual(
    [nat!.ports, nat!.firstDrop, nat!.level, nat!.more],
    [{ low: 40_000, high: 40_019 }, firstDrop, 'hard', 0],
  );
  assert.ok(nat!.insertFailed.all >= 5 && nat!.insertFailed.since === null);
  // The five without a port send their SYNs again, after one, three and seven seconds.
  const later = own(twice).nat!.insertFailed;
  assert.ok(later.since !== null && later.all >= nat!.insertFailed.all, JSON.stringify(later));
  assert.match(table.stdout, /workload +sockets +fullest address +in use +why +NAT +namespace/);
  assert.match(
    table.stdout,
    /NAT of .*\n10\.60\.0\.1 to 10\.50\.0\.9:9000 tcp {2}20 ports \(100\.0 %\) {2}drops\ndropped for want of a port \(insert_failed\): \d+/,
  );
  const others = (JSON.parse(json.stdout) as NodeLook).namespaces.filter((look) => look.namespace !== namespace);
  assert.ok(
    others.length > 0 && others.some((look) => look.nat === null),
    'a namespace that translates nothing has none',
  );
});
