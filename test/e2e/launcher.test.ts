/**
 * The launcher of a checkout, `./bindstorm`: installs and builds what is missing, once and quietly, and hands over. With a
 * pretended npm and build, in a folder of its own: the real ones would work on the modules that these tests run from.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT, scratchFolder } from '../support/cli.js';

test('installs and builds at the first start, once, and keeps standard output for the command', (t) => {
  const { launch, calls, folder } = checkout(t);
  const first = launch('profiles');
  assert.equal(first.status, 0, first.stderr);
  assert.equal(first.stderr, 'bindstorm: first start, installing dependencies (once)…\n');
  assert.match(first.stdout, /^capacity /);
  assert.doesNotMatch(first.stdout, /noise/);
  assert.deepEqual(calls(), ['npm ci --no-audit --no-fund', 'build']);

  const second = launch('profiles');
  assert.deepEqual([second.status, second.stderr, second.stdout], [0, '', first.stdout]);
  assert.deepEqual(calls(), ['build']);

  // New dependencies, after a pull.
  const later = new Date(Date.now() + 5_000);
  utimesSync(join(folder, 'package-lock.json'), later, later);
  assert.match(launch('profiles').stderr, /installing dependencies/);
});

test('works through a link, from any folder, and hands on arguments and the exit code', (t) => {
  const { folder, path } = checkout(t);
  const elsewhere = scratchFolder(t);
  symlinkSync(join(folder, 'bindstorm'), join(elsewhere, 'bs'));
  const options = { cwd: elsewhere, env: { ...process.env, PATH: path }, encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync('./bs', ['run', 'no such profile'], options);
  assert.equal(status, 2);
  assert.match(stderr, /there is no profile no such profile: /);
});

test('an installed package, without sources, is not built', (t) => {
  const { launch, calls, folder } = checkout(t);
  rmSync(join(folder, 'tsconfig.json'));
  assert.equal(launch('--version').status, 0);
  assert.deepEqual(calls(), ['npm ci --no-audit --no-fund']);
});

test('says what npm said when the installation fails, and tries again the next time', (t) => {
  const { launch, folder, programs } = checkout(t);
  writeScript(join(programs, 'npm'), 'echo "npm error network is unreachable" >&2; exit 1');
  for (let i = 0; i < 2; i++) {
    const { status, stdout, stderr } = launch('--version');
    assert.equal(status, 3);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /network is unreachable\nbindstorm: npm ci failed .*Is the npm registry reachable from here\?\n$/s,
    );
  }
  assert.ok(!existsSync(join(folder, 'node_modules')));
});

test('a build that fails ends it', (t) => {
  const { launch, folder } = checkout(t);
  writeFileSync(join(folder, 'scripts', 'build.mjs'), 'console.error("error TS1005"); process.exit(1);');
  const { status, stderr } = launch('--version');
  assert.equal(status, 3);
  assert.match(stderr, /error TS1005\nbindstorm: the build failed \(see above\)\.\n$/);
});

test('a closed standard error does not keep it from doing its work', (t) => {
  const { folder, path } = checkout(t);
  const out = join(folder, '..', 'out');
  for (const closed of ['2>&-', '2>&- <&-']) {
    const { status } = spawnSync('sh', ['-c', `'${join(folder, 'bindstorm')}' profiles >'${out}' ${closed}`], {
      env: { ...process.env, PATH: path },
    });
    assert.equal(status, 0, closed);
    assert.match(readFileSync(out, 'utf8'), /^capacity /);
  }
});

test('without Node, or with one that is too old, says which is needed', (t) => {
  const { launch, programs } = checkout(t);
  writeScript(join(programs, 'node'), 'test "$1" = --version && echo v18.19.0; exit 1');
  const old = launch('--version');
  assert.equal(old.status, 3);
  assert.equal(old.stderr, 'bindstorm needs Node.js 20.18 or newer; found v18.19.0.\n');

  const without = scratchFolder(t);
  for (const program of ['sh', 'dirname', 'readlink']) {
    const found = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, join(without, program));
  }
  const none = launch('--version', without);
  assert.equal(none.status, 3);
  assert.match(none.stderr, /^bindstorm needs Node\.js 20\.18 or newer, and there is no node on the PATH\. Install it/);
});

/** A checkout that was just cloned, with what was compiled here; its npm and its build only note that they were called. */
function checkout(t: TestContext) {
  const folder = join(scratchFolder(t), 'check out');
  const programs = join(folder, '..', 'bin');
  const log = join(folder, '..', 'calls');
  mkdirSync(join(folder, 'scripts'), { recursive: true });
  mkdirSync(programs);
  copyFileSync(join(ROOT, 'bindstorm'), join(folder, 'bindstorm'));
  chmodSync(join(folder, 'bindstorm'), 0o755);
  symlinkSync(join(ROOT, 'dist'), join(folder, 'dist'));
  for (const file of ['package-lock.json', 'tsconfig.json']) writeFileSync(join(folder, file), '{}');
  writeFileSync(
    join(folder, 'scripts', 'build.mjs'),
    `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(log)}, 'build\\n'); `,
  );
  writeScript(
    join(programs, 'npm'),
    `echo noise; echo noise >&2; echo "npm $*" >>'${log}'; mkdir -p node_modules; : >node_modules/.package-lock.json`,
  );
  const path = `${programs}:${process.env.PATH}`;
  return {
    folder,
    programs,
    path,
    launch: (argument: string, PATH = path) =>
      spawnSync(join(folder, 'bindstorm'), [argument], { env: { ...process.env, PATH }, encoding: 'utf8' }),
    /** What was called since the last time. */
    calls: () => {
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
      rmSync(log);
      return lines;
    },
  };
}

function writeScript(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}
