// Runs the compiled tests with node:test. Arguments choose groups: unit, lab, e2e; none means all.
//   unit: pure code, side by side. lab: real kernel, each test in a namespace of its own, side by side.
//   e2e: the command line as a user runs it; one file at a time, so that timings of one do not starve another.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTestPackages } from './test-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'));

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

if (wanted.length === 0 || wanted.some((group) => group !== 'unit')) installTestPackages();

// Whether a change made it slower is for people to read: it passes nothing and fails nothing, for machines and their moods differ.
if (wanted.length === 0 && process.env.CI)
  spawnSync(process.execPath, [join(root, 'dist', 'bench', 'run.js'), '--quick'], { stdio: 'inherit', cwd: root });

const groupOf = (path) => (path.includes('/test/lab/') ? 'lab' : path.includes('/test/e2e/') ? 'e2e' : 'unit');
const all = testFiles(join(root, 'dist', 'test'));
let failed = false;
for (const [group, concurrency] of [
  ['unit', 2],
  ['lab', 2],
  ['e2e', 1],
]) {
  if (wanted.length > 0 && !wanted.includes(group)) continue;
  const files = all.filter((path) => groupOf(path) === group);
  if (files.length === 0) {
    console.error(`no ${group} tests found: the build is incomplete`);
    failed = true;
    continue;
  }
  console.log(`\n== ${group}: ${files.length} files`);
  const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${concurrency}`, ...flags, ...files], {
    stdio: 'inherit',
    cwd: root,
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
