// needs: nats-server
/**
 * What dies, and what is then in the folder: no run is lost or there twice, nothing waits for ever, and nothing goes on after its experiment.
 * A hundred kills are made with BINDSTORM_LONG=1, otherwise a tenth of them.
 */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../../../src/domain/random.js';
import type { FleetStatus } from '../../../src/fleet/controller/status.js';
import type { Results } from '../../../src/results/schema.js';
import { type RunningCli, until } from '../../support/cli.js';
import { idsIn, noLabs, said, startFleet, type TestFleet } from '../../support/fleet.js';
import { otherBuild } from '../../support/fleet-builds.js';
import { namespacesOf } from '../../support/processes.js';
import { TINY_OUTCOMES, tinyProfile } from '../../support/tiny.js';

/** A hundred takes ten minutes; a tenth of them is always made. */
const KILLS = process.env.BINDSTORM_LONG === '1' ? 100 : 10;
/** Blocks at first, and each time that they are made before the last kill. */
const MORE = 10;
/** A controller that nobody kills makes what is left, on a machine that may be busy with other tests. */
const LONGEST_MS = 3_600_000;
const RUN = ['run', 'slow.yaml', '--fixed', '--quiet', '--json'];

/** Runs of half a second. */
function writeSlow(fleet: TestFleet, repeat: number): void {
  writeFileSync(join(fleet.cwd, 'slow.yaml'), tinyProfile({ loadMs: 500, repeat }).replace('name: tiny', 'name: slow'));
}

function folderOf({ cwd }: TestFleet): string | undefined {
  try {
    return readdirSync(join(cwd, 'reports'))[0];
  } catch {
    return undefined;
  }
}

/** Ids of the runs in the only folder. */
function idsOf(fleet: TestFleet): string[] {
  return idsIn(join(fleet.cwd, 'reports', folderOf(fleet) ?? ''));
}

async function statusOf(fleet: TestFleet): Promise<FleetStatus> {
  const { code, stdout, stderr } = await fleet.command(['fleet', 'status', '--json']).ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as FleetStatus;
}

test(`after ${KILLS} kills of agents, controllers and servers each run is in the folder once`, async (t) => {
  const fleet = await startFleet(t);
  const random = randomStream(20261130, 'kills');
  let repeat = MORE;
  writeSlow(fleet, repeat);
  const names = ['a', 'b', 'c', 'd'];
  const agents = new Map<string, RunningCli>();
  for (const name of names) agents.set(name, await fleet.agent(name));
  const start = performance.now();
  let controller = fleet.command([...RUN, '--agents', '4'], { deadlineMs: LONGEST_MS });
  const resume = (...more: string[]) =>
    fleet.command(['run', '--resume', join('reports', folderOf(fleet)!), '--quiet', '--json', ...more], {
      deadlineMs: LONGEST_MS,
    });
  await until('a run is in the folder', () => idsOf(fleet).length > 0, 300_000);
  // On a slow machine an agent needs longer between two kills to get anywhere.
  const pace = Math.max(1, (performance.now() - start) / 10_000);
  const kills = { agent: 0, controller: 0, server: 0 };
  const began = performance.now();
  for (let kill = 0; kill < KILLS; kill++) {
    for (;;) {
      const early = await Promise.race([sleep(pace * (200 + random() * 1_500)), controller.ended]);
      if (!early) break;
      assert.equal(early.code, 0, `the controller has ended after ${kill} kills: ${early.stderr}`);
      repeat += MORE;
      controller = resume('--repeat', String(repeat));
    }
    const what = Math.floor(random() * 6);
    if (what < 4) {
      const name = names[what]!;
      agents.get(name)!.kill('SIGKILL');
      await agents.get(name)!.ended;
      agents.set(name, await fleet.agent(name, { atOnce: true }));
      kills.agent++;
    } else if (what === 4) {
      controller.kill('SIGKILL');
      await controller.ended;
      controller = resume();
      kills.controller++;
    } else {
      fleet.server().kill('SIGKILL');
      await fleet.server().ended;
      await fleet.restart();
      kills.server++;
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  t.diagnostic(
    `${JSON.stringify(kills)} in ${seconds} s; ${idsOf(fleet).length} of ${3 * repeat} runs were made by then`,
  );
  const end = await controller.ended;
  assert.equal(end.code, 0, end.stderr);
  const ids = idsOf(fleet);
  assert.equal(new Set(ids).size, 3 * repeat);
  assert.equal(ids.length, 3 * repeat, 'a run is there twice');
  const results = JSON.parse(end.stdout) as Results;
  assert.equal(results.experiment.status, 'complete');
  for (const { name, runs } of results.variants)
    for (const { outcomes } of runs) assert.deepEqual(outcomes, TINY_OUTCOMES[name]);
  const after = await statusOf(fleet);
  assert.deepEqual(after.experiments, []);
  assert.deepEqual(
    after.agents.filter(({ doing }) => doing !== null),
    [],
  );
  // Nothing runs on: no lab with its processes and namespaces, whoever was killed in the middle of what.
  await noLabs(fleet);
  const own = new Set(fleet.mark.processes().flatMap(({ namespaces }) => namespaces));
  const here = new Set(namespacesOf(process.pid));
  assert.deepEqual(
    [...own].filter((name) => !here.has(name)),
    [],
    'a namespace is left',
  );
});

test('who is missing, of another build, or in the way is refused by name; nothing waits for ever', async (t) => {
  const fleet = await startFleet(t);
  writeSlow(fleet, 4);
  const none = await fleet.command([...RUN, '--wait', '300ms']).ended;
  assert.equal(none.code, 3);
  assert.match(none.stderr, /1 agent is needed, and 0 can be used/);

  await fleet.agent('a');
  const main = otherBuild(join(fleet.cwd, 'other'));
  await fleet.agent('old', { program: [process.execPath, main] });
  const two = await fleet.command([...RUN, '--agents', '2', '--wait', '300ms']).ended;
  assert.equal(two.code, 3);
  assert.match(
    two.stderr,
    /2 agents are needed, and 1 can be used \(a\); old is not taken: bindstorm \S+ of another build/,
  );

  const twin = await fleet.agent('a', { atOnce: true, args: ['--folder', 'twin'] });
  assert.equal((await twin.ended).code, 3);
  assert.match(twin.stderr(), /an agent with the name a is in this fleet already/);
});

test('a full disk, a wrong clock and a second controller spoil nothing', async (t) => {
  const fleet = await startFleet(t);
  writeSlow(fleet, 5);
  await fleet.agent('full', { within: ['prlimit', '--fsize=3000'] });
  const running = fleet.command([...RUN, '--agents', '1', '--wait', '90s']);
  await said(running, 'full takes no part');
  const shifted = `--import ${new URL('../../support/shifted-clock.js', import.meta.url).href}`;
  await fleet.agent('early', { env: { NODE_OPTIONS: shifted } });
  const folder = await until('a folder with a journal', () => folderOf(fleet));
  const [early] = (await statusOf(fleet)).agents.filter(({ name }) => name === 'early');
  assert.ok(Math.abs(early!.clockAheadMs - 180_000) < 10_000, `${early!.clockAheadMs} ms`);

  cpSync(join(fleet.cwd, 'reports', folder), join(fleet.cwd, 'copy'), { recursive: true });
  const second = await fleet.command(['run', '--resume', 'copy', '--quiet']).ended;
  assert.equal(second.code, 3, second.stderr);
  assert.match(second.stderr, /another controller has the experiment/);

  const end = await running.ended;
  assert.equal(end.code, 0, end.stderr);
  const results = JSON.parse(end.stdout) as Results;
  assert.equal(results.experiment.status, 'complete');
  assert.deepEqual(
    new Set(results.variants.flatMap(({ runs }) => runs.map(({ machine }) => machine))),
    new Set(['early']),
  );
  assert.equal(idsOf(fleet).length, 15);
  assert.equal(new Set(idsOf(fleet)).size, 15);
});
