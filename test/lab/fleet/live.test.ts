// needs: nats-server, iproute2
/** What somebody who looks at an experiment of a fleet sees while it goes on: each machine, and all together. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningCli, startCli, until } from '../../support/cli.js';
import { startFleet } from '../../support/fleet.js';
import { joinedMachines } from '../../support/fleet-network.js';
import { tinyProfile } from '../../support/tiny.js';

/** Sums of counters, by machine; `together` is that of all. */
interface Counts {
  readonly machines: Readonly<Record<string, number>>;
  readonly together: number;
}

/** Reads /metrics until the run is over. @param within the namespace of the command @returns all that was seen */
async function watched(running: RunningCli, within: readonly string[], cwd: string): Promise<Counts[]> {
  const url = await until('the live page', () => /^live: (\S+)$/m.exec(running.stderr())?.[1]);
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  const seen: Counts[] = [];
  const script = `fetch(${JSON.stringify(`${url}metrics`)}).then((a) => a.text()).then((t) => process.stdout.write(t), () => {})`;
  while (!isOver) {
    const { stdout } = await startCli(['-e', script], { cwd, within, program: [process.execPath] }).ended;
    seen.push(countsIn(stdout));
    await sleep(150);
  }
  return seen;
}

function countsIn(text: string): Counts {
  const machines: Record<string, number> = {};
  let together = 0;
  for (const line of text.split('\n')) {
    const of = /^bindstorm_run_machine_attempts_total\{machine="([^"]+)".*\} (\d+)$/.exec(line);
    if (of) machines[of[1]!] = (machines[of[1]!] ?? 0) + Number(of[2]);
    together += Number(/^bindstorm_run_attempts_total\{.*\} (\d+)$/.exec(line)?.[1] ?? 0);
  }
  return { machines, together };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test('a matrix: /metrics has the attempts of each machine while they end, and their sum', async (t) => {
  const fleet = await startFleet(t);
  await Promise.all(['a', 'b'].map((name) => fleet.agent(name)));
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile({ loadMs: 1_500, repeat: 4 }));
  const running = fleet.command(['run', 'tiny.yaml', '--fixed', '--quiet', '--agents', '2', '--live', '0']);
  const seen = await watched(running, [], fleet.cwd);
  const { code, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  for (const { machines, together } of seen) assert.equal(sum(Object.values(machines)), together);
  assert.ok(
    seen.some(({ machines }) => (machines.a ?? 0) > 0 && (machines.b ?? 0) > 0),
    JSON.stringify(seen.at(-1)),
  );
  assert.ok(new Set(seen.map(({ together }) => together)).size > 3, 'it did not grow while the runs went on');
});

test('together: /metrics has what each machine does of one run, and the whole', async (t) => {
  const target = '10.201.0.1:9000';
  const { hub, machines } = await joinedMachines(t, 2);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within });
  const sink = startCli(['sink', '--listen', target], { cwd: fleet.cwd, within: hub.within });
  t.after(() => sink.kill('SIGKILL'));
  const args = ['--allow', target, '--allow-host'];
  await Promise.all(['a', 'b'].map((name, i) => fleet.agent(name, { args, within: machines[i]!.within })));
  writeFileSync(
    join(fleet.cwd, 'together.yaml'),
    `name: together
lab: { kind: host }
allowHostChanges: true
addresses: { list: [10.201.1.1, 10.201.2.1] }
allow: ["${target}"]
destinations: { targets: ["${target}"] }
load:
  arrival: { shape: constant, rate: 100/s, duration: 4s }
  strategy: bind
  lagBudget: 10s
variants:
  - { name: no-port, load: { strategy: bind-no-port } }
repeat: 1
warmup: 0
`,
  );
  const run = ['run', 'together.yaml', '--lab', 'host', '--together', '--agents', '2', '--force', '--quiet'];
  const running = fleet.command([...run, '--live', '0']);
  const seen = await watched(running, hub.within, fleet.cwd);
  const { code, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  const shared = seen.filter(({ machines }) => (machines.a ?? 0) > 0 && (machines.b ?? 0) > 0);
  assert.ok(shared.length > 0, JSON.stringify(seen));
  // The whole of a second is told when both have said it.
  for (const { machines, together } of seen) assert.ok(together <= sum(Object.values(machines)));
  assert.ok(shared.some(({ together }) => together > 0));
});
