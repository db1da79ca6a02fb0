/**
 * Two real result folders against each other.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ResultComparison } from '../../src/analysis/compare-results.js';
import { writeResults } from '../../src/experiment/folder.js';
import type { Results } from '../../src/results/schema.js';
import { runCli } from '../support/cli.js';
import { tinyProfile } from '../support/tiny.js';

const cwd = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
after(() => rmSync(cwd, { recursive: true, force: true }));

before(async () => {
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  const summary = join(cwd, 'step-summary.md');
  for (const seed of ['1', '2']) {
    const end = await runCli(['run', 'tiny.yaml', '--quiet', '--seed', seed, '--out', `out${seed}`], {
      cwd,
      env: { GITHUB_STEP_SUMMARY: summary },
    });
    assert.equal(end.code, 0, end.stderr);
    cpSync(join(cwd, `out${seed}`, readdirSync(join(cwd, `out${seed}`))[0]!), join(cwd, `day${seed}`), {
      recursive: true,
    });
  }
  // A folder in which only results.json is left, and two runs of the baseline went otherwise.
  cpSync(join(cwd, 'day2', 'results.json'), join(cwd, 'worse', 'results.json'));
  edit('worse', ({ variants }) => {
    for (const run of variants[0]!.runs) run.outcomes = { ok: 30, 'bind:EADDRINUSE': 70 };
  });
  cpSync(join(cwd, 'worse'), join(cwd, 'other-goal'), { recursive: true });
  edit('other-goal', ({ experiment }) => {
    experiment.goal = 'rate';
  });
});

function edit(folder: string, change: (results: Results) => void): void {
  const { sum: _, ...results } = JSON.parse(readFileSync(join(cwd, folder, 'results.json'), 'utf8')) as Results;
  change(results);
  writeResults(join(cwd, folder), results);
}

test('two days of one machine: the exact counts are equal, and only the seed and the day differ', async () => {
  const { code, stdout, stderr } = await runCli(['compare', 'day1', 'day2', '--json'], { cwd });
  assert.equal(stderr, '');
  const comparison = JSON.parse(stdout) as ResultComparison & { a: string; b: string };
  assert.deepEqual([comparison.a, comparison.b, comparison.refused], ['day1', 'day2', null]);
  assert.deepEqual(comparison.differences.map(({ what }) => what).sort(), ['begun', 'seed']);
  assert.deepEqual(
    comparison.arms.map(({ name, metrics }) => [
      name,
      metrics[0]!.kind,
      metrics[0]!.a,
      metrics[0]!.b,
      metrics[0]!.verdict,
    ]),
    [
      ['baseline', 'exact', 0.6, 0.6, 'no difference'],
      ['wider-range', 'exact', 0, 0, 'no difference'],
      ['fin-timeout', 'exact', 0.6, 0.6, 'no difference'],
    ],
  );
  // Two runs say nothing of times, whatever they were.
  assert.equal(code, 0);
});

test('what got worse is told, and is the exit code 1', async () => {
  const { code, stdout } = await runCli(['compare', 'day1', 'worse'], { cwd });
  assert.equal(code, 1);
  assert.match(stdout, /^A: day1\nB: worse\n\nSomething got worse from A to B: .*\n\nWhat differs around them\n/);
  assert.match(stdout, /^baseline +failures +60\.0 % → 70\.0 % +\+10\.0 points +✗ worse$/m);
  assert.match(stdout, /^wider-range +failures +0 % → 0 % +0 points +=? ?no difference$/m);
  assert.equal((await runCli(['compare', 'worse', 'day1'], { cwd })).code, 0, 'better the other way round');
});

test('what cannot be compared is refused with the reason, and is the exit code 6', async () => {
  const { code, stdout } = await runCli(['compare', 'day1', 'other-goal'], { cwd });
  assert.equal(code, 6);
  assert.match(stdout, /^Not compared: their goals differ: .* and rate; compare results of one\s+profile\.$/m);
  assert.doesNotMatch(stdout, /Report:/);
});

test('before and after a change of one’s own: refused unless it is said, and then compared with what was changed', async () => {
  cpSync(join(cwd, 'worse'), join(cwd, 'mine'), { recursive: true });
  edit('mine', ({ variants }) => {
    for (const variant of variants) variant.sysctls['net.ipv4.tcp_tw_reuse'] = '1';
  });
  const refused = await runCli(['compare', 'day1', 'mine'], { cwd });
  assert.equal(refused.code, 6);
  assert.match(
    refused.stdout.replaceAll(/\s+/g, ' '),
    /sysctls\.net\.ipv4\.tcp_tw_reuse is – and 1; if that is a change of your own, add --changed/,
  );
  const { code, stdout } = await runCli(['compare', '--changed', 'day1', 'mine', '--out', 'compared'], { cwd });
  assert.equal(code, 1, 'the exit code follows: the baseline got worse');
  assert.match(stdout, /^baseline: sysctls\.net\.ipv4\.tcp_tw_reuse +– +1$/m);
  const [folder] = readdirSync(join(cwd, 'compared'));
  assert.deepEqual(readdirSync(join(cwd, 'compared', folder!)).sort(), ['compare.html', 'compare.json', 'compare.md']);
  assert.match(stdout, new RegExp(`^Report: compared/${folder}/compare\\.html$`, 'm'));
});

test('a folder that is none is bad input', async () => {
  const none = await runCli(['compare', 'day1', 'nowhere'], { cwd });
  assert.deepEqual([none.code, none.stdout], [2, '']);
  assert.match(none.stderr, /nowhere\/journal\.ndjson does not exist; name a folder that `bindstorm run` has made/);
  const empty = await runCli(['compare', 'out1', 'day1'], { cwd });
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /out1\/journal\.ndjson does not exist/);
});

test('a run in CI has left its short report on the page of the job', () => {
  const summary = readFileSync(join(cwd, 'step-summary.md'), 'utf8');
  assert.equal(summary.match(/^### bindstorm: tiny$/gm)?.length, 2);
  assert.match(summary, /\| \*\*wider-range\*\* \| 60\.0 % → 0 % \| −60\.0 points \| [\d,]+\/s \| ✓ better \|/);
});
