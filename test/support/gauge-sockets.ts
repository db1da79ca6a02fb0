/**
 * Makes a known set of sockets in the network namespace that it is started in, lets the command line look at them, and prints what
 * it said. Its one argument is a list of argument lists, as JSON; with `hold` after it, it prints `ready` instead and waits until
 * standard input ends.
 *
 * The range is 40000 to 40099, of which 40090 to 40094 are reserved: 95 ports an address.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { AF_INET, bind, SOCK_CLOEXEC, SOCK_STREAM, socket } from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { CLI } from './cli.js';

const control = openRouteControl();
control.linkUp('lo');
control.close();
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 40099');
writeFileSync('/proc/sys/net/ipv4/ip_local_reserved_ports', '40090-40094');

const accepted: Socket[] = [];
const kept: unknown[] = [];

async function listen(port: number, host: string): Promise<void> {
  const server: Server = createServer({ allowHalfOpen: true }, (peer) => {
    accepted.push(peer.on('error', () => {}).resume());
  });
  kept.push(server.listen(port, host));
  await once(server, 'listening');
}

async function open(from: string, localPort: number, to: string, port: number): Promise<Socket> {
  const before = accepted.length;
  const client = connect({ host: to, port, localAddress: from, localPort, allowHalfOpen: true });
  kept.push(client.on('error', () => {}));
  await once(client, 'connect');
  while (accepted.length === before) await new Promise((resolve) => setTimeout(resolve, 1));
  return client;
}

async function openMany(from: string, ports: readonly number[], to: string, port: number): Promise<void> {
  for (const localPort of ports) await open(from, localPort, to, port);
}

/** The client's FIN first, then the peer's, which is answered: TIME_WAIT on the client's side, nothing on the other. */
async function close(client: Socket): Promise<void> {
  const peer = accepted.at(-1)!;
  const seen = once(peer, 'end');
  client.end();
  await seen;
  const over = once(client.resume(), 'close');
  peer.end();
  await over;
}

const ports = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

await listen(9000, '127.0.0.1');
await listen(9001, '127.0.0.1');
// A dual-stack listener, to which an IPv6 socket can speak IPv4.
await listen(9002, '::');
// In the range: its port is taken on every address, and what it accepts came in.
await listen(40_050, '0.0.0.0');

await openMany('127.0.1.1', ports(40_000, 10), '127.0.0.1', 9000);
for (const port of ports(40_010, 5)) await close(await open('127.0.1.1', port, '127.0.0.1', 9000));
const halfClosed = await open('127.0.1.1', 40_020, '127.0.0.1', 9000);
const gone = once(accepted.at(-1)!, 'end');
halfClosed.end();
await gone;
// Neither is a port that the kernel would hand out.
await open('127.0.1.1', 40_090, '127.0.0.1', 9000);
await open('127.0.1.1', 39_999, '127.0.0.1', 9000);

for (const port of [9000, 9001]) await openMany('127.0.1.2', ports(40_000, 5), '127.0.0.1', port);
await open('127.0.1.2', 40_007, '127.0.0.1', 9001);

await openMany('::1', ports(40_000, 3), '::1', 9002);
await openMany('::ffff:127.0.1.3', ports(40_000, 2), '::ffff:127.0.0.1', 9002);
await openMany('127.0.1.3', [40_002], '127.0.0.1', 9000);

// Connections that came in, from a port outside of the range.
await openMany('127.0.1.9', ports(50_000, 4), '127.0.1.1', 40_050);

// Bound, and not connected.
const table = sockaddrTable([{ address: '127.0.1.4', port: 40_000 }]);
const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
if (bind(fd, sockaddrAt(table, 0), table.length) < 0) throw new Error('127.0.1.4:40000 cannot be bound');

if (process.argv[3] === 'hold') {
  process.stdout.write('ready\n');
  process.stdin.on('end', () => process.exit(0)).resume();
} else {
  const ends = (JSON.parse(process.argv[2]!) as string[][]).map((args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
    return { code: status, stdout, stderr };
  });
  process.stdout.write(JSON.stringify({ pid: process.pid, ends }));
  process.exit(0);
}
