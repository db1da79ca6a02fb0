/**
 * Makes a known set of UDP sockets in the network namespace that it is started in, lets the command line look at them, and prints what it said.
 * Its one argument is a list of argument lists, as JSON. The range is 40000 to 40099.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { AF_INET, bind, connect, SOCK_CLOEXEC, SOCK_DGRAM, socket } from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { CLI } from './cli.js';

const control = openRouteControl();
control.linkUp('lo');
control.close();
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 40099');

function make(call: typeof bind, address: string, port: number): void {
  const at = sockaddrTable([{ address, port }]);
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || call(fd, sockaddrAt(at, 0), at.length) < 0) throw new Error(`${address} port ${port}`);
}

for (let i = 0; i < 10; i++) make(bind, '127.0.1.1', 40_000 + i);
for (let i = 0; i < 5; i++) make(bind, '127.0.1.2', 40_005 + i);
for (let i = 0; i < 2; i++) make(bind, '0.0.0.0', 40_020 + i);
make(bind, '127.0.1.1', 50_000);
for (let i = 0; i < 3; i++) make(connect, '127.0.0.1', 9);

const lists = JSON.parse(process.argv[2] ?? '') as string[][];
const ends = lists.map((args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
});
console.log(JSON.stringify(ends));
