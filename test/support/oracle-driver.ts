/**
 * A process inside a fresh lab that puts many rows of the oracle to the kernel, one engine call each. Rows do not disturb each
 * other, because each has a port range of its own: a TIME_WAIT socket of one row holds no port of another. That makes 576 rows a
 * matter of seconds; the way through agent, pool and controller is tested elsewhere.
 *
 * Standard input: one line of JSON (DriverInput). Standard output: one line of JSON a row (DriverRow), in any order.
 */
import { descriptorLimit } from '../../src/agent/place/limits.js';
import { originTargets, setUpClient, setUpShared } from '../../src/agent/place/network.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin } from '../../src/agent/roles/origin-client.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import type { PortRange } from '../../src/domain/units.js';
import { monotonicMicros } from '../../src/kernel/libc.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { outcomesOf } from '../../src/load/outcome.js';
import { CONTROL, createSharedLoad } from '../../src/load/shared.js';
import { runSocketEngine } from '../../src/load/socket/engine-socket.js';
import { readLines } from '../../src/machine/ndjson.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import type { Outcomes } from '../../src/results/schema.js';

export interface DriverRequest {
  readonly strategy: StrategyName;
  readonly addresses: number;
  readonly destinations: number;
  readonly attempts: number;
  readonly held: boolean;
  /** Ports come free again while a wave lasts, if it lasts too long (steady()). */
  readonly timed: boolean;
  readonly sysctls: Record<string, string>;
  /** Ports of its range, where they are not those of the input. */
  readonly ports?: number;
}

export interface DriverInput {
  readonly where: 'lab' | 'loopback';
  readonly addresses: readonly string[];
  readonly destinations: number;
  /** Ports of each row's own range. */
  readonly ports: number;
  readonly rows: readonly DriverRequest[];
}

export interface DriverRow {
  /** Index of the request. */
  readonly row: number;
  readonly first: Outcomes;
  /** The same attempts again, 1.3 s and more after the end of the first wave; null for held rows. */
  readonly second: Outcomes | null;
  /** False when no try of a wave was short enough to be sure of its counts. */
  readonly steady: boolean;
}

interface Wave {
  readonly outcomes: Outcomes;
  readonly steady: boolean;
}

interface Waiting {
  readonly row: number;
  readonly range: PortRange;
  readonly first: Wave;
  /** When the second wave may begin, µs. */
  readonly due: number;
  readonly tries: number;
}

const FIRST_PORT = 20_000;
const PAUSE = 1_300_000;
/** tcp_tw_reuse_delay is 1 s (6.14). */
const LONGEST_WAVE = 900_000;
/** The kernel's clock of seconds is set by its timer, which may come late. */
const TICK_LATE = 30_000;
/** A wave takes some 50 ms; late in a second it would hardly end in it. */
const LATE = 900_000;
/** In a guest beside two others, on a machine where page tables are dear, none of twenty waves of one row was short enough. */
const TRIES = 60;
/** Descriptors that are not the row's: of Node, of the origin. */
const RESERVE = 256;

const input = JSON.parse(await firstLine()) as DriverInput;
const targets = await setUp();
let nextPort = FIRST_PORT;
await drive();
process.exit(0);

async function firstLine(): Promise<string> {
  for await (const line of readLines(process.stdin)) return line;
  throw new Error('nothing was asked');
}

/** First waves one after the other, and the second wave of each as soon as it may begin. */
async function drive(): Promise<void> {
  const fresh = input.rows.map((_, row) => row);
  const waiting: Waiting[] = [];
  while (fresh.length + waiting.length > 0) {
    const [next] = waiting;
    if (next !== undefined && (next.due <= monotonicMicros() || fresh.length === 0)) {
      waiting.shift();
      await sleep(next.due - monotonicMicros());
      const second = await wave(next.row, next.range);
      if (second.steady || next.tries === TRIES) answer(next.row, next.first, second);
      // What was taken over is in TIME_WAIT anew, and comes back once more.
      else waiting.push({ ...next, due: monotonicMicros() + PAUSE, tries: next.tries + 1 });
    } else await begin(fresh.shift()!, waiting);
  }
}

async function begin(row: number, waiting: Waiting[]): Promise<void> {
  let range = ownRange(row);
  let first = await wave(row, range);
  for (let tries = 1; !first.steady && tries < TRIES; tries++) {
    range = ownRange(row);
    first = await wave(row, range);
  }
  if (input.rows[row]!.held) answer(row, first, null);
  else waiting.push({ row, range, first, due: monotonicMicros() + PAUSE, tries: 1 });
}

function answer(row: number, first: Wave, second: Wave | null): void {
  const steady = first.steady && (second?.steady ?? true);
  const found: DriverRow = { row, first: first.outcomes, second: second?.outcomes ?? null, steady };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

function ownRange(row: number): PortRange {
  const ports = input.rows[row]!.ports ?? input.ports;
  const low = nextPort;
  nextPort += ports;
  return { low, high: nextPort - 1 };
}

async function setUp() {
  const veth = input.where === 'lab';
  const all = originTargets(4, !veth, 1, input.destinations);
  const origin = await connectOrigin(launchOrigin(veth));
  if (veth) setUpClient(input.addresses, 4, origin.pid);
  else setUpShared(input.addresses, all, 4);
  await origin.serve({
    network: veth ? 'veth' : 'shared',
    family: 4,
    hosts: [
      {
        listen: all,
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
  // As the agent does (agent/run.ts): otherwise a reordered ACK can end a TIME_WAIT.
  writeSysctl('net.ipv4.tcp_rfc1337', '1');
  // A machine of 2 GiB lets 8192 sockets into TIME_WAIT, fewer than all rows leave behind.
  writeSysctl('net.ipv4.tcp_max_tw_buckets', '262144');
  return all;
}

/** Where a second has begun for the kernel's timer too, and is not about to end. */
async function goodInstant(): Promise<void> {
  const within = monotonicMicros() % 1e6;
  if (within > LATE) await sleep(1e6 - within + TICK_LATE);
  else await sleep(TICK_LATE - within);
}

/** @param micros nothing is waited for when not above 0 */
async function sleep(micros: number): Promise<void> {
  if (micros > 0) await new Promise((resolve) => setTimeout(resolve, micros / 1000 + 1));
}

/**
 * Whether no port can have come back while the wave lasted: since 6.14 a second must have passed, before it a clock of whole
 * seconds must have ticked (tcp_twsk_unique(), net/ipv4/tcp_ipv4.c).
 */
function steady(begun: number, ended: number): boolean {
  return ended - begun < LONGEST_WAVE && Math.floor((begun - TICK_LATE) / 1e6) === Math.floor(ended / 1e6);
}

async function wave(index: number, range: PortRange): Promise<Wave> {
  const row = input.rows[index]!;
  for (const [name, value] of Object.entries({
    ...row.sysctls,
    'net.ipv4.ip_local_port_range': `${range.low} ${range.high}`,
  })) {
    const result = writeSysctl(name, value);
    if (!result.ok) throw new Error(`${name} = ${value}: ${result.errno}`);
  }
  const plan: LoadPlan = {
    ...LOAD,
    pick: 'round-robin',
    strategy: row.strategy,
    arrival: { shape: 'fill', attempts: row.attempts, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
    holdMs: row.held ? null : 0,
    drain: !row.held,
  };
  const shared = createSharedLoad(1);
  Atomics.store(shared.control, CONTROL.release, 1);
  if (row.timed) await goodInstant();
  const begun = monotonicMicros();
  await runSocketEngine(
    {
      plan,
      addresses: input.addresses.slice(0, row.addresses),
      targets: targets.slice(0, row.destinations),
      ports: range,
      worker: 0,
      slot: 0,
      seed: 1,
      ownDescriptors: false,
      // Tables of this length are made for every wave.
      descriptorLimit: Math.min(descriptorLimit(), row.attempts + 2 * RESERVE),
      descriptorReserve: RESERVE,
      shared,
    },
    () => {},
  );
  return { outcomes: outcomesOf(shared.counters), steady: !row.timed || steady(begun, monotonicMicros()) };
}
