/**
 * A process inside a fresh lab that holds many connections while others come and go, and says as JSON how many it has: one line when all are
 * held, one when the last that came has gone. Standard input: one line of JSON (ChurnInput); its end ends the process.
 */
import { DESCRIPTOR_RESERVE, descriptorLimit, originThreads } from '../../src/agent/place/limits.js';
import { originTargets, setUpClient } from '../../src/agent/place/network.js';
import { launchOrigin } from '../../src/agent/roles/launch.js';
import { connectOrigin } from '../../src/agent/roles/origin-client.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { createPool } from '../../src/load/pool.js';
import { readLines } from '../../src/machine/ndjson.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { LoadPlan } from '../../src/plan/plan.js';

export interface ChurnInput {
  readonly addresses: number;
  /** Connections that each address holds. */
  readonly each: number;
  /** Connections a second that come and go beside them, and for how long. */
  readonly rate: number;
  readonly seconds: number;
}

const lines = readLines(process.stdin);
const { addresses: count, each, rate, seconds } = JSON.parse((await lines.next()).value as string) as ChurnInput;
void lines.next().then(() => process.exit(0));
const addresses = Array.from({ length: count }, (_, i) => `10.50.${i >> 7}.${1 + (i & 127)}`);
const room = descriptorLimit() - DESCRIPTOR_RESERVE;
const held: LoadPlan = {
  ...LOAD,
  strategy: 'bind-no-port',
  arrival: { shape: 'fill', attempts: count * each, failures: null, inFlight: 32, waves: 1, pauseMs: 0 },
  workers: Math.ceil((count * each) / (room - 100)),
  holdMs: null,
  timeoutMs: 60_000,
};
const passing: LoadPlan = {
  ...LOAD,
  strategy: 'bind-no-port',
  arrival: { shape: 'constant', rate, durationMs: seconds * 1000 },
  holdMs: 0,
  timeoutMs: 60_000,
};
const origin = await connectOrigin(launchOrigin(true));
setUpClient(addresses, 4, origin.pid);
writeSysctl('net.ipv4.ip_local_port_range', '10000 20000');
writeSysctl('net.ipv4.tcp_max_tw_buckets', '1000000');
const [first, second] = originTargets(4, false, 1, 2);
const hosts = [
  { listen: [first!], threads: originThreads(held), plan: held },
  { listen: [second!], threads: 1, plan: passing },
];
await origin.serve({ network: 'veth', family: 4, hosts, neighbours: [] });
const common = { addresses, ports: { low: 10_000, high: 20_000 }, descriptorLimit: descriptorLimit(), seed: 1 };
const [main, beside] = await Promise.all(
  [held, passing].map((plan, i) =>
    createPool({ ...common, plan, targets: [[first!, second!][i]!], descriptorReserve: DESCRIPTOR_RESERVE }),
  ),
);
main!.start(5_000);
await main!.drained;
process.stdout.write(`${JSON.stringify(main!.outcomes())}\n`);
beside!.start(5_000);
await beside!.drained;
process.stdout.write(`${JSON.stringify((await beside!.finish()).outcomes)}\n`);
