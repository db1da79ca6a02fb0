/** `npm run create:subject`: what it writes compiles and passes lint, and its own test fails only where the author has to fill in. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from '../support/cli.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function create(name: string, into: string) {
  const script = join(ROOT, 'scripts/create-subject.mjs');
  return spawnSync(process.execPath, [script, name, '--into', into], { encoding: 'utf8' });
}

function run(folder: string, program: string, args: readonly string[]) {
  // A test runner within a test runner would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

/** A checkout without what takes long to compile. */
function checkout(folder: string): void {
  for (const path of ['src', 'tsconfig.json', 'package.json', 'biome.json'])
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  for (const path of ['test/subjects', 'profiles', 'bench']) mkdirSync(join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

test('a new kind of proxy compiles, passes lint, and is to be filled in', (t) => {
  const folder = scratchFolder(t);
  checkout(folder);
  const created = create('porter', folder);
  assert.equal(created.status, 0, created.stderr);
  assert.match(created.stdout, /src\/subjects\/porter\/porter\.ts\n/);
  assert.match(created.stdout, /next:/);
  const index = readFileSync(join(folder, 'src/subjects/index.ts'), 'utf8');
  assert.match(index, /^import \{ porter \} from '\.\/porter\/porter\.js';$/m);
  assert.match(index, /^const PROXIES = \{ .*, porter \};$/m);

  const compiled = run(folder, join(ROOT, 'node_modules/.bin/tsc'), ['--project', '.']);
  assert.equal(compiled.status, 0, compiled.said);
  const written = ['src/subjects/porter', 'src/subjects/index.ts', 'test/subjects/porter.test.ts'];
  const linted = run(folder, join(ROOT, 'node_modules/.bin/biome'), ['ci', '--vcs-enabled=false', ...written]);
  assert.equal(linted.status, 0, linted.said);

  const tested = run(folder, process.execPath, ['--test', '--test-reporter=tap', 'dist/test/subjects/porter.test.js']);
  const reasons = [...tested.said.matchAll(/error: '(.*)'/g)].map(([, reason]) => reason!);
  assert.equal(reasons.filter((reason) => reason.startsWith('fill in: ')).length, 2, tested.said);
  assert.match(tested.said, /^# pass 1$/m);
  assert.match(tested.said, /^# fail 2$/m);

  const check = `
    const { loadProfile } = await import('./dist/src/profile/load.js');
    const { readFileSync } = await import('node:fs');
    const { experiment } = loadProfile(readFileSync('profiles/porter-ports.yaml', 'utf8'), 'porter-ports.yaml');
    console.log(experiment.arms[0].proxy.kind, experiment.arms.length);`;
  assert.equal(run(folder, process.execPath, ['--input-type=module', '--eval', check]).said, 'porter 4\n');
});

test('it refuses a name that is taken, or none, and writes nothing then', (t) => {
  const folder = scratchFolder(t);
  checkout(folder);
  for (const [name, why] of [
    ['squid', /there is a subject squid already/],
    ['external', /there is a subject external already/],
    ['Two Words', /lower-case letters and digits/],
  ] as const) {
    const { status, stderr } = create(name, folder);
    assert.equal(status, 2);
    assert.match(stderr, why);
    assert.equal(existsSync(join(folder, `test/subjects/${name}.test.ts`)), false);
  }
});
