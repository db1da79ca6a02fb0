/**
 * An experiment that is interrupted keeps what was finished, and goes on where it was.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LOCK_FILE } from '../../src/experiment/folder-lock.js';
import { parseJournal } from '../../src/experiment/journal.js';
import { sealRecord } from '../../src/experiment/journal-record.js';
import { planRuns } from '../../src/experiment/order.js';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { CLI, type RunningCli, runCli, scratchFolder, startCli, until } from '../support/cli.js';
import { loadingAgent, newMark } from '../support/processes.js';
import { TINY_OUTCOMES, tinyProfile } from '../support/tiny.js';

/** Runs of the whole: three arms, twice. */
const RUNS = 6;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends the run in progress, keeps the others, and says how to resume`, async (t) => {
    const { cwd, cli, folder, loading, entries } = await begin(t);
    await until('two runs', () => entries().length >= 2);
    await loading();
    // As Ctrl-C and a lost terminal do it: to every process of the foreground group.
    process.kill(signal === 'SIGTERM' ? cli.pid : -cli.pid, signal);
    // When ssh is lost, the kernel and the shell each send one.
    if (signal === 'SIGHUP') process.kill(-cli.pid, signal);
    const end = await cli.ended;
    assert.equal(end.code, 130, end.stderr);
    assert.match(end.stderr, /^interrupted: ending the run in progress; finished runs are kept/m);
    assert.ok(end.stdout.includes(`Resume with: bindstorm run --resume ${folder}\n`), end.stdout);

    const kept = entries();
    const statuses = kept.map(({ run }) => run.status);
    assert.deepEqual(statuses.slice(0, -1), Array(statuses.length - 1).fill('ok'));
    assert.equal(statuses.at(-1), 'interrupted');
    const partial = resultsOf(cwd, folder);
    assert.equal(partial.experiment.status, 'partial');
    assert.equal(partial.experiment.runsDone, kept.length - 1);
    for (const report of ['report.md', 'report.html']) {
      const text = readFileSync(join(cwd, folder, report), 'utf8');
      assert.ok(text.includes(`This report is partial: ${kept.length - 1} of ${RUNS} runs were done.`), report);
    }
    await completes(cwd, folder);
  });
}

test('a terminal that is gone ends the run in good order, with a partial report', async (t) => {
  // script(1) is the terminal: its end takes the terminal away, as that of sshd does.
  const words = [process.execPath, CLI, 'run', 'tiny.yaml'].map((word) => `'${word}'`).join(' ');
  const { cwd, cli, folder, loading, entries } = await begin(t, 1500, ['script', '-qec', words, '/dev/null']);
  await until('a run', () => entries().length >= 1);
  await loading();
  cli.kill('SIGKILL');
  await cli.ended;
  await until(
    'the end',
    () => existsSync(join(cwd, folder, 'report.html')) && !existsSync(join(cwd, folder, LOCK_FILE)),
    60_000,
  );
  assert.equal(entries().at(-1)!.run.status, 'interrupted');
  assert.equal(resultsOf(cwd, folder).experiment.status, 'partial');
});

test('SIGKILL of the controller loses only the run in progress, even when it tore the last line', async (t) => {
  const { cwd, cli, folder, entries } = await begin(t);
  await until('three runs', () => entries().length >= 3);
  cli.kill('SIGKILL');
  assert.equal((await cli.ended).signal, 'SIGKILL');
  const kept = entries();
  const journal = join(cwd, folder, 'journal.ndjson');
  const last = readFileSync(journal, 'utf8').trimEnd().split('\n').at(-1)!;
  appendFileSync(journal, last.slice(0, last.length / 2));

  // What is there can be reported, the same each time.
  const reports = [];
  for (let i = 0; i < 2; i++) {
    assert.equal((await runCli(['report', folder], { cwd })).code, 0);
    reports.push(readFileSync(join(cwd, folder, 'report.html'), 'utf8'));
  }
  assert.equal(reports[0], reports[1]);
  assert.equal(resultsOf(cwd, folder).experiment.runsDone, kept.length);

  await completes(cwd, folder);

  const again = await runCli(['run', '--resume', folder], { cwd });
  assert.equal(again.code, 0);
  assert.equal(again.stderr, 'nothing was left to run\n');
  assert.equal(entries().length, RUNS, 'no run was made again');
});

test('two cannot write to one folder: the second is told which process has it, and the first is not disturbed', async (t) => {
  // Long enough for two commands to be started meanwhile.
  const { cwd, cli, folder, entries, loading } = await begin(t, 3000);
  await loading();
  for (const args of [
    ['run', '--resume', folder],
    ['report', folder],
  ]) {
    const { code, stdout, stderr } = await runCli(args, { cwd });
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.ok(
      stderr.startsWith(`bindstorm: ${folder} is in use by process ${cli.pid} (bindstorm run tiny.yaml, since `),
      stderr,
    );
    assert.ok(stderr.endsWith(`; wait until it has ended, or end it with: kill ${cli.pid}\n`), stderr);
  }
  const end = await cli.ended;
  assert.equal(end.code, 0, end.stderr);
  assert.equal(entries().length, RUNS);
  assert.equal(existsSync(join(cwd, folder, LOCK_FILE)), false);
  assert.equal((await runCli(['report', folder], { cwd })).code, 0);
});

test('what would make it another experiment is refused', async (t) => {
  const { cwd, cli, folder, loading, entries } = await begin(t);
  await loading();
  cli.kill('SIGINT');
  assert.equal((await cli.ended).code, 130);
  assert.deepEqual(
    entries().map(({ run }) => run.status),
    ['interrupted'],
    'nothing was finished yet',
  );
  const before = readFileSync(join(cwd, folder, 'journal.ndjson'), 'utf8');
  for (const option of ['--seed 2', '--lab netns']) {
    const { code, stderr } = await runCli(['run', '--resume', folder, ...option.split(' ')], { cwd });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^bindstorm: --\w+ cannot be changed on --resume; leave it out, or start again without --resume\n$/,
    );
  }
  const fewer = await runCli(['run', '--resume', folder, '--repeat', '2'], { cwd });
  assert.equal(fewer.code, 2);
  assert.match(fewer.stderr, /has 2 pairs of each variant already; --repeat gives their new total: use more than 2/);
  const { code, stderr } = await runCli(['run', 'tiny.yaml', '--resume', folder], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /leave the profile out/);
  assert.equal(readFileSync(join(cwd, folder, 'journal.ndjson'), 'utf8'), before);

  mkdirSync(join(cwd, 'from-elsewhere'));
  writeFileSync(
    join(cwd, 'from-elsewhere', 'journal.ndjson'),
    resealed(before.replace(/"kernel":"[^"]+"/, '"kernel":"5.10.0-foreign"')),
  );
  const elsewhere = await runCli(['run', '--resume', 'from-elsewhere'], { cwd });
  assert.equal(elsewhere.code, 2);
  assert.match(
    elsewhere.stderr,
    /was begun on another machine or kernel \(kernel was 5\.10\.0-foreign and is .*\), and results of two are not one/,
  );
});

/** Begin an experiment, in a process group of its own as a terminal would. */
async function begin(t: TestContext, loadMs = 300, command?: readonly string[]) {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile({ loadMs, repeat: 2 }));
  const mark = newMark();
  const options = { cwd, env: mark.env, ownGroup: true };
  const cli: RunningCli = command
    ? startCli([], { ...options, program: command })
    : startCli(['run', 'tiny.yaml'], options);
  t.after(() => cli.kill('SIGKILL'));
  const journal = await until('a journal', () => journalIn(cwd));
  return {
    cwd,
    cli,
    folder: join(journal, '..'),
    /** Resolves in the middle of a run's load. */
    loading: () => until('load', () => loadingAgent(mark)),
    /** The runs in the journal so far. */
    entries: () => runLines(join(cwd, journal)),
  };
}

function journalIn(cwd: string): string | undefined {
  const reports = join(cwd, 'reports');
  const [folder] = existsSync(reports) ? readdirSync(reports) : [];
  const journal = folder === undefined ? undefined : join('reports', folder, 'journal.ndjson');
  return journal !== undefined && existsSync(join(cwd, journal)) ? journal : undefined;
}

function runLines(path: string): { run: { id: string; status: string } }[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'run');
}

function resultsOf(cwd: string, folder: string): Results {
  return resultsSchema.parse(JSON.parse(readFileSync(join(cwd, folder, 'results.json'), 'utf8')));
}

/** A journal as a machine with these values would have written it: with checksums that are right. */
function resealed(journal: string): string {
  const entries = journal
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return entries.map(({ n: _, sum: __, ...entry }, i) => `${sealRecord(entry, i + 1)}\n`).join('');
}

/** Resume, and check that exactly the missing runs are made, in their order, and that the whole is right. */
async function completes(cwd: string, folder: string): Promise<void> {
  const path = join(cwd, folder, 'journal.ndjson');
  const { begin, runs } = parseJournal(readFileSync(path, 'utf8'), path, 'run');
  const done = runs.filter(({ status }) => status === 'ok').map(({ id }) => id);
  const planned = planRuns(begin.experiment).map(({ id }) => id);
  assert.deepEqual(done, planned.slice(0, done.length), 'runs are made in the planned order');

  const end = await runCli(['run', '--resume', folder], { cwd });
  assert.equal(end.code, 0, end.stderr);
  assert.match(end.stderr, /block 2\/2 done, 6 of 6 runs, 0 s left\n$/);
  const after = parseJournal(readFileSync(path, 'utf8'), path, 'run');
  assert.equal(after.ended?.status, 'complete');
  const made = after.runs.map(({ id }) => id);
  assert.deepEqual(made, planned);
  const lines = runLines(path).filter(({ run }) => run.status === 'ok');
  assert.equal(lines.length, RUNS, 'no run was made twice');

  const { experiment, variants } = resultsOf(cwd, folder);
  assert.deepEqual([experiment.status, experiment.runsDone], ['complete', RUNS]);
  for (const { name, runs: each } of variants) {
    assert.equal(each.length, 2);
    for (const run of each) {
      assert.deepEqual(run.outcomes, TINY_OUTCOMES[name], run.id);
      assert.ok(existsSync(join(cwd, folder, run.hlog!)));
    }
  }
  assert.equal(variants.find(({ name }) => name === 'wider-range')?.verdict?.verdict, 'better');
  assert.doesNotMatch(readFileSync(join(cwd, folder, 'report.md'), 'utf8'), /partial/);
}
