// needs: nats-server, iproute2
/** Four machines, each in a namespace of its own, load one target at once; and one whose link is cut makes blocks. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetStatus } from '../../../src/fleet/controller/status.js';
import type { Results } from '../../../src/results/schema.js';
import { startCli, until } from '../../support/cli.js';
import { said, startFleet, type TestFleet } from '../../support/fleet.js';
import { joinedMachines } from '../../support/fleet-network.js';
import { tinyProfile } from '../../support/tiny.js';

const NAMES = ['a', 'b', 'c', 'd'];
/** Minutes on a machine that is busy with other tests. */
const NOT_LONG = process.env.BINDSTORM_LONG === '1' ? false : 'takes minutes; BINDSTORM_LONG=1 runs it';
const TARGET = '10.201.0.1:9000';

function profile(seconds: number): string {
  return `name: together
lab: { kind: host }
allowHostChanges: true
addresses: { list: [10.201.1.1, 10.201.2.1, 10.201.3.1, 10.201.4.1] }
allow: ["${TARGET}"]
destinations: { targets: ["${TARGET}"] }
load:
  arrival: { shape: constant, rate: 200/s, duration: ${seconds}s }
  strategy: bind
  lagBudget: 10s
variants:
  - { name: no-port, load: { strategy: bind-no-port } }
repeat: 2
warmup: 0
`;
}

/** How many agents do something; null: a busy machine gave no answer in time. */
async function doingIn(fleet: TestFleet): Promise<number | null> {
  const { code, stdout } = await fleet.command(['fleet', 'status', '--json']).ended;
  if (code !== 0) return null;
  return (JSON.parse(stdout) as FleetStatus).agents.filter(({ doing }) => doing !== null).length;
}

/** Four machines, their agents, and a target. */
async function fourMachines(t: Parameters<typeof joinedMachines>[0]) {
  const { hub, machines } = await joinedMachines(t, 4);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within });
  const sink = startCli(['sink', '--listen', TARGET], { cwd: fleet.cwd, within: hub.within });
  t.after(() => sink.kill('SIGKILL'));
  const args = ['--allow', TARGET, '--allow-host'];
  const agents = await Promise.all(NAMES.map((name, i) => fleet.agent(name, { args, within: machines[i]!.within })));
  writeFileSync(join(fleet.cwd, 'short.yaml'), profile(1));
  writeFileSync(join(fleet.cwd, 'long.yaml'), profile(30));
  const run = (file: string, out: string) =>
    fleet.command([
      'run',
      file,
      '--lab',
      'host',
      '--together',
      '--agents',
      '4',
      '--force',
      '--out',
      out,
      '--json',
      '--quiet',
    ]);

  return { fleet, agents, machines, args, run };
}

test('four machines load one target at once: one schedule, sums, addresses of their own', async (t) => {
  const { fleet, run } = await fourMachines(t);
  const { code, stdout, stderr } = await run('short.yaml', 'short').ended;
  assert.equal(code, 0, stderr);
  const results = JSON.parse(stdout) as Results;
  const runs = results.variants.flatMap((variant) => variant.runs);
  assert.equal(runs.length, 4);
  for (const { attempts, outcomes, together, latency, ports, problems } of runs) {
    assert.equal(attempts, 200, problems.join('; '));
    assert.deepEqual(outcomes, { ok: 200 });
    assert.deepEqual(
      together!.machines.map(({ name, attempts: own }) => [name, own]),
      NAMES.map((name) => [name, 50]),
    );
    assert.ok(together!.skewMs >= 0 && together!.skewMs < 10_000);
    assert.equal(latency.total!.count, 200);
    assert.equal(ports.peakPerAddress!.length, 4);
  }

  const forbidden = await fleet.command(['run', 'short.yaml', '--lab', 'host', '--force', '--out', 'x', '--quiet'])
    .ended;
  assert.equal(forbidden.code, 2, forbidden.stderr);
  assert.match(forbidden.stderr, /does not have 10\.201\./);
});

test('a machine that is lost is named, and a load ends by itself when its controller is dead', {
  skip: NOT_LONG,
}, async (t) => {
  const { fleet, agents, machines, args, run } = await fourMachines(t);
  const lossy = run('long.yaml', 'lossy');
  await untilDoing(fleet, 4);
  await sleep(1_500);
  agents[3]!.kill('SIGKILL');
  await untilDoing(fleet, 0);
  lossy.kill('SIGKILL');
  await lossy.ended;
  const journal = join(fleet.cwd, 'lossy', readdirSync(join(fleet.cwd, 'lossy'))[0]!, 'journal.ndjson');
  assert.match(readFileSync(journal, 'utf8'), /d was lost during the run/);

  await fleet.agent('d', { args, within: machines[3]!.within });
  const orphaned = run('long.yaml', 'orphaned');
  await untilDoing(fleet, 4);
  await sleep(1_500);
  orphaned.kill('SIGKILL');
  const killed = performance.now();
  await Promise.all(agents.slice(0, 3).map((agent) => said(agent, 'is silent: the load ends')));
  // Three seconds without a beat, and what a busy machine takes to say so; the load itself is thirty seconds long.
  assert.ok(performance.now() - killed < 15_000, 'a load outlived its controller');
  await untilDoing(fleet, 0);
});

async function untilDoing(fleet: TestFleet, count: number): Promise<void> {
  const deadline = performance.now() + 120_000;
  while ((await doingIn(fleet)) !== count) {
    assert.ok(performance.now() < deadline, `waited in vain until ${count} agents do something`);
    await sleep(200);
  }
}

test('a machine whose link is cut for twenty seconds costs no run, and no run is there twice', {
  skip: NOT_LONG,
}, async (t) => {
  const { hub, machines } = await joinedMachines(t, 4);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within });
  const agents = await Promise.all(NAMES.map((name, i) => fleet.agent(name, { within: machines[i]!.within })));
  const repeat = 16;
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile({ loadMs: 500, repeat }));
  const running = fleet.command(['run', 'tiny.yaml', '--fixed', '--quiet', '--json', '--agents', '4']);
  await until('a block is made', () => agents.some((agent) => agent.stderr().includes(': made')));
  machines[0]!.link('down');
  await sleep(20_000);
  machines[0]!.link('up');
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  const results = JSON.parse(stdout) as Results & { folder: string };
  assert.equal(results.experiment.status, 'complete');
  const journal = readFileSync(join(fleet.cwd, results.folder, 'journal.ndjson'), 'utf8');
  const ids = [...journal.matchAll(/"type":"run","run":\{"id":"([^"]+)"/g)].map(([, id]) => id);
  assert.equal(ids.length, 3 * repeat);
  assert.equal(new Set(ids).size, 3 * repeat);
});
