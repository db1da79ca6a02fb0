/**
 * Makes a NAT of the kernel with a known number of connections through it in the network namespace that it is started in, lets the command
 * line look at it, and prints what it said. Its one argument is a list of argument lists, as JSON, or `hold`: it then says `ready` and stays until its
 * input ends. The rule has 20 ports; 25 connections ask for one.
 */
import { spawnSync } from 'node:child_process';
import { AF_INET, connect, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, socket } from '../../src/kernel/libc.js';
import { addChains, NFT_PRIORITY, snat } from '../../src/kernel/nftables.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { listenAll } from '../../src/load/origin/listen.js';
import { CLI } from './cli.js';

const [SERVER, NAT] = ['10.50.0.9', '10.60.0.1'];
const PORT = 9000;
const CONNECTIONS = 25;

const control = openRouteControl();
control.linkUp('lo');
for (const address of [SERVER, NAT]) control.addAddress('lo', address, 32);
control.close();
const rule = snat([NAT, NAT], { low: 40_000, high: 40_019 }, []);
addChains(
  'ip',
  'test',
  [{ name: 'nat', type: 'nat', hook: 'postrouting', priority: NFT_PRIORITY.srcnat, rules: [rule] }],
  'NAT of nf_tables',
);
listenAll([{ address: SERVER, port: PORT }]);
const to = sockaddrTable([{ address: SERVER, port: PORT }]);
for (let i = 0; i < CONNECTIONS; i++) {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  connect(fd, sockaddrAt(to, 0), to.length);
}

if (process.argv[2] === 'hold') {
  console.log('ready');
  process.stdin.on('end', () => process.exit(0)).resume();
} else {
  const lists = JSON.parse(process.argv[2] ?? '') as string[][];
  const ends = lists.map((args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
    return { code: status, stdout, stderr };
  });
  console.log(JSON.stringify(ends));
}
