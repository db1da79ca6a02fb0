/**
 * Runs a program on the lab's internet, and says as JSON what came of it. With an address outside, the namespace that it is started in stands
 * for the machine, with which the program and the origin must share nothing: it listens for whoever gets out.
 *
 * Standard input: DriverInput. Standard output: DriverOutput.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { giveInternet } from '../../src/agent/place/internet.js';
import { joinInternet, withBothFamilies } from '../../src/agent/place/network.js';
import { applySysctls } from '../../src/agent/place/sysctls.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin, type OriginStats } from '../../src/agent/roles/origin-client.js';
import { mount } from '../../src/kernel/boot.js';
import { type Counters, readNetCounters } from '../../src/kernel/counters.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { createSocketObserver } from '../../src/kernel/sock-diag.js';
import type { Internet } from '../../src/subjects/internet.js';

export interface DriverInput {
  readonly command: readonly string[];
  readonly internet: Internet;
  readonly addresses: readonly string[];
  readonly sysctls: Record<string, string>;
  /** The program is ended when it says so in a line of its output; its sockets are then still open. */
  readonly until?: string | undefined;
  /** An address of the machine, on which it listens too. */
  readonly outside?: string | undefined;
}

export interface DriverOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stats: OriginStats;
  /** Sockets of the program after its end, by state. */
  readonly states: Readonly<Record<string, number>>;
  /** Network devices of the program's namespace. */
  readonly links: readonly string[];
  /** Counters of the machine that moved, and connections that it got; and what then moved by one of its own. */
  readonly machine?: Readonly<Record<'moved' | 'own', Record<string, number>>> & { readonly visitors: number };
}

const DIRECTORY = '/dev/shm';
const input = JSON.parse(await text(process.stdin)) as DriverInput;
const here = fileURLToPath(import.meta.url);

if (input.outside === undefined || process.argv[2] === 'inside')
  process.stdout.write(JSON.stringify(await inside()), () => process.exit(0));
else await watchFrom(input.outside);

async function watchFrom(outside: string): Promise<void> {
  const control = openRouteControl();
  control.linkUp('lo');
  control.addAddress('lo', outside, 32);
  control.close();
  let visitors = 0;
  const server = createServer((socket) => {
    visitors++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(80, outside, resolve));
  const before = readNetCounters();
  const role = spawn('unshare', ['--net', '--mount', '--', process.execPath, here, 'inside'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  role.stdin.end(JSON.stringify(input));
  const found = JSON.parse(await text(role.stdout)) as DriverOutput;
  const during = readNetCounters();
  const own = connect(80, outside);
  await once(own, 'close');
  const machine = { moved: moved(before, during), visitors: visitors - 1, own: moved(during, readNetCounters()) };
  process.stdout.write(JSON.stringify({ ...found, machine } satisfies DriverOutput));
  process.exit(0);
}

/** Those of this namespace; what /proc/net/sockstat has is partly of the whole host. */
function moved(before: Counters, after: Counters): Record<string, number> {
  const changes = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(changes.filter(([name, by]) => by !== 0 && !name.startsWith('sockstat.')));
}

async function inside(): Promise<DriverOutput> {
  mount('tmpfs', DIRECTORY);
  const origin = await connectOrigin(launchOrigin(true));
  const addresses = withBothFamilies(input.addresses);
  joinInternet(addresses, origin.pid);
  const place = await origin.openInternet({ addresses, internet: input.internet, requests: null });
  applySysctls(input.sysctls);
  const environment = giveInternet(DIRECTORY, place);
  const [program, ...rest] = input.command;
  const child = spawn(program!, rest, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    stderr += more;
  });
  const done = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      stdout += more;
      if (input.until !== undefined && stdout.split('\n').includes(input.until)) resolve();
    });
    child.once('close', () => resolve());
  });
  await done;
  const stats = await settled(() => origin.stats());
  const { states } = createSocketObserver(addresses, { low: 1, high: 65_535 }, { onlyThese: true }).snapshot();
  if (child.exitCode === null) child.kill('SIGKILL');
  origin.stop();
  const links = readFileSync('/proc/net/dev', 'utf8').match(/^ *[^ |:]+(?=:)/gm) ?? readdirSync('/sys/class/net');
  return { code: child.exitCode, stdout, stderr, stats, states, links: links.map((link) => link.trim()) };
}

/** What the program closed at its very end arrives a moment later. */
async function settled(look: () => Promise<OriginStats>): Promise<OriginStats> {
  for (let before = ''; ; await wait(50)) {
    const stats = await look();
    const now = JSON.stringify(stats.seen);
    if (now === before) return stats;
    before = now;
  }
}
