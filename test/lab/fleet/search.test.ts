// needs: nats-server
/** A search that three agents make, an arm each: what is found is what one machine finds alone, and a dead controller costs no step. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SearchReport } from '../../../src/results/search.js';
import { runCli, until } from '../../support/cli.js';
import { startFleet, type TestFleet } from '../../support/fleet.js';

type Found = SearchReport & { readonly folder: string };

/** A step is short: of TIME_WAIT nothing is over by its end, so that counts are exact, however busy the machine is. */
const PROFILE = `name: rates
addresses: { cidr: 10.50.0.0/24, count: 2 }
load:
  strategy: bind
  arrival: { find: max-rate, from: 1/s, step: 200ms, confirm: 2, tolerance: 4% }
  lagBudget: 10s
  timeout: 30s
sysctls: { net.ipv4.ip_local_port_range: 40000 40049 }
variants:
  - { name: twice, addresses: { count: 4 } }
  - { name: no-port, load: { strategy: bind-no-port }, destinations: { ports: 2 } }
`;
const NAMES = ['a', 'b', 'c'];

/** Without what is of the machine and of the minute. */
function bare({ arms }: SearchReport) {
  return arms.map(({ name, interval, agreement, problem, steps }) => ({
    ...{ name, interval, problem, agreement: agreement?.verdict },
    steps: steps
      .filter(({ discarded }) => !discarded)
      .map(({ rate, notHeld, outcomes }) => ({ rate, notHeld, outcomes })),
  }));
}

/** Lines of steps in the journal of the only folder. */
function stepsIn({ cwd }: TestFleet): { arm: string; step: { id: string } }[] {
  const out = join(cwd, 'reports');
  const [folder] = existsSync(out) ? readdirSync(out) : [];
  const path = join(out, folder ?? '', 'journal.ndjson');
  if (folder === undefined || !existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{"type":"step"')).map((line) => JSON.parse(line));
}

test('a search by a fleet finds, arm by arm, what one machine finds alone', async (t) => {
  const fleet = await startFleet(t);
  await Promise.all(NAMES.map((name) => fleet.agent(name)));
  writeFileSync(join(fleet.cwd, 'rates.yaml'), PROFILE);
  const alone = await runCli(['search', 'rates.yaml', '--json', '--quiet', '--out', 'alone'], { cwd: fleet.cwd });
  assert.equal(alone.code, 0, alone.stderr);
  const end = await fleet.command(['search', 'rates.yaml', '--json', '--quiet', '--agents', '3']).ended;
  assert.equal(end.code, 0, end.stderr);
  const found = JSON.parse(end.stdout) as Found;
  assert.deepEqual(bare(found), bare(JSON.parse(alone.stdout) as Found));
  const machines = found.arms.map(({ steps }) => [...new Set(steps.map(({ machine }) => machine))]);
  for (const names of machines) assert.equal(names.length, 1, `an arm was searched on ${names}`);
  assert.ok(new Set(machines.flat()).size > 1, 'one agent has made all');
  assert.match(readFileSync(join(fleet.cwd, found.folder, 'search.md'), 'utf8'), /made on [abc]/);

  const again = await fleet.command(['search', '--resume', found.folder]).ended;
  assert.equal(again.code, 0, again.stderr);
  assert.equal(stepsIn(fleet).length, found.arms.flatMap(({ steps }) => steps).length, 'a step was made again');
  const here = await runCli(['search', '--resume', found.folder], { cwd: fleet.cwd });
  assert.equal(here.code, 2);
  assert.match(here.stderr, /a fleet has begun .*; resume it there: --fleet WHERE/);
});

test('a search whose controller is killed is resumed from what agents have made, each step once', async (t) => {
  const fleet = await startFleet(t);
  await fleet.agent('a');
  writeFileSync(join(fleet.cwd, 'rates.yaml'), PROFILE);
  const killed = fleet.command(['search', 'rates.yaml']);
  await until('an arm is made', () => stepsIn(fleet).length > 0, 180_000);
  killed.kill('SIGKILL');
  await killed.ended;
  const before = stepsIn(fleet);
  const [folder] = readdirSync(join(fleet.cwd, 'reports'));
  const end = await fleet.command(['search', '--resume', join('reports', folder!), '--json', '--quiet']).ended;
  assert.equal(end.code, 0, end.stderr);
  const found = JSON.parse(end.stdout) as Found;
  for (const { name, problem, interval } of found.arms) assert.ok(interval, `${name}: ${problem}`);
  const steps = stepsIn(fleet);
  assert.deepEqual(steps.slice(0, before.length), before);
  const ids = steps.map(({ arm, step }) => `${arm} ${step.id}`);
  assert.equal(new Set(ids).size, ids.length, 'a step is there twice');

  const lost = await fleet.command(['run', 'rates.yaml', '--together']).ended;
  assert.equal(lost.code, 2);
  assert.match(lost.stderr, /--together is of a rate that is given/);
});
