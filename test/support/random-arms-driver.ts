/**
 * A process inside a fresh lab that puts random arms to the kernel, one engine call each (random-arms.ts says why that is fair).
 * Standard input: one line of JSON (ArmsInput). Standard output: one line of JSON an arm, its outcomes, in order.
 */
import { descriptorLimit } from '../../src/agent/place/limits.js';
import { originTargets, setUpClient } from '../../src/agent/place/network.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin } from '../../src/agent/roles/origin-client.js';
import { parsePortRange } from '../../src/domain/units.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import type { EngineInput } from '../../src/load/engine.js';
import { outcomesOf } from '../../src/load/outcome.js';
import { createPool } from '../../src/load/pool.js';
import { CONTROL, createSharedLoad } from '../../src/load/shared.js';
import { runSocketEngine } from '../../src/load/socket/engine-socket.js';
import { readLines } from '../../src/machine/ndjson.js';
import { LOAD } from '../../src/plan/load-settings.js';
import {
  type Answer,
  addressesOf,
  MOST_DESTINATIONS,
  NEIGHBOUR_ADDRESS,
  type RandomArm,
  type RandomNeighbour,
  type Setting,
} from './random-arms.js';

export interface ArmsInput {
  readonly setting: Setting;
  readonly arms: readonly RandomArm[];
}

const { setting, arms } = JSON.parse(await firstLine()) as ArmsInput;
const targets = originTargets(setting.family, false, 1, MOST_DESTINATIONS);
const origin = await connectOrigin(launchOrigin(true));
setUpClient(addressesOf(setting), setting.family, origin.pid);
await origin.serve({
  network: 'veth',
  family: setting.family,
  hosts: [
    {
      listen: targets,
      threads: 1,
      plan: { ...LOAD, close: setting.close, exchange: setting.exchange, holdMs: setting.held === true ? null : 0 },
    },
  ],
  neighbours: [],
});
// As the agent does: otherwise a reordered ACK can end a TIME_WAIT.
writeSysctl('net.ipv4.tcp_rfc1337', '1');
writeSysctl('net.ipv4.tcp_max_tw_buckets', '262144');
for (const [i, arm] of arms.entries()) process.stdout.write(`${JSON.stringify(await run(arm, i))}\n`);
process.exit(0);

async function firstLine(): Promise<string> {
  for await (const line of readLines(process.stdin)) return line;
  throw new Error('nothing was asked');
}

async function run({ sysctls, load, addresses, destinations, neighbour }: RandomArm, seed: number): Promise<Answer> {
  for (const [name, value] of Object.entries(sysctls)) {
    const result = writeSysctl(name, value === '' ? '\n' : value);
    if (!result.ok && result.errno !== 'ENOENT') throw new Error(`${name} = ${value}: ${result.errno}`);
  }
  if (destinations.kind !== 'lab') throw new Error('only the lab is loaded');
  const input = {
    plan: load,
    addresses,
    targets: targets.slice(0, destinations.ports),
    ports: load.ports ?? parsePortRange(sysctls['net.ipv4.ip_local_port_range']!),
    seed,
    descriptorLimit: Math.min(descriptorLimit(), 8192),
    descriptorReserve: 100,
  };
  if (load.workers > 1 || neighbour !== null) return runPools(input, neighbour);
  const shared = createSharedLoad(1);
  Atomics.store(shared.control, CONTROL.release, 1);
  const { waves } = await runSocketEngine({ ...input, worker: 0, slot: 0, ownDescriptors: false, shared }, () => {});
  return { outcomes: outcomesOf(shared.counters), waves: waves.map(({ counters }) => outcomesOf([counters])) };
}

/** With threads, as the agent has them; and beside them another program's. */
async function runPools(
  input: Omit<EngineInput, 'worker' | 'slot' | 'shared'>,
  neighbour: RandomNeighbour | null,
): Promise<Answer> {
  const main = await createPool(input);
  const other = neighbour && (await createPool({ ...input, ...besideOf(neighbour) }));
  main.start(5_000);
  if (neighbour?.afterMs === 0) other?.start(5_000);
  await main.drained;
  if (neighbour?.afterMs === null) other?.start(1_000);
  await other?.drained;
  await other?.finish();
  const { outcomes, waves } = await main.finish();
  return { outcomes, waves: waves.map((wave) => wave.outcomes) };
}

function besideOf({ strategy, attempts }: RandomNeighbour): Pick<EngineInput, 'plan' | 'addresses'> {
  const arrival = { shape: 'fill', attempts, failures: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;
  const { close, exchange } = setting;
  return {
    plan: { ...LOAD, strategy, arrival, close, exchange, holdMs: null },
    addresses: [addressesOf(setting)[NEIGHBOUR_ADDRESS]!],
  };
}
