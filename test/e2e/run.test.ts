/**
 * A small experiment from the profile to the report, as a user makes it.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as hdr from 'hdr-histogram-js';
import { picturesOf } from '../../src/report/pictures.js';
import { resultsJsonSchema } from '../../src/results/json-schema.js';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { type CliEnd, runCli, scratchFolder } from '../support/cli.js';
import { violations } from '../support/json-schema.js';
import { TINY_ARMS, TINY_ATTEMPTS, TINY_OUTCOMES, tinyProfile } from '../support/tiny.js';

const cwd = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
after(() => rmSync(cwd, { recursive: true, force: true }));

let end: CliEnd;
/** The result folder, relative to cwd. */
let folder: string;
let results: Results;

before(async () => {
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  end = await runCli(['run', 'tiny.yaml'], { cwd });
  folder = join('reports', readdirSync(join(cwd, 'reports'))[0]!);
  results = whole(stored('results.json'));
});

/** What a file holds beside its checksum. */
const whole = (text: string): Results => {
  const { sum: _, ...rest } = resultsSchema.parse(JSON.parse(text));
  return rest;
};
const stored = (name: string) => readFileSync(join(cwd, folder, name), 'utf8');
const armOf = (name: string) => results.variants.find((variant) => variant.name === name)!;

test('ends with 0, progress apart from the summary, and says where the report is', () => {
  assert.equal(end.code, 0, end.stderr);
  // A machine that is busy takes more than ten seconds for a run.
  const said = end.stderr.replaceAll(/^(?:waiting for|running) .*\n/gm, '');
  assert.match(said, /^block 1\/2 done, 3 of 6 runs, .* left\nblock 2\/2 done, 6 of 6 runs, 0 s left\n$/);
  assert.match(end.stdout, /60\.0 % of connection attempts failed .*\(bind:EADDRINUSE\)/s);
  assert.ok(end.stdout.includes(`Report:  ${folder}/report.html\nResults: ${folder}\n`), end.stdout);
  assert.ok(!end.stdout.includes('\u001b'), 'no colours into a pipe');
});

test('leaves a complete folder, and the profile as it was', () => {
  const files = readdirSync(join(cwd, folder), { recursive: true }).map(String).sort();
  const hlogs = [0, 1].flatMap((block) => TINY_ARMS.map((arm) => `hlog/b0${block}-${arm}.hlog`));
  const made = ['journal.ndjson', 'profile.yaml', 'results.json'];
  const reports = ['report.html', 'report.md', 'summary.md', 'junit.xml', 'seconds.csv'];
  const pictures = ['charts', ...picturesOf(results).flatMap(({ path }) => [path, path.replace(/\.svg$/, '.png')])];
  assert.equal(new Set(pictures).size, 17);
  const dropIn = 'apply/zz-bindstorm-wider-range.conf';
  const forms = ['ansible.yml', 'compose.sysctls.yaml', 'docker-run.sh', 'kubernetes.yaml', 'tuned.conf'];
  const apply = [
    ...['apply', dropIn, `${dropIn}.rollback`, `${dropIn}.reserve`, dropIn.replace('.conf', '@.service')],
    ...forms.map((form) => `apply/${form}`),
  ];
  const expected = ['hlog', ...made, ...reports, ...hlogs, ...pictures, ...apply];
  assert.deepEqual(files, expected.sort());
  assert.equal(stored('profile.yaml'), tinyProfile());
});

test('results.json is valid by the published schema', () => {
  assert.deepEqual(violations(resultsJsonSchema(), JSON.parse(stored('results.json'))), []);
  assert.equal(results.experiment.status, 'complete');
  assert.equal(results.experiment.runsDone, 6);
  assert.equal(results.experiment.command, 'bindstorm run tiny.yaml');
});

test('has the exact outcomes of the arithmetic in every run', () => {
  assert.deepEqual(
    results.variants.map(({ name }) => name),
    [...TINY_ARMS],
  );
  for (const { name, runs, sysctls } of results.variants) {
    assert.equal(runs.length, 2);
    for (const run of runs) {
      assert.deepEqual(run.outcomes, TINY_OUTCOMES[name], run.id);
      assert.equal(run.attempts, TINY_ATTEMPTS);
      assert.deepEqual([run.status, run.valid, run.problems], ['ok', true, []], run.id);
      assert.deepEqual([run.ports.low, run.ports.high], name === 'wider-range' ? [40000, 40199] : [40000, 40019]);
      // What the kernel said when it was asked, not what was asked for.
      for (const [sysctl, value] of Object.entries(sysctls)) assert.equal(run.sysctls[sysctl], value);
      assert.equal(run.ports.peak, run.outcomes.ok, 'each ok connection has left its port in TIME_WAIT');
    }
  }
  assert.equal(armOf('fin-timeout').runs[0]!.sysctls['net.ipv4.tcp_fin_timeout'], '5');
  const orders = results.variants.flatMap(({ runs }) => runs.map(({ order }) => order)).sort();
  assert.deepEqual(orders, [0, 1, 2, 3, 4, 5]);
});

test('calls the wider range better and tcp_fin_timeout no different', () => {
  assert.equal(armOf('baseline').verdict, null);
  assert.equal(armOf('wider-range').verdict?.verdict, 'better');
  assert.equal(armOf('fin-timeout').verdict?.verdict, 'no difference');
  for (const text of [end.stdout, stored('report.md')]) {
    assert.match(text, /wider-range .*✓ better/s);
    assert.match(text, /fin-timeout .*= no difference/s);
  }
});

test('the histograms are HdrHistogram logs with the counts of the results', () => {
  for (const run of results.variants.flatMap(({ runs }) => runs)) {
    const reader = new hdr.HistogramLogReader(stored(run.hlog!));
    const read = new Map<string, hdr.Histogram>();
    for (let next = reader.nextIntervalHistogram(); next; next = reader.nextIntervalHistogram()) {
      read.set((next as hdr.Histogram).tag, next as hdr.Histogram);
    }
    const ok = run.outcomes.ok!;
    assert.equal(read.get('connect')?.totalCount, ok, run.id);
    assert.equal(read.get('total')?.totalCount, ok);
    assert.equal(read.get('lag')?.totalCount, TINY_ATTEMPTS);
    assert.equal(read.get('failed')?.totalCount ?? 0, TINY_ATTEMPTS - ok);
    assert.equal(read.get('connect')?.getValueAtPercentile(50), run.latency.connect?.p50);
  }
});

test('report makes the same files again, byte for byte, from the journal alone', async () => {
  const made = ['results.json', 'report.md', 'report.html', 'summary.md', 'junit.xml', 'seconds.csv'];
  const first = made.map(stored);
  assert.equal((await runCli(['report', folder], { cwd })).code, 0);
  assert.deepEqual(made.map(stored), first);

  for (const name of made) rmSync(join(cwd, folder, name));
  const rebuilt = await runCli(['report', folder], { cwd });
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  assert.deepEqual(made.map(stored), first);
  const summary = end.stdout.slice(0, end.stdout.indexOf('\nReport:'));
  assert.ok(rebuilt.stdout.startsWith(summary), 'and the same summary');
});

test('report makes the reports from results.json alone, in another folder', async (t) => {
  const elsewhere = scratchFolder(t);
  cpSync(join(cwd, folder, 'results.json'), join(elsewhere, 'results.json'));
  const { code, stdout, stderr } = await runCli(['report', '.', '--json'], { cwd: elsewhere });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), results);
  for (const name of ['report.md', 'report.html', 'summary.md', 'junit.xml', 'seconds.csv', 'results.json']) {
    assert.equal(readFileSync(join(elsewhere, name), 'utf8'), stored(name));
  }
});

test('a threshold that is not met gives exit code 1 and its name; --json gives JSON and nothing else', async (t) => {
  const there = scratchFolder(t);
  const thresholds = `thresholds:
  - { metric: 'outcomes["bind:EADDRINUSE"].share', max: 0, variant: wider-range }
  - { metric: 'outcomes["bind:EADDRINUSE"].share', max: 50%, variant: baseline }
`;
  writeFileSync(join(there, 'limits.yaml'), tinyProfile({ repeat: 1, more: thresholds }));
  const { code, stdout, stderr } = await runCli(['run', 'limits.yaml', '--json', '--quiet', '--out', 'out/deep'], {
    cwd: there,
  });
  assert.equal(code, 1, stderr);
  assert.equal(stderr, '');
  const { folder: made, ...printed } = JSON.parse(stdout) as Results & { folder: string };
  assert.deepEqual(violations(resultsJsonSchema(), printed), []);
  assert.deepEqual(
    printed.thresholds.map(({ variant, passed }) => [variant, passed]),
    [
      ['wider-range', true],
      ['baseline', false],
    ],
  );
  assert.equal(join('out/deep', readdirSync(join(there, 'out/deep'))[0]!), made);
  assert.deepEqual(whole(readFileSync(join(there, made, 'results.json'), 'utf8')), printed);
  const report = await runCli(['report', made], { cwd: there });
  assert.match(
    report.stdout,
    /threshold failed: baseline, outcomes\["bind:EADDRINUSE"\]\.share is 60\.0 %; the limit is max 50%/,
  );
  assert.doesNotMatch(report.stdout, /threshold failed: wider-range/);
});

test('--fixed makes all pairs, and judges once', async (t) => {
  const there = scratchFolder(t);
  writeFileSync(join(there, 'tiny.yaml'), tinyProfile({ repeat: 3 }));
  const { code, stdout, stderr } = await runCli(['run', 'tiny.yaml', '--fixed', '--json', '--quiet'], { cwd: there });
  assert.equal(code, 0, stderr);
  const { experiment, variants } = JSON.parse(stdout) as Results;
  assert.equal(experiment.looks, undefined);
  assert.match(experiment.command, /--fixed/);
  for (const { runs, verdict } of variants) {
    assert.equal(runs.filter(({ warmup }) => !warmup).length, 3);
    assert.equal(verdict?.look, undefined);
  }
});

test('runs that cannot decide anything are refused, made by force, and extended until they can', async (t) => {
  const there = scratchFolder(t);
  writeFileSync(join(there, 'tiny.yaml'), tinyProfile({ repeat: 1 }));
  const refused = await runCli(['run', 'tiny.yaml', '--quiet'], { cwd: there });
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /tiny\.yaml: repeat is 1, and it takes 2 pairs .*; to make the runs anyway, add --force\n$/,
  );
  assert.ok(!existsSync(join(there, 'reports')), 'nothing was begun');

  const forced = await runCli(['run', 'tiny.yaml', '--json', '--force'], { cwd: there });
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /^note: repeat is 1, and it takes 2 pairs/m);
  const { folder: made, ...one } = JSON.parse(forced.stdout) as Results & { folder: string };
  assert.deepEqual(
    one.variants.map(({ verdict }) => verdict?.verdict ?? null),
    [null, ...Array(2).fill('not enough evidence')],
  );
  assert.match(one.warnings.join(), /add pairs with --resume FOLDER --repeat 2/);

  const extended = await runCli(['run', '--resume', made, '--repeat', '2', '--json', '--quiet'], { cwd: there });
  assert.equal(extended.code, 0, extended.stderr);
  const { folder: _, ...two } = JSON.parse(extended.stdout) as Results & { folder: string };
  assert.deepEqual(violations(resultsJsonSchema(), two), []);
  assert.deepEqual(
    two.variants.map(({ verdict }) => verdict?.verdict ?? null),
    [null, 'better', 'no difference'],
  );
  assert.deepEqual(two.variants[0]!.runs[0], one.variants[0]!.runs[0], 'what was finished is not done again');
  const { status, runsDone, repeat, extendedFrom, command } = two.experiment;
  assert.deepEqual([status, runsDone, repeat, extendedFrom], ['complete', 6, 2, [1]]);
  assert.match(command, /^bindstorm run tiny\.yaml --repeat 2$/);
  assert.match(readFileSync(join(there, made, 'report.html'), 'utf8'), /2 pairs \(1 at first\) were planned/);
  assert.deepEqual(
    two.warnings.filter((text) => /extended/.test(text)),
    [],
    'one pair could not decide anything',
  );
});

test('two experiments of one second have a folder each', async (t) => {
  const there = scratchFolder(t);
  writeFileSync(join(there, 'tiny.yaml'), tinyProfile({ repeat: 1 }));
  mkdirSync(join(there, 'out'));
  const ends = await Promise.all(
    [1, 2].map(() => runCli(['run', 'tiny.yaml', '--quiet', '--json', '--out', 'out', '--force'], { cwd: there })),
  );
  const folders = ends.map(({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    const made = JSON.parse(stdout) as Results & { folder: string };
    for (const { name, runs } of made.variants) assert.deepEqual(runs[0]?.outcomes, TINY_OUTCOMES[name]);
    return made.folder;
  });
  assert.deepEqual(readdirSync(join(there, 'out')).sort(), folders.map((path) => path.slice('out/'.length)).sort());
  assert.equal(new Set(folders).size, 2);
});
