/**
 * Connections whose source and destination are both translated, in the network namespace that it is started in: to two ports of a public
 * address, which lead to servers inside, behind one NAT address with 20 ports. Its one argument is a HairpinQuestion, as JSON; prints how
 * many of the connections stood.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readConntrackStats } from '../../src/kernel/conntrack.js';
import { readNetCounters } from '../../src/kernel/counters.js';
import * as libc from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { listenAll } from '../../src/load/origin/listen.js';

export interface HairpinQuestion {
  readonly tool: string;
  /** Servers inside: both public ports lead to one, or each to one of its own. */
  readonly servers: 1 | 2;
  /** Connections to each public port. */
  readonly each: number;
}

export interface HairpinAnswer {
  readonly stood: number;
  /** SYNs that found no port, and how many were sent again. */
  readonly insertFailed: number;
  readonly sentAgain: number;
}

const [INSIDE, NAT, PUBLIC] = ['10.50.0.9', '10.60.0.1', '10.60.0.2'];
const PUBLIC_PORTS = [80, 81] as const;
/** So long a connection may take on a busy machine, ms. Meanwhile a SYN that found no port is sent again. */
const DEADLINE_MS = 5000;

const { tool, servers, each } = JSON.parse(process.argv[2] ?? '') as HairpinQuestion;
const insidePort = (i: number) => (servers === 2 ? 9000 + i : 9000);
const control = openRouteControl();
control.linkUp('lo');
for (const address of [INSIDE, NAT, PUBLIC]) control.addAddress('lo', address, 32);
control.close();
const folder = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
const nat = (...rule: string[]) => {
  const env = { ...process.env, XTABLES_LOCKFILE: join(folder, 'lock') };
  const { status, stderr } = spawnSync(tool, ['-t', 'nat', ...rule], { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
};
for (const [i, port] of PUBLIC_PORTS.entries())
  nat(
    ...['-A', 'OUTPUT', '-p', 'tcp', '-d', PUBLIC, '--dport', String(port), '-j', 'DNAT'],
    ...['--to-destination', `${INSIDE}:${insidePort(i)}`],
  );
nat('-A', 'POSTROUTING', '-p', 'tcp', '-d', INSIDE, '-j', 'SNAT', '--to-source', `${NAT}:40000-40019`);
rmSync(folder, { recursive: true });
listenAll([...new Set(PUBLIC_PORTS.map((_, i) => insidePort(i)))].map((port) => ({ address: INSIDE, port })));

const fds = PUBLIC_PORTS.flatMap((port) => {
  const to = sockaddrTable([{ address: PUBLIC, port }]);
  return Array.from({ length: each }, () => {
    const fd = libc.socket(libc.AF_INET, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0);
    libc.connect(fd, sockaddrAt(to, 0), to.length);
    return { fd, to };
  });
});
await wait(DEADLINE_MS);
// Asked again, a connection that stands says so once.
const stood = fds.filter(({ fd, to }) => libc.connect(fd, sockaddrAt(to, 0), to.length) === 0).length;
const insertFailed = readConntrackStats().insert_failed ?? 0;
const sentAgain = readNetCounters()['TcpExt.TCPSynRetrans'] ?? 0;
console.log(JSON.stringify({ stood, insertFailed, sentAgain } satisfies HairpinAnswer));
