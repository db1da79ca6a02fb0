// needs: nats-server
/** Runs and tables that four agents make: what comes of them is what one machine makes alone. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FixCell, FixReport } from '../../../src/analysis/fixes.js';
import type { Results } from '../../../src/results/schema.js';
import { runCli } from '../../support/cli.js';
import { startFleet } from '../../support/fleet.js';
import { TINY_ARMS, TINY_OUTCOMES, tinyProfile } from '../../support/tiny.js';

type Printed<T> = T & { readonly folder: string };

test('four agents make the blocks of an experiment, each block on one machine, and every run once', async (t) => {
  const fleet = await startFleet(t);
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => fleet.agent(name)));
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile({ repeat: 8 }));
  const run = ['run', 'tiny.yaml', '--fixed', '--quiet', '--json', '--agents', '4'];
  const { code, stdout, stderr } = await fleet.command(run).ended;
  assert.equal(code, 0, stderr);
  const results = JSON.parse(stdout) as Printed<Results>;
  assert.equal(results.experiment.status, 'complete');
  const machines = new Map<number, Set<string>>();
  for (const { name, runs } of results.variants) {
    assert.deepEqual(runs.map(({ block }) => block).sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
    for (const { outcomes, block, machine, hlog } of runs) {
      assert.deepEqual(outcomes, TINY_OUTCOMES[name]);
      machines.set(block, new Set([...(machines.get(block) ?? []), machine!]));
      assert.ok(readFileSync(join(fleet.cwd, results.folder, hlog!), 'utf8').includes('HISTFAAAA'));
    }
  }
  assert.deepEqual(results.variants.map(({ name }) => name).sort(), [...TINY_ARMS].sort());
  for (const [block, names] of machines) assert.equal(names.size, 1, `block ${block} was made on ${[...names]}`);
  assert.ok(new Set([...machines.values()].flatMap((names) => [...names])).size > 1, 'one agent has made all');

  const journal = readFileSync(join(fleet.cwd, results.folder, 'journal.ndjson'), 'utf8');
  const ids = [...journal.matchAll(/"type":"run","run":\{"id":"([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, 24);
  assert.equal(ids.length, 24);

  // The folder is as any other: its report is made again from it, here.
  const report = await runCli(['report', results.folder], { cwd: fleet.cwd });
  assert.equal(report.code, 0, report.stderr);
  const resumed = await fleet.command(['run', '--resume', results.folder, '--quiet']).ended;
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stderr, /nothing was left to run/);
});

test('the table of fixes that a fleet makes is, cell by cell, the one that is made alone', async (t) => {
  const fleet = await startFleet(t);
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => fleet.agent(name)));
  const fixes = [
    'fixes',
    '--strategies',
    'bind,bind-no-port,bind-reuseaddr',
    '--only',
    'no-port,wider-range,tw-recycle',
  ];
  const alone = await runCli([...fixes, '--quiet', '--json', '--out', 'alone'], { cwd: fleet.cwd });
  assert.equal(alone.code, 0, alone.stderr);
  const together = await fleet.command([...fixes, '--quiet', '--json', '--agents', '4']).ended;
  assert.equal(together.code, 0, together.stderr);
  const cells = (text: string) =>
    (JSON.parse(text) as FixReport).tables.map(({ kernel, strategy, baseline, cells }) => [
      kernel,
      strategy,
      bare(baseline),
      Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, bare(cell)])),
    ]);
  assert.deepEqual(cells(together.stdout), cells(alone.stdout));
  assert.equal(cells(together.stdout).length, 3);
});

/** Without what is of the run. */
function bare(cell: FixCell) {
  return cell.kind === 'measured' ? { waves: cell.waves, effect: cell.effect, predicted: cell.predicted } : cell;
}
