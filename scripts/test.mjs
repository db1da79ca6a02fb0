// Runs the compiled tests with node:test. Arguments choose groups: unit, lab, e2e; none means all. Debian packages that the tests need are
// installed first, unless BINDSTORM_NO_APT=1 declines; at the end it says what was skipped and why.
//   unit: pure code, side by side. lab: real kernel, each test in a namespace of its own, side by side.
//   e2e: the command line as a user runs it; one file at a time, so that timings of one do not starve another.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { installCommand, TEST_PACKAGES, withoutPackages } from '../dist/test/support/packages.js';
import { provide } from './test-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const wanted = process.argv.slice(2);
const GROUPS = { unit: 2, lab: 2, e2e: 1 };
const unknown = wanted.find((group) => !(group in GROUPS));
if (unknown !== undefined) {
  console.error(
    `there is no group of tests "${unknown}"; the groups are ${Object.keys(GROUPS).join(', ')} (one file: node --test dist/test/….test.js)`,
  );
  process.exit(2);
}
/** Files of a minute and more: one that begins last would be waited for alone. */
const LONG = ['vm/oracle-kernels', 'vm/faults', 'vm/guests', 'tor'].map((name) => `/test/lab/${name}.test.js`);

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith('.test.js') ? [path] : [];
    })
    .sort();
}

const dist = join(root, 'dist');
const groupOf = (path) => (path.includes('/test/lab/') ? 'lab' : path.includes('/test/e2e/') ? 'e2e' : 'unit');
const all = testFiles(join(dist, 'test'))
  .map((path) => ({
    path,
    group: groupOf(path),
    // The compiler drops some comments, so what a test needs is read from its source.
    text: readFileSync(join(root, relative(dist, path)).replace(/\.js$/, '.ts'), 'utf8'),
  }))
  .filter(({ group }) => wanted.length === 0 || wanted.includes(group));
const { missing, declined } = all.some(({ group }) => group !== 'unit')
  ? provide(TEST_PACKAGES, all)
  : { missing: [], declined: false };
const { run: files, skipped } = withoutPackages(all, declined ? missing : []);

// Whether a change made it slower is for people to read: it passes nothing and fails nothing, since machines differ.
if (wanted.length === 0 && process.env.CI)
  spawnSync(process.execPath, [join(root, 'dist', 'bench', 'run.js'), '--quick'], { stdio: 'inherit', cwd: root });

const isLong = (path) => LONG.some((end) => path.endsWith(end));
const total = { passed: 0, failed: [], skipped };

/** Run files, so many at a time, and count single tests, not the suites around them. */
async function runGroup(files, concurrency) {
  const events = run({ files: files.sort((a, b) => Number(isLong(b)) - Number(isLong(a))), concurrency });
  const where = ({ name, file }) => `${name}${file ? ` (${file.slice(file.indexOf('/dist/') + 1)})` : ''}`;
  events.on('test:pass', (test) => {
    if (test.skip !== undefined)
      total.skipped.push(`${where(test)}${typeof test.skip === 'string' && test.skip ? `: ${test.skip}` : ''}`);
    else if (test.details.type !== 'suite') total.passed++;
  });
  events.on('test:fail', (test) => {
    if (test.details.error?.failureType !== 'subtestsFailed') total.failed.push(where(test));
  });
  await pipeline(events.compose(process.stdout.isTTY ? new spec() : tap), process.stdout, { end: false });
}

for (const [group, concurrency] of Object.entries(GROUPS)) {
  if (wanted.length > 0 && !wanted.includes(group)) continue;
  const inGroup = files.filter((file) => file.group === group).map(({ path }) => path);
  if (!all.some((file) => file.group === group)) {
    total.failed.push(`no ${group} tests found: the build is incomplete`);
    continue;
  }
  console.log(`\n== ${group}: ${inGroup.length} files`);
  await runGroup(inGroup, concurrency);
}

const listed = (title, lines) => (lines.length > 0 ? [`${title}:`, ...lines.map((line) => `  ${line}`)] : []);
console.log(
  [
    `\n== ${total.passed} passed, ${total.failed.length} failed, ${total.skipped.length} skipped`,
    ...listed('skipped (a test that did not run shows nothing)', total.skipped),
    ...listed('failed', total.failed),
    ...(missing.length > 0
      ? [
          declined
            ? `packages that were declined (BINDSTORM_NO_APT): ${installCommand(missing)}`
            : `packages that are missing, without which tests fail: ${installCommand(missing)}`,
        ]
      : []),
  ].join('\n'),
);
process.exitCode = total.failed.length > 0 ? 1 : 0;
