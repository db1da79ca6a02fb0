import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { socketTotals } from '../../src/kernel/socket-totals.js';
import { netnsCommand } from '../../src/lab/netns.js';

const MODULE = new URL('../../src/kernel/socket-totals.js', import.meta.url).href;

/** In a namespace of its own: sockets of each sort one after the other, and what the counters say then. */
const SOCKETS = `
import { bind, connect, listen, nativeBuffer, socket } from '${new URL('../../src/kernel/libc.js', import.meta.url).href}';
import { openRouteControl } from '${new URL('../../src/kernel/rtnetlink.js', import.meta.url).href}';
import { sockaddrAt, sockaddrTable } from '${new URL('../../src/kernel/sockaddr.js', import.meta.url).href}';
import { createCensus, openSockDiag } from '${new URL('../../src/kernel/socket-census.js', import.meta.url).href}';
import { readSocketTotals } from '${MODULE}';
const control = openRouteControl();
control.linkUp('lo');
const said = [];
const note = () => { const { hashed, unconnected } = readSocketTotals(); said.push([hashed, unconnected]); };
const at = (port) => { const table = sockaddrTable([{ address: '127.0.0.1', port }]); return [sockaddrAt(table, 0), table.length]; };
note();
const server = socket(2, 1, 0);
bind(server, ...at(9000));
note();
listen(server, 5);
note();
for (let i = 0; i < 3; i++) connect(socket(2, 1, 0), ...at(9000));
note();
for (let i = 0; i < 7; i++) bind(socket(2, 1, 0), ...at(0));
bind(socket(2, 2, 0), ...at(0));
note();
const census = createCensus();
const netlink = openSockDiag();
const ports = { range: { low: 1024, high: 65535 }, reserved: [] };
const seen = (totals) => { const { addresses, sockets } = census.take(netlink, ports, totals); return JSON.stringify({ addresses, sockets }); };
const totals = { ...readSocketTotals(), machine: 1e6 };
console.log(JSON.stringify({ said, same: seen(null) === seen(totals), none: seen({ ...totals, hashed: 0, unconnected: 0 }) }));
`;

test('what is hashed and what may be bound alone, beside sockets that are neither', () => {
  const command = netnsCommand([process.execPath, '--input-type=module', '-e', SOCKETS], process.getuid?.() === 0);
  const { stdout, stderr, status } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const { said, same, none } = JSON.parse(stdout) as { said: number[][]; same: boolean; none: string };
  // On a machine with a million sockets all of these are counted, and a walk that the counters call needless is not made.
  assert.ok(same);
  assert.match(none, /"addresses":\[\],.*"all":1/);
  // Nothing; bound; listening; three connections with both ends; seven bound ones and a UDP socket beside them.
  assert.deepEqual(said, [
    [0, 0],
    [0, 1],
    [1, 0],
    [7, 0],
    [7, 7],
  ]);
});

test('a kernel that does not say it is not trusted to have none', () => {
  assert.equal(socketTotals('sockets: used 3\n', '', ''), null);
  assert.deepEqual(socketTotals('sockets: used 3\nTCP: inuse 0 orphan 0 tw 2 alloc 9 mem 0\n', '', ''), {
    hashed: 2,
    unconnected: 3,
  });
});
