// needs: nats-server, iproute2, iptables
/** Links that are cut, slow and lossy: each machine of the fleet is a namespace of its own, joined by a bridge. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Results } from '../../../src/results/schema.js';
import { until } from '../../support/cli.js';
import { idsIn, noLabs, said, startFleet, type TestFleet } from '../../support/fleet.js';
import { joinedMachines } from '../../support/fleet-network.js';
import { tinyProfile } from '../../support/tiny.js';

/** Minutes on a machine that is busy with other tests. */
const NOT_LONG = process.env.BINDSTORM_LONG === '1' ? false : 'takes minutes; BINDSTORM_LONG=1 runs it';
const NAMES = ['a', 'b', 'c', 'd'];

/** A run of blocks of half-second runs, whose ids must be there once each. */
function startBlocks(fleet: TestFleet, repeat: number, more: readonly string[] = [], within?: readonly string[]) {
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile({ loadMs: 500, repeat }));
  const args = ['run', 'tiny.yaml', '--fixed', '--quiet', '--json', '--agents', '4', ...more];
  return fleet.command(args, within ? { within } : {});
}

function assertWhole(fleet: TestFleet, stdout: string, repeat: number): Results {
  const results = JSON.parse(stdout) as Results & { folder: string };
  assert.equal(results.experiment.status, 'complete');
  const ids = idsIn(join(fleet.cwd, results.folder));
  assert.equal(ids.length, 3 * repeat);
  assert.equal(new Set(ids).size, 3 * repeat);
  return results;
}

test('a machine whose link is cut for twenty seconds costs no run, and no run is there twice', {
  skip: NOT_LONG,
}, async (t) => {
  const { hub, machines } = await joinedMachines(t, 4);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within });
  const agents = await Promise.all(NAMES.map((name, i) => fleet.agent(name, { within: machines[i]!.within })));
  const running = startBlocks(fleet, 16);
  await until('a block is made', () => agents.some((agent) => agent.stderr().includes(': made')), 300_000);
  machines[0]!.link('down');
  await sleep(20_000);
  machines[0]!.link('up');
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  assertWhole(fleet, stdout, 16);
  await noLabs(fleet);
});

test('a controller whose link is down says so and waits; then it ends with 3, and what was made is kept', {
  skip: NOT_LONG,
}, async (t) => {
  const { hub, machines } = await joinedMachines(t, 5);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within });
  await Promise.all(NAMES.map((name, i) => fleet.agent(name, { within: machines[i]!.within })));
  const { within, link } = machines[4]!;
  const running = startBlocks(fleet, 24, ['--wait', '30s'], within);
  const reports = join(fleet.cwd, 'reports');
  const folder = await until('a folder', () => existsSync(reports) && readdirSync(reports)[0], 300_000).then((name) =>
    join('reports', name),
  );
  await until('a run is in the folder', () => idsIn(join(fleet.cwd, folder)).length > 0, 300_000);
  link('down');
  await said(running, 'the server of the fleet does not answer; waiting up to 30 s');
  link('up');
  await said(running, 'the fleet goes on');
  link('down');
  const { code, stderr } = await running.ended;
  assert.equal(code, 3, stderr);
  link('up');
  const kept = idsIn(join(fleet.cwd, folder));
  const resumed = await fleet.command(['run', '--resume', folder, '--quiet', '--json'], { within }).ended;
  assert.equal(resumed.code, 0, resumed.stderr);
  assertWhole(fleet, resumed.stdout, 24);
  assert.deepEqual(idsIn(join(fleet.cwd, folder)).slice(0, kept.length), kept);
  await noLabs(fleet);
});

test('over a slow link that loses packets a machine makes its blocks as others do', { skip: NOT_LONG }, async (t) => {
  const { hub, machines } = await joinedMachines(t, 4);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within });
  machines[0]!.impair({ kbit: 256, loss: 0.05 });
  await Promise.all(NAMES.map((name, i) => fleet.agent(name, { within: machines[i]!.within })));
  const { code, stdout, stderr } = await startBlocks(fleet, 16).ended;
  assert.equal(code, 0, stderr);
  const { variants } = assertWhole(fleet, stdout, 16);
  const own = variants.flatMap(({ runs }) => runs.filter(({ machine }) => machine === 'a'));
  t.diagnostic(`${own.length / 3} of 16 blocks are of the machine with the slow link`);
  assert.ok(own.length > 0, 'the machine with the slow link has made nothing');
  await noLabs(fleet);
});
