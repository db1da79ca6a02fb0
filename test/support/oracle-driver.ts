/**
 * A process inside a fresh lab that puts many rows of the oracle to the kernel, one engine call each. Rows do not disturb each
 * other, because each has a port range of its own: a TIME_WAIT socket of one row holds no port of another. That makes 576 rows a
 * matter of seconds; the way through agent, pool and controller is tested elsewhere.
 *
 * Standard input: one JSON object (DriverInput). Standard output: one JSON object a row (DriverRow).
 */
import { text } from 'node:stream/consumers';
import { descriptorLimit } from '../../src/agent/limits.js';
import { originTargets, setUpClient, setUpShared } from '../../src/agent/network.js';
import { connectOrigin } from '../../src/agent/origin-client.js';
import { launchOrigin } from '../../src/agent/origin-launch.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { runSocketEngine } from '../../src/load/engine-socket.js';
import { outcomesOf, totalOf } from '../../src/load/outcome.js';
import { CONTROL, createSharedLoad } from '../../src/load/shared.js';
import { LOAD } from '../../src/profile/defaults.js';
import type { LoadPlan } from '../../src/profile/plan.js';
import type { StrategyName } from '../../src/profile/strategy.js';
import type { Outcomes } from '../../src/results/schema.js';

export interface DriverRequest {
  readonly strategy: StrategyName;
  readonly addresses: number;
  readonly destinations: number;
  readonly attempts: number;
  readonly held: boolean;
  readonly sysctls: Record<string, string>;
}

export interface DriverInput {
  readonly where: 'lab' | 'loopback';
  readonly addresses: readonly string[];
  readonly destinations: number;
  /** Ports of each row's own range. */
  readonly ports: number;
  readonly rows: readonly DriverRequest[];
}

export interface DriverWave {
  readonly attempts: number;
  readonly outcomes: Outcomes;
  /** Milliseconds that the wave took. */
  readonly ms: number;
}

export interface DriverRow {
  readonly first: DriverWave;
  /** The same attempts again, 1.3 s and more after the end of the first wave; null for held rows. */
  readonly second: DriverWave | null;
}

const FIRST_PORT = 20_000;
const PAUSE_MS = 1300;

const input = JSON.parse(await text(process.stdin)) as DriverInput;
const targets = await setUp();
const waves = input.rows.map((row, i) => ({ row, i, first: wave(row, i) }));
await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
for (const { row, i, first } of waves) {
  const answer: DriverRow = { first, second: row.held ? null : wave(row, i) };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);

async function setUp() {
  const veth = input.where === 'lab';
  const all = originTargets(4, !veth, 1, input.destinations);
  const origin = await connectOrigin(launchOrigin(veth));
  if (veth) setUpClient(input.addresses, 4, origin.pid);
  else setUpShared(input.addresses, all, 4);
  await origin.serve({
    type: 'serve',
    network: veth ? 'veth' : 'shared',
    family: 4,
    listen: all,
    plan: { close: 'client', holdMs: 0, exchange: null, protocol: 'tcp', body: 0, sink: 'accept' },
  });
  // As the agent does (agent/run.ts): otherwise a reordered ACK can end a TIME_WAIT.
  writeSysctl('net.ipv4.tcp_rfc1337', '1');
  return all;
}

function wave(row: DriverRequest, i: number): DriverWave {
  const low = FIRST_PORT + i * input.ports;
  const range = { low, high: low + input.ports - 1 };
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
  const begun = performance.now();
  runSocketEngine(
    {
      plan,
      addresses: input.addresses.slice(0, row.addresses),
      targets: targets.slice(0, row.destinations),
      ports: range,
      worker: 0,
      seed: 1,
      descriptorLimit: descriptorLimit(),
      descriptorReserve: 100,
      shared,
    },
    () => {},
  );
  const outcomes = outcomesOf(shared.counters);
  return { attempts: totalOf(outcomes), outcomes, ms: performance.now() - begun };
}
