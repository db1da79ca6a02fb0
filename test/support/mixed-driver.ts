/**
 * A process inside a fresh lab that lets several programs, each with a strategy of its own, open connections from one network
 * namespace, in the order that the simulator gives them too. Cases do not disturb each other: each has a port range of its own.
 *
 * Standard input: one JSON object (MixedInput). Standard output: one JSON array a case, an outcome a program.
 */
import { text } from 'node:stream/consumers';
import { originTargets, setUpClient } from '../../src/agent/place/network.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin } from '../../src/agent/roles/origin-client.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import { EADDRINUSE, EADDRNOTAVAIL } from '../../src/kernel/errno.js';
import { AF_INET, bind, close, connect, errno, SOCK_CLOEXEC, SOCK_STREAM, socket } from '../../src/kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { createDialer, setOptions } from '../../src/load/strategy.js';

export interface MixedProgram {
  readonly strategy: StrategyName;
  readonly addresses: readonly number[];
  /** Empty: it only binds. */
  readonly destinations: readonly number[];
  readonly attempts: number;
  readonly startMs: number;
  readonly everyMs: number;
}

export interface MixedCase {
  readonly sysctls: Record<string, string>;
  readonly programs: readonly MixedProgram[];
}

export interface MixedInput {
  readonly addresses: readonly string[];
  readonly destinations: number;
  /** Ports of each case's own range. */
  readonly ports: number;
  readonly cases: readonly MixedCase[];
}

export interface MixedOutcome {
  ok: number;
  bindFailures: number;
  connectFailures: number;
}

const FIRST_PORT = 20_000;

const input = JSON.parse(await text(process.stdin)) as MixedInput;
const targets = originTargets(4, false, 1, input.destinations);
const origin = await connectOrigin(launchOrigin(true));
setUpClient(input.addresses, 4, origin.pid);
await origin.serve({
  network: 'veth',
  family: 4,
  hosts: [
    {
      listen: targets,
      threads: 1,
      plan: {
        close: 'client',
        holdMs: 0,
        exchange: null,
        engine: 'socket',
        tls: false,
        protocol: 'tcp',
        body: 0,
        sink: 'accept',
      },
    },
  ],
  neighbours: [],
});
const remotes = sockaddrTable(targets);
for (const [i, one] of input.cases.entries()) process.stdout.write(`${JSON.stringify(run(one, i))}\n`);
process.exit(0);

/** Attempts in the order of their instants; at equal ones programs take turns in their order. No time passes. */
function run({ sysctls, programs }: MixedCase, i: number): MixedOutcome[] {
  const low = FIRST_PORT + i * input.ports;
  const ports = { low, high: low + input.ports - 1 };
  for (const [name, value] of Object.entries({
    ...sysctls,
    'net.ipv4.ip_local_port_range': `${ports.low} ${ports.high}`,
  })) {
    const result = writeSysctl(name, value);
    if (!result.ok) throw new Error(`${name} = ${value}: ${result.errno}`);
  }
  const dialers = programs.map(({ strategy, addresses }) =>
    createDialer({ strategy, addresses: addresses.map((index) => input.addresses[index]!), ports }),
  );
  const outcomes = programs.map(() => ({ ok: 0, bindFailures: 0, connectFailures: 0 }));
  const order = programs
    .flatMap(({ attempts, startMs, everyMs }, which) =>
      Array.from({ length: attempts }, (_, n) => ({ which, n, at: startMs + n * everyMs })),
    )
    .sort((a, b) => a.at - b.at || a.which - b.which || a.n - b.n);
  const held: number[] = [];
  for (const { which, n } of order) held.push(...attempt(programs[which]!, dialers[which]!, n, outcomes[which]!));
  // What they leave behind is in a range that no other case uses.
  for (const fd of held) close(fd);
  return outcomes;
}

/** @returns the descriptor that is held now, if any */
function attempt(
  { addresses, destinations }: MixedProgram,
  dialer: ReturnType<typeof createDialer>,
  n: number,
  outcome: MixedOutcome,
): number[] {
  const [s, d] = [addresses.length, Math.max(destinations.length, 1)];
  const round = Math.floor(n / s);
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket(): errno ${errno()}`);
  const option = setOptions(fd, dialer.options);
  if (option !== 0) throw new Error(`setsockopt(): errno ${option}`);
  const local = dialer.bindAddress(n % s, Math.floor(round / d));
  if (local !== 0 && bind(fd, local, dialer.addressLength) < 0) {
    refused(fd, EADDRINUSE);
    outcome.bindFailures += 1;
    return [];
  }
  const destination = destinations[((n % s) + round) % d];
  if (destination !== undefined && connect(fd, sockaddrAt(remotes, destination), remotes.length) < 0) {
    refused(fd, EADDRNOTAVAIL);
    outcome.connectFailures += 1;
    return [];
  }
  outcome.ok += 1;
  return [fd];
}

function refused(fd: number, expected: number): void {
  const found = errno();
  close(fd);
  if (found !== expected) throw new Error(`errno ${found} instead of ${expected}`);
}
