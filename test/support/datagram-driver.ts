/**
 * A process inside a fresh lab that puts cases of the oracle of UDP to the kernel, one engine call each: sockets are closed at the end of a case,
 * and UDP leaves nothing behind.
 *
 * Standard input: one line of JSON (DatagramInput). Standard output: one line of JSON a case (DatagramAnswer), in order.
 */
import { descriptorLimit } from '../../src/agent/place/limits.js';
import { originTargets, setUpClient, setUpShared } from '../../src/agent/place/network.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin } from '../../src/agent/roles/origin-client.js';
import { familyOf } from '../../src/domain/addresses.js';
import { createSocketObserver } from '../../src/kernel/sock-diag.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { runDatagramEngine } from '../../src/load/datagram/engine-datagram.js';
import { outcomesOf } from '../../src/load/outcome.js';
import { CONTROL, createSharedLoad } from '../../src/load/shared.js';
import { readLines } from '../../src/machine/ndjson.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import type { Outcomes } from '../../src/results/schema.js';
import { attemptsOf, type DatagramCase, OWN_RANGE, RANGE } from './datagram-oracle.js';

export interface DatagramInput {
  /** `shared`: all addresses are in one namespace, as in a guest, which may have cases of both families. */
  readonly where: 'lab' | 'shared';
  /** Of each family that has cases. */
  readonly addresses: readonly string[];
  readonly cases: readonly DatagramCase[];
  /** Attempts beyond P·S; absent: as many again, and ten. */
  readonly beyond?: number;
}

export interface DatagramAnswer {
  readonly outcomes: Outcomes;
  /** Ports in use while all sockets were held, as sock_diag says. */
  readonly ports: number;
}

/** More than there are sockets at once. The engine's tables are as large, and a user-mode kernel is slow to give memory. */
const DESCRIPTORS = 1024;

const input = JSON.parse(await firstLine()) as DatagramInput;
const most = Math.max(...input.cases.map(({ destinations }) => destinations));
const families = [...new Set(input.cases.map(({ family }) => family))];
const targets = families.flatMap((family) => originTargets(family, false, 1, most));
const ofFamily = (family: 4 | 6) => targets.filter(({ address }) => familyOf(address) === family);
const apart = input.where === 'lab';
const origin = await connectOrigin(launchOrigin(apart));
if (apart) setUpClient(input.addresses, families[0]!, origin.pid);
else
  for (const family of families)
    setUpShared(
      input.addresses.filter((address) => familyOf(address) === family),
      ofFamily(family),
      family,
    );
await origin.serve({
  network: apart ? 'veth' : 'shared',
  family: families[0]!,
  hosts: families.map((family) => ({
    listen: ofFamily(family),
    threads: 1,
    plan: { ...LOAD, protocol: 'udp' },
  })),
  neighbours: [],
});
const range = writeSysctl('net.ipv4.ip_local_port_range', `${RANGE.low} ${RANGE.high}`);
if (!range.ok) throw new Error(`ip_local_port_range: ${range.errno}`);
for (const each of input.cases) process.stdout.write(`${JSON.stringify(await ask(each))}\n`);
process.exit(0);

async function firstLine(): Promise<string> {
  for await (const line of readLines(process.stdin)) return line;
  throw new Error('nothing was asked');
}

async function ask(one: DatagramCase): Promise<DatagramAnswer> {
  const plan: LoadPlan = {
    ...LOAD,
    protocol: 'udp',
    strategy: one.strategy,
    peer: one.peer,
    socketOptions: [...one.options],
    arrival: {
      shape: 'fill',
      attempts: attemptsOf(one, input.beyond),
      failures: null,
      inFlight: 1,
      waves: 1,
      pauseMs: 0,
    },
    holdMs: null,
  };
  const shared = createSharedLoad(1);
  const addresses = input.addresses.filter((address) => familyOf(address) === one.family).slice(0, one.addresses);
  // In one namespace, what is bound to no address leaves from that which it goes to.
  const own = [...input.addresses, ...(apart ? [] : targets.map(({ address }) => address))];
  const observer = createSocketObserver([...new Set(own)], RANGE, { transport: 'udp' });
  let ports = -1;
  Atomics.store(shared.control, CONTROL.release, 1);
  await runDatagramEngine(
    {
      plan,
      addresses,
      targets: ofFamily(one.family).slice(0, one.destinations),
      ports: OWN_RANGE,
      worker: 0,
      slot: 0,
      seed: 1,
      ownDescriptors: false,
      descriptorLimit: Math.min(descriptorLimit(), DESCRIPTORS),
      descriptorReserve: 100,
      shared,
    },
    () => {
      ports = observer.snapshot().portsInUse;
    },
  );
  observer.close();
  return { outcomes: outcomesOf(shared.counters), ports };
}
