// needs: nats-server
/**
 * What dies, and what is then in the folder: no run is lost or there twice, nothing waits for ever, and nothing goes on after its experiment.
 * The hundred kills are made with BINDSTORM_LONG=1 only.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../../../src/domain/random.js';
import type { FleetStatus } from '../../../src/fleet/controller/status.js';
import type { Results } from '../../../src/results/schema.js';
import { ROOT, type RunningCli, until } from '../../support/cli.js';
import { said, startFleet, type TestFleet } from '../../support/fleet.js';
import { TINY_OUTCOMES, tinyProfile } from '../../support/tiny.js';

const KILLS = 100;
/** Half an hour on a machine that is busy with other tests. */
const NOT_LONG = process.env.BINDSTORM_LONG === '1' ? false : 'takes long; BINDSTORM_LONG=1 runs it';
const RUN = ['run', 'slow.yaml', '--fixed', '--quiet', '--json'];

/** Runs of half a second. */
function writeSlow(fleet: TestFleet, repeat: number): void {
  writeFileSync(join(fleet.cwd, 'slow.yaml'), tinyProfile({ loadMs: 500, repeat }).replace('name: tiny', 'name: slow'));
}

/** Ids of the runs in the journal of the only folder, as often as they are there. */
function idsIn(fleet: TestFleet): string[] {
  const journal = readFileSync(join(fleet.cwd, 'reports', folderOf(fleet)!, 'journal.ndjson'), 'utf8');
  return [...journal.matchAll(/"type":"run","run":\{"id":"([^"]+)"/g)].map(([, id]) => id!);
}

function folderOf({ cwd }: TestFleet): string | undefined {
  try {
    return readdirSync(join(cwd, 'reports'))[0];
  } catch {
    return undefined;
  }
}

async function statusOf(fleet: TestFleet): Promise<FleetStatus> {
  const { code, stdout, stderr } = await fleet.command(['fleet', 'status', '--json']).ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as FleetStatus;
}

test(`after ${KILLS} kills of agents, controllers and servers each run is in the folder once`, {
  skip: NOT_LONG,
}, async (t) => {
  const fleet = await startFleet(t);
  const random = randomStream(20261130, 'kills');
  const repeat = 4 + Math.ceil(KILLS / 2);
  writeSlow(fleet, repeat);
  const names = ['a', 'b', 'c', 'd'];
  const agents = new Map<string, RunningCli>();
  for (const name of names) agents.set(name, await fleet.agent(name));
  let controller = fleet.command([...RUN, '--agents', '4']);
  await until('a folder', () => folderOf(fleet) !== undefined);
  const resume = () => fleet.command(['run', '--resume', join('reports', folderOf(fleet)!), '--quiet', '--json']);
  let isOver = false;
  for (let kill = 0; kill < KILLS && !isOver; kill++) {
    await Promise.race([sleep(200 + random() * 1_500), controller.ended]);
    isOver = idsIn(fleet).length === 3 * repeat;
    const what = Math.floor(random() * 6);
    if (what < 4) {
      const name = names[what]!;
      agents.get(name)!.kill('SIGKILL');
      await agents.get(name)!.ended;
      agents.set(name, await fleet.agent(name, { atOnce: true }));
    } else if (what === 4) {
      controller.kill('SIGKILL');
      await controller.ended;
      controller = resume();
    } else {
      fleet.server().kill('SIGKILL');
      await fleet.server().ended;
      await fleet.restart();
    }
  }
  let end = await controller.ended;
  // One that could not reach the server that was just killed says so, and is asked again.
  for (let tries = 0; tries < 3 && end.code === 3; tries++) end = await resume().ended;
  assert.equal(end.code, 0, end.stderr);
  const ids = idsIn(fleet);
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
});

test('who is missing, of another build, or in the way is refused by name; nothing waits for ever', async (t) => {
  const fleet = await startFleet(t);
  writeSlow(fleet, 4);
  const none = await fleet.command([...RUN, '--wait', '300ms']).ended;
  assert.equal(none.code, 3);
  assert.match(none.stderr, /1 agent is needed, and 0 can be used/);

  await fleet.agent('a');
  const other = join(fleet.cwd, 'other');
  mkdirSync(join(other, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'dist', 'bundle'), join(other, 'dist', 'bundle'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(other, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(other, 'node_modules'));
  const main = join(other, 'dist', 'bundle', 'cli', 'main.js');
  writeFileSync(main, `${readFileSync(main, 'utf8')}\n// of another build\n`);
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
  assert.equal(new Set(idsIn(fleet)).size, 15);
});
