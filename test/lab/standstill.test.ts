/** A run whose processes are all stopped for a while is not valid, whatever the shape of its load. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readResults } from '../../src/experiment/folder.js';
import { scratchFolder, startCli, until } from '../support/cli.js';
import { loadingAgent, newMark } from '../support/processes.js';

const SHAPES = {
  hold: 'hold: 200ms, arrival: { shape: hold, connections: 5, duration: 2s }',
  fill: 'arrival: { shape: fill, attempts: 90, waves: 3, pause: 700ms }',
  constant: 'arrival: { shape: constant, rate: 50/s, duration: 2s }, lagBudget: 30s',
};
/** Longer than the shortest that counts. */
const STOPPED_MS = 3_000;

for (const [shape, load] of Object.entries(SHAPES))
  test(`stopped for 3 s: ${shape}`, async (t) => {
    const cwd = scratchFolder(t);
    writeFileSync(
      join(cwd, 'still.yaml'),
      `name: still
addresses: 10.50.0.0/28
load: { strategy: bind, ${load}, timeout: 30s }
variants: [{ name: v, load: { workers: 1 } }]
repeat: 1
warmup: 0
`,
    );
    const mark = newMark();
    const cli = startCli(['run', 'still.yaml', '--quiet', '--force'], { cwd, env: mark.env });
    const agent = await until('load', () => loadingAgent(mark));
    const all = mark.processes().filter(({ role }) => role !== 'unshare');
    for (const { pid } of all) process.kill(pid, 'SIGSTOP');
    await wait(STOPPED_MS);
    for (const { pid } of all) process.kill(pid, 'SIGCONT');
    assert.ok(all.some(({ pid }) => pid === agent.pid));
    const { code, stderr, stdout } = await cli.ended;
    assert.equal(code, 0, stderr);
    const runs = readResults(join(cwd, 'reports', readdirSync(join(cwd, 'reports'))[0]!)).variants.flatMap(
      (variant) => variant.runs,
    );
    const still = runs.filter(({ problems }) =>
      problems.some((text) => /^the run stood still for \S+s during/.test(text)),
    );
    assert.equal(still.length, 1, JSON.stringify(runs.map(({ problems }) => problems)));
    assert.deepEqual([still[0]!.status, still[0]!.valid], ['ok', false]);
    assert.match(stdout.replace(/\s+/g, ' '), /left out of every comparison: \S+ \(the run stood still/);
    assert.deepEqual(runs.find((run) => run !== still[0])?.problems, []);
  });

test('what an origin that was stopped has not accepted by the end of the load is accepted, and counted', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(
    join(cwd, 'behind.yaml'),
    `name: behind
addresses: 10.50.0.0/28
load: { strategy: bind, arrival: { shape: constant, rate: 500/s, duration: 2s }, hold: 100ms, lagBudget: 30s }
variants: [{ name: v, load: { workers: 1 } }]
repeat: 1
warmup: 0
`,
  );
  const mark = newMark();
  const cli = startCli(['run', 'behind.yaml', '--quiet', '--force'], { cwd, env: mark.env });
  await until('load', () => loadingAgent(mark));
  const origins = mark.processes().filter(({ role }) => role === 'origin');
  assert.ok(origins.length > 0);
  for (const { pid } of origins) process.kill(pid, 'SIGSTOP');
  await wait(STOPPED_MS);
  for (const { pid } of origins) process.kill(pid, 'SIGCONT');
  const { code, stderr } = await cli.ended;
  assert.equal(code, 0, stderr);
  const results = readResults(join(cwd, 'reports', readdirSync(join(cwd, 'reports'))[0]!));
  const runs = results.variants.flatMap((variant) => variant.runs);
  assert.deepEqual(
    runs.map(({ origin }) => origin?.accepted),
    runs.map(({ outcomes }) => outcomes.ok),
  );
});
