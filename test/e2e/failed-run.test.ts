/**
 * A run that fails is recorded with its reason and does not take the others with it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { runCli, scratchFolder, startCli, until } from '../support/cli.js';
import { killRole, loadingAgent, newMark } from '../support/processes.js';
import { TINY_OUTCOMES, tinyProfile } from '../support/tiny.js';

test('an agent that is killed: its run failed, the others are made, exit code 4', async (t) => {
  const { cwd, cli, mark, results } = begin(t);
  const { pid } = await until('load', () => loadingAgent(mark));
  process.kill(pid, 'SIGKILL');
  const end = await cli.ended;
  assert.equal(end.code, 4, end.stderr);
  const { folder, experiment, runs } = results();
  const failed = runs.filter(({ status }) => status === 'failed');
  assert.equal(failed.length, 1);
  const [run] = failed;
  assert.deepEqual(run?.problems, ['the agent was killed by SIGKILL']);
  assert.deepEqual([run?.valid, run?.attempts, run?.outcomes, run?.hlog], [false, 0, {}, null], 'nothing is made up');
  assert.match(end.stderr, new RegExp(`^${run?.id} failed: the agent was killed by SIGKILL$`, 'm'));

  assert.equal(runs.length, 6);
  for (const other of runs.filter((candidate) => candidate !== run)) {
    assert.equal(other.status, 'ok');
    assert.deepEqual(other.outcomes, TINY_OUTCOMES[other.variant], other.id);
  }
  assert.equal(experiment.status, 'complete', 'a failed run is done');
  for (const report of ['report.md', 'report.html']) {
    const text = readFileSync(join(cwd, folder, report), 'utf8');
    assert.ok(text.includes(run!.id), `${report} names the run`);
    assert.ok(text.includes('failed'), report);
  }
  assert.match(end.stdout, new RegExp(`1 of 6 runs left out of every comparison: ${run?.id} \\(failed\\)`));

  // It can be made again.
  const resumed = await runCli(['run', '--resume', folder], { cwd });
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(
    results().runs.every((made) => made.status === 'ok' && made.outcomes.ok === TINY_OUTCOMES[made.variant]?.ok),
  );
});

test('an origin that is killed: the run failed, with what the agent said of it', async (t) => {
  const { cli, mark, results } = begin(t);
  await until('load', () => loadingAgent(mark));
  assert.equal(killRole(mark, 'origin'), 1);
  const end = await cli.ended;
  assert.equal(end.code, 4, end.stderr);
  const [run, ...more] = results().runs.filter(({ status }) => status === 'failed');
  assert.deepEqual(more, []);
  assert.deepEqual(run?.problems, ['the origin was killed by SIGKILL before the run was over']);
  assert.match(
    run?.stderr ?? '',
    /the origin was killed by SIGKILL before the run was over\n +at /,
    'the stack is kept for whoever looks into it',
  );
});

test('three failures in a row: the rest is not tried, and can be made later', async (t) => {
  const { cwd, cli, mark, results } = begin(t);
  const killed = new Set<number>();
  let over = false;
  void cli.ended.then(() => {
    over = true;
  });
  while (!over) {
    const agent = await until('load', () => over || loadingAgent(mark));
    if (agent === true || killed.has(agent.pid)) continue;
    killed.add(agent.pid);
    process.kill(agent.pid, 'SIGKILL');
  }
  const end = await cli.ended;
  assert.equal(end.code, 4, end.stderr);
  assert.equal(killed.size, 3);
  assert.match(end.stdout, /^Given up: 3 runs in a row failed, the last with: the agent was killed by SIGKILL$/m);
  const { folder, experiment, runs } = results();
  assert.deepEqual([experiment.status, runs.length], ['partial', 3]);
  assert.ok(end.stdout.includes(`Resume with: bindstorm run --resume ${folder}\n`));
  assert.equal((await runCli(['run', '--resume', folder], { cwd })).code, 0);
  assert.equal(results().experiment.status, 'complete');
});

function begin(t: TestContext) {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile({ loadMs: 300 }));
  const mark = newMark();
  const cli = startCli(['run', 'tiny.yaml'], { cwd, env: mark.env });
  t.after(() => cli.kill('SIGKILL'));
  const results = () => {
    const folder = join('reports', readdirSync(join(cwd, 'reports'))[0]!);
    const read: Results = resultsSchema.parse(JSON.parse(readFileSync(join(cwd, folder, 'results.json'), 'utf8')));
    return { ...read, folder, runs: read.variants.flatMap(({ runs }) => runs) };
  };
  return { cwd, cli, mark, results };
}

test('a fill that by the rules never has the failure it waits for: plan and run refuse it, and nothing is started', async (t) => {
  const cwd = scratchFolder(t);
  const profile = (close: string) => `name: endless
addresses: 10.50.0.1/32
load: { strategy: bind, close: ${close}, hold: 0s, arrival: { shape: fill, failures: 1 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants: [{ name: tw-reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }]
`;
  writeFileSync(join(cwd, 'endless.yaml'), profile('reset'));
  for (const command of ['plan', 'run']) {
    const { code, stderr } = await runCli([command, 'endless.yaml'], { cwd });
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /endless\.yaml:3:\d+: load\.arrival: this fill ends at failures, but no attempt ever fails: a close/,
    );
  }
  assert.deepEqual(readdirSync(cwd), ['endless.yaml']);
  writeFileSync(join(cwd, 'bounded.yaml'), profile('client'));
  const { stdout } = await runCli(['plan', 'bounded.yaml'], { cwd });
  assert.match(stdout, /fill to 1 failure or 10m, 32 in flight/, 'the bound is said');
});
