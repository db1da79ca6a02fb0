// needs: squid, haproxy, nginx, libnginx-mod-stream, dante-server
/** A part of the catalogue on the kernel of this machine, as a user runs it; interrupted, and resumed. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FixReport } from '../../src/analysis/fixes.js';
import { fixesJsonSchema } from '../../src/results/json-schema.js';
import { runCli } from '../support/cli.js';
import { violations } from '../support/json-schema.js';

const cwd = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
after(() => rmSync(cwd, { recursive: true, force: true }));

const ARGS = [
  'fixes',
  '--strategies',
  'bind',
  '--only',
  'fin-timeout,no-port,wider-range,tw-recycle',
  '--quiet',
  '--json',
];

let report: FixReport & { folder: string };

before(async () => {
  const { code, stdout, stderr } = await runCli([...ARGS, '--out', 'out'], { cwd });
  assert.equal(code, 0, stderr);
  report = JSON.parse(stdout);
});

test('exact counts, the effect, what is not there and why', () => {
  const [table] = report.tables;
  const found = Object.fromEntries(
    Object.entries(table!.cells).map(([name, cell]) => [
      name,
      cell.kind === 'measured' ? [cell.effect, ...cell.waves] : cell.kind === 'absent' ? cell.why : cell.kind,
    ]),
  );
  assert.deepEqual(found, {
    'fin-timeout': ['does nothing', 40, 0],
    'no-port': ['works', 80, 0],
    'wider-range': ['works', 80, 0],
    'tw-recycle': 'net.ipv4.tcp_tw_recycle: until Linux 4.11',
  });
});

test('is what its published schema says', () => {
  const { folder, ...printed } = report;
  const stored = JSON.parse(readFileSync(join(cwd, folder, 'fixes.json'), 'utf8')) as FixReport;
  assert.deepEqual(stored.tables, printed.tables);
  assert.deepEqual(violations(fixesJsonSchema(), stored), []);
});

test('each cell is linked to the line of its run', () => {
  const { baseline, cells } = report.tables[0]!;
  for (const [name, cell] of Object.entries({ baseline, ...cells })) {
    if (cell.kind !== 'measured') continue;
    const [file, line] = cell.run.split('#L') as [string, string];
    const run = JSON.parse(readFileSync(join(cwd, report.folder, file), 'utf8').split('\n')[Number(line) - 1]!);
    assert.equal(run.fix, name);
    assert.equal(run.waves[0].outcomes.ok, cell.waves[0]);
  }
});

test('goes on where it was: a run that is in the journal is not made again', async () => {
  const journal = join(cwd, report.folder, 'work', 'host.bind', 'journal.ndjson');
  const lines = readFileSync(journal, 'utf8').trim().split('\n');
  const runs = lines.filter((line) => JSON.parse(line).type === 'run');
  assert.equal(runs.length, 4);
  // As a crash after two runs leaves it.
  writeFileSync(journal, `${[lines[0], ...runs.slice(0, 2)].join('\n')}\n`);
  const { code, stderr } = await runCli(['fixes', '--resume', report.folder], { cwd });
  assert.equal(code, 0, stderr);
  const after = readFileSync(journal, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => JSON.parse(line).type === 'run');
  assert.deepEqual(after.slice(0, 2), runs.slice(0, 2));
  assert.equal(after.length, 4);
  // Nothing is left: no lab is asked, nothing is written to the journal.
  const whole = readFileSync(journal, 'utf8');
  const again = await runCli(['fixes', '--json', '--resume', report.folder], { cwd });
  assert.equal(again.code, 0, again.stderr);
  assert.equal(readFileSync(journal, 'utf8'), whole);
  assert.deepEqual(JSON.parse(again.stdout).tables[0].cells['tw-recycle'], report.tables[0]!.cells['tw-recycle']);
});

test('real proxies: their own settings beside sysctls, what they cannot be told, and one that is not here', async () => {
  const blank = join(cwd, 'blank');
  writeFileSync(blank, '', { mode: 0o644 });
  // In a mount namespace where a file that cannot be executed lies over the program.
  const hide = `mount --bind '${blank}' "$(command -v squid)"; exec "$@"`;
  const own = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const within = ['unshare', ...own, '--mount', '--', 'sh', '-c', hide, 'sh'];
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const args = [
    'fixes',
    '--subjects',
    'squid,haproxy,dante',
    '--only',
    'explicit-ports,no-port,more-addresses',
    '--json',
  ];
  const { code, stdout, stderr } = await runCli([...args, '--out', 'proxies'], { cwd, within, env });
  assert.equal(code, 0, stderr);
  const found = JSON.parse(stdout) as FixReport;
  assert.deepEqual(violations(fixesJsonSchema(), found), []);
  const rows = found.tables.map(({ subject, baseline, cells }) => {
    const said = Object.entries({ baseline, ...cells }).map(([name, cell]) => [
      name,
      cell.kind === 'measured' ? [cell.effect, ...cell.waves, ...(cell.predicted ?? [])] : cell.kind,
    ]);
    return [subject?.kind, Object.fromEntries(said)];
  });
  const absent = { baseline: 'absent', 'explicit-ports': 'absent', 'no-port': 'absent', 'more-addresses': 'absent' };
  assert.deepEqual(Object.fromEntries(rows), {
    squid: absent,
    haproxy: {
      baseline: ['does nothing', 80, 0, 80, 0],
      'explicit-ports': ['works', 200, 200, 200, 200],
      'no-port': 'same',
      'more-addresses': ['works', 160, 0, 160, 0],
    },
    dante: {
      baseline: ['does nothing', 20, 0, 20, 0],
      'explicit-ports': 'cannot',
      'no-port': 'cannot',
      'more-addresses': 'cannot',
    },
  });
  assert.match(stderr, /^not there: squid is not installed .*apt-get install --no-install-recommends squid/m);
  assert.doesNotMatch(stderr, /not as predicted/);
});

test('what cannot be is refused', async () => {
  for (const [args, message] of [
    [['--only', 'prayer'], /the catalogue has no fix "prayer" \(it has autobind-reuse/],
    [['--no-host'], /--no-host needs --kernels/],
    [['--strategies', 'bind-explicit-port'], /"bind-explicit-port" is not allowed; allowed are/],
    [['--subjects', 'privoxy'], /"privoxy" is not allowed; allowed are squid, haproxy, nginx, dante/],
    [['--subjects', 'squid', '--no-host'], /--no-host needs --kernels/],
    [['--resume', 'nowhere'], /there is no folder nowhere/],
    [['--resume', '.'], /journal\.ndjson does not exist; name a folder that `bindstorm fixes` has made/],
  ] as const) {
    const { code, stderr } = await runCli(['fixes', ...args], { cwd });
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
