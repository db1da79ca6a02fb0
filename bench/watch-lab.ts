/**
 * Inside the lab: how long it takes to count a great many sockets by local address, by `bindstorm watch --once` and by what an
 * operator would type instead. A contender whose counts are not exactly right is an error and no sample.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { randomStream, shuffled } from '../src/domain/random.js';
import type { Look } from '../src/gauge/look.js';
import { readNetCounters } from '../src/kernel/counters.js';
import { getrusage, nativeBuffer } from '../src/kernel/libc.js';
import { createSocketObserver } from '../src/kernel/sock-diag.js';
import { openCensus } from '../src/kernel/socket-census.js';
import type { Churn } from './churn.js';
import { runBindstorm } from './contender.js';

/** `Ports`: distinct ports instead of sockets, which is what fills up; the gauge gives both. */
export const WATCHERS = ['watch', 'look', 'ss', 'proc', 'ssPorts', 'procPorts'] as const;
/** This build beside another one, and nothing else, so that more rounds fit. */
export const BUILDS = ['watch', 'other'] as const;
export type Watcher = (typeof WATCHERS)[number] | (typeof BUILDS)[number];

export interface WatchSample {
  readonly contender: Watcher;
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** CPU seconds, user and system; of the children for those that are programs. */
  readonly cpuSeconds: number;
}

export interface WatchCost {
  /** Sockets in TIME_WAIT. */
  readonly sockets: number;
  readonly samples: readonly WatchSample[];
}

export interface WatchJob {
  readonly churn: Churn;
  readonly rounds: number;
  readonly seed: number;
  /** The command line of another build (dist/bundle/cli/main.js), to be compared with this one; null: with what an operator would type. */
  readonly other: string | null;
}

/** Local address → sockets. */
type Counts = ReadonlyMap<string, number>;

const PRINT = 'END { for (a in n) print a, n[a] }';
const CLI = fileURLToPath(new URL('../bundle/cli/main.js', import.meta.url));
const PORTS = { range: { low: 1024, high: 65_535 }, reserved: [] };
/** TCP_TIMEWAIT_LEN (include/net/tcp.h), from when on sockets vanish and nothing can be measured any more. */
const LIFE_MS = 60_000;
const run = promisify(execFile);

/** Make the sockets, wait until all are in TIME_WAIT, and let every contender count them once a round, in random order. */
export async function measureWatch({ churn, rounds, seed, other }: WatchJob): Promise<WatchCost> {
  const deadline = performance.now() + LIFE_MS;
  await runBindstorm(churn);
  await settled(churn, deadline);
  const census = openCensus();
  const sockets = new Map(churn.sources.map((source) => [source, churn.attempts / churn.sources.length]));
  const ports = new Map(census.take(PORTS).addresses.map((use) => [use.address, use.ports]));
  const samples: WatchSample[] = [];
  const watchers: readonly Watcher[] = other === null ? WATCHERS : BUILDS;
  const end = (whole: number) => costOf(churn, samples.slice(0, whole * watchers.length), whole);
  for (let round = 0; round < rounds; round++) {
    for (const contender of shuffled(watchers, randomStream(seed, `watch/${round}`))) {
      const begin = performance.now();
      const before = cpuMicros();
      const counts = await count(contender, census, other);
      const sample = {
        contender,
        seconds: (performance.now() - begin) / 1000,
        cpuSeconds: (cpuMicros() - before) / 1e6,
      };
      // The first sockets are about to go, or have gone while they were counted.
      if (performance.now() > deadline) return end(round);
      check(contender, counts, contender.endsWith('Ports') ? ports : sockets);
      samples.push(sample);
    }
  }
  return end(rounds);
}

/** What was measured in rounds that are whole. */
function costOf({ attempts }: Churn, samples: readonly WatchSample[], rounds: number): WatchCost {
  if (rounds === 0)
    throw new Error(`the sockets began to vanish before one round was over: ask for fewer than ${attempts}`);
  if ((readNetCounters()['TcpExt.TCPTimeWaitOverflow'] ?? 0) > 0) throw new Error('tcp_max_tw_buckets was reached');
  return { sockets: attempts, samples };
}

async function count(contender: Watcher, census: ReturnType<typeof openCensus>, other: string | null): Promise<Counts> {
  switch (contender) {
    case 'look':
      return new Map(census.take(PORTS).addresses.map(({ address, sockets }) => [address, sockets]));
    case 'watch':
    case 'other': {
      const program = contender === 'watch' ? CLI : other!;
      const { stdout } = await run(process.execPath, [program, 'watch', '--once', '--json']).catch(answerOf);
      const { addresses } = JSON.parse(stdout) as Look;
      return new Map(addresses.map(({ address, sockets }) => [address, sockets]));
    }
    case 'ss':
      return shellCounts(`ss -Htan | awk '{ sub(/:[0-9]+$/, "", $4); n[$4]++ } ${PRINT}'`);
    case 'ssPorts':
      return shellCounts(`ss -Htan | awk '!seen[$4]++ { sub(/:[0-9]+$/, "", $4); n[$4]++ } ${PRINT}'`);
    case 'proc':
      return shellCounts(`awk 'NR > 1 { n[substr($2, 1, 8)]++ } ${PRINT}' /proc/net/tcp`, fromHex);
    case 'procPorts':
      return shellCounts(`awk 'NR > 1 && !seen[$2]++ { n[substr($2, 1, 8)]++ } ${PRINT}' /proc/net/tcp`, fromHex);
  }
}

/** An exit code other than 0 is how `watch` says that the addresses are full. */
function answerOf(error: Error & { stdout?: string; stderr?: string }): { stdout: string } {
  if (!error.stdout) throw new Error(`watch: ${error.stderr ?? error.message}`, { cause: error });
  return { stdout: error.stdout };
}

async function shellCounts(command: string, nameOf = (name: string) => name): Promise<Counts> {
  const { stdout } = await run('sh', ['-c', command]);
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name = '', sockets]) => [nameOf(name), Number(sockets)]),
  );
}

/** An IPv4 address as /proc/net/tcp has it: the bytes of the little-endian word. */
function fromHex(text: string): string {
  return text
    .match(/../g)!
    .map((byte) => Number.parseInt(byte, 16))
    .reverse()
    .join('.');
}

function check(contender: Watcher, counts: Counts, expected: Counts): void {
  for (const [address, sockets] of expected) {
    if (counts.get(address) !== sockets)
      throw new Error(`${contender} counted ${counts.get(address)} of ${address}, where there are ${sockets}`);
  }
  if (counts.size !== expected.size) throw new Error(`${contender} found ${[...counts.keys()].join(', ')}`);
}

async function settled({ sources, attempts }: Churn, deadline: number): Promise<void> {
  const observer = createSocketObserver(sources, PORTS.range);
  try {
    for (;;) {
      const { TIME_WAIT = 0, ...others } = observer.snapshot().states;
      if (TIME_WAIT === attempts && Object.keys(others).length === 0) return;
      if (performance.now() > deadline)
        throw new Error(`found ${TIME_WAIT} sockets in TIME_WAIT and ${JSON.stringify(others)}, not ${attempts}`);
      await sleep(200);
    }
  } finally {
    observer.close();
  }
}

const RUSAGE_CHILDREN = -1;
const usage = nativeBuffer(144);

/** CPU time of this process and of its children that have ended (getrusage(2)), µs. */
function cpuMicros(): number {
  getrusage(RUSAGE_CHILDREN, usage.address);
  const at = (offset: number) => Number(usage.view.getBigInt64(offset, true));
  const { user, system } = process.cpuUsage();
  return user + system + (at(0) + at(16)) * 1e6 + at(8) + at(24);
}
