import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { test } from 'node:test';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { netnsCommand } from '../../src/lab/netns.js';

const at = (path: string) => new URL(`../../src/kernel/${path}.js`, import.meta.url).href;

/** In a namespace of its own: a process with 9,000 sockets, two sorts by turns, between other descriptors, and a listener among the last. */
const MANY = `
import { openSync, readlinkSync, statSync } from 'node:fs';
import { socket } from '${at('libc')}';
import { createInodeSet } from '${at('inode-set')}';
import { findOwners, processesByNamespace } from '${at('socket-owners')}';
const inodes = createInodeSet();
const inodeOf = (fd) => statSync('/proc/self/fd/' + fd).ino;
for (let i = 0; i < 500; i++) openSync('/dev/null');
const own = Number(readlinkSync('/proc/self'));
const sockets = [];
for (let i = 0; i < 9000; i++) sockets.push(socket(2, 1, 0));
if (sockets.some((fd) => fd < 0)) { console.log('null'); process.exit(0); }
for (const [i, fd] of sockets.entries()) inodes.add(inodeOf(fd), 1 + (i % 2));
const listener = socket(2, 1, 0);
inodes.add(inodeOf(listener), 3);
const namespace = 'net:[' + statSync('/proc/self/ns/net').ino + ']';
const search = { inodes, namespace, processes: processesByNamespace, isApart: (label) => label === 3 };
const told = (found) => ({
  owners: found.owners.filter(({ pid }) => pid === own).map(({ labels, ...rest }) => ({ ...rest, labels: [...labels].sort() })),
  listener: found.apart.get(inodeOf(listener))?.pid === own,
});
console.log(JSON.stringify({ sampled: told(findOwners(search)), exact: told(findOwners({ ...search, exact: true })) }));
`;

interface Told {
  readonly owners: readonly { sockets: number; estimated: boolean; labels: [number, number][] }[];
  readonly listener: boolean;
}

test('of a process with very many sockets a sample says how many, and of which sort; its listener is found all the same', {
  skip: !atLeast(parseKernelVersion(release()), '6.2') && 'the kernel says how many descriptors there are since 6.2',
}, (t) => {
  const command = netnsCommand([process.execPath, '--input-type=module', '-e', MANY], process.getuid?.() === 0);
  const { stdout, stderr, status } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  if (stdout.trim() === 'null') return t.skip('a process may not have 9,500 descriptors here');
  const { sampled, exact } = JSON.parse(stdout) as { sampled: Told; exact: Told };
  assert.deepEqual(
    exact.owners.map(({ sockets, estimated, labels }) => [sockets, estimated, labels]),
    [
      [
        9000,
        false,
        [
          [1, 4500],
          [2, 4500],
        ],
      ],
    ],
  );
  const [owner] = sampled.owners;
  assert.equal(owner!.estimated, true);
  // Nearly each range of numbers is full, so that the sum is close; which of the two sorts is drawn is chance: four deviations of 2,048 draws.
  assert.ok(Math.abs(owner!.sockets - 9000) < 100, String(owner!.sockets));
  for (const [label, count] of owner!.labels) assert.ok(Math.abs(count - 4500) < 400, `${label}: ${count}`);
  assert.ok(sampled.listener && exact.listener);
});
