/**
 * Fills the ports of a NAT of the kernel in the network namespace that it is started in, flow after flow, and prints how full it was at the
 * first drop, and flows and drops by how full it was. A flow is one datagram from a socket of its own, whose entry outlives it; one that finds
 * no port is refused on its way out (sendto() with EPERM), since the sender is on the router itself. The search is the same as for TCP.
 * Its one argument is a NatFill, as JSON.
 */
import { writeFileSync } from 'node:fs';
import { bandOf, FILL_BANDS } from '../../src/capacity/nat/drop-curve.js';
import { randomStream } from '../../src/domain/random.js';
import { EPERM, errnoName } from '../../src/kernel/errno.js';
import * as libc from '../../src/kernel/libc.js';
import { addChains, type NatFlag, NFT_PRIORITY, snat } from '../../src/kernel/nftables.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';

export interface NatFill {
  readonly ports: number;
  /** Ports of the clients: one after the other and none of the rule's, or drawn from 1024 to 65535, or one after the other and the rule's. */
  readonly clients: 'sequential' | 'random' | 'inside';
  readonly flags: readonly NatFlag[];
  readonly seed: number;
}

export interface NatFilled {
  /** Flows that stood before the first drop. */
  readonly first: number;
  /** By FILL_BANDS. */
  readonly attempts: readonly number[];
  readonly drops: readonly number[];
}

const [SERVER, NAT] = ['10.50.255.1', '10.60.0.1'];
/** Of the rule, up to 64512. */
const LOWEST = 44_000;
const CLIENTS = Array.from({ length: 16 }, (_, i) => `10.50.0.${i + 1}`);
const UNPRIVILEGED = 1024;

const { ports, clients, flags, seed } = JSON.parse(process.argv[2] ?? '') as NatFill;
const control = openRouteControl();
control.linkUp('lo');
for (const address of [...CLIENTS, SERVER, NAT]) control.addAddress('lo', address, 32);
control.close();
const rule = snat([NAT, NAT], { low: LOWEST, high: LOWEST + ports - 1 }, flags);
addChains(
  'ip',
  'test',
  [{ name: 'nat', type: 'nat', hook: 'postrouting', priority: NFT_PRIORITY.srcnat, rules: [rule] }],
  'NAT of nf_tables',
);
// Longer than it takes, and connection tracking has it since the rule is there.
writeFileSync('/proc/sys/net/netfilter/nf_conntrack_udp_timeout', '600');

const server = sockaddrTable([{ address: SERVER, port: 9 }]);
const datagram = libc.nativeBuffer(1);
/** @returns whether it found a port */
function send(address: string, port: number): boolean {
  const from = sockaddrTable([{ address, port }]);
  const fd = libc.socket(libc.AF_INET, libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0);
  if (libc.bind(fd, sockaddrAt(from, 0), from.length) < 0) throw new Error(`bind: ${errnoName(libc.errno())}`);
  const sent = libc.sendto(fd, datagram.address, 1, 0, sockaddrAt(server, 0), server.length);
  const error = sent < 0 ? libc.errno() : 0;
  libc.close(fd);
  if (error !== 0 && error !== EPERM) throw new Error(`sendto: ${errnoName(error)}`);
  return error === 0;
}

/** Sources that have sent nothing yet. */
function* sources(): Generator<readonly [address: string, port: number]> {
  if (clients === 'random') {
    const random = randomStream(seed, 'clients');
    const seen = new Set<string>();
    for (;;) {
      const address = CLIENTS[Math.floor(random() * CLIENTS.length)]!;
      const port = UNPRIVILEGED + Math.floor(random() * (65_536 - UNPRIVILEGED));
      const name = `${address} ${port}`;
      if (seen.has(name)) continue;
      seen.add(name);
      yield [address, port];
    }
  }
  const first = clients === 'inside' ? LOWEST : UNPRIVILEGED;
  const last = clients === 'inside' ? LOWEST + ports : LOWEST;
  for (const address of CLIENTS) for (let port = first; port < last; port++) yield [address, port];
}

const attempts = FILL_BANDS.map(() => 0);
const drops = FILL_BANDS.map(() => 0);
let used = 0;
let first = ports;
for (const [address, port] of sources()) {
  const band = bandOf(used / ports);
  const found = send(address, port);
  if (band >= 0) {
    attempts[band]!++;
    if (!found) drops[band]!++;
  }
  if (!found && first === ports) first = used;
  if (found) used++;
  if (used === ports) break;
}
console.log(JSON.stringify({ first, attempts, drops } satisfies NatFilled));
