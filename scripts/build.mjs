// Compiles src/, test/ and bench/ into dist/, and joins the program into dist/bundle, when something is newer than the last build. Two builds at once (two shells,
// parallel tests) must not tear each other's files, so a lock directory lets one of them do it and the others wait.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.stamp');
const lock = join(root, 'node_modules', '.bindstorm-build-lock');
const SOURCES = ['src', 'test', 'bench'];

function* files(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

function isFresh() {
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  const inputs = ['tsconfig.json', 'package-lock.json', 'scripts/bundle.mjs', 'scripts/joined.mjs'].map((name) =>
    join(root, name),
  );
  for (const folder of SOURCES) inputs.push(...files(join(root, folder)));
  return inputs.every((path) => statSync(path).mtimeMs <= built);
}

/** Outputs whose source is gone would still be found by the test runner. */
function removeOrphans() {
  for (const folder of SOURCES) {
    for (const path of files(join(dist, folder))) {
      const source = join(root, relative(dist, path)).replace(/\.js$/, '.ts');
      if (path.endsWith('.js') && !existsSync(source)) rmSync(path);
    }
  }
}

async function withLock(work) {
  const deadline = Date.now() + 180_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > 120_000) rmSync(lock, { recursive: true, force: true }); // left behind by a build that was killed
      if (Date.now() > deadline) throw new Error(`another build holds ${lock}; remove that folder if none is running`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
  try {
    return await work();
  } finally {
    rmdirSync(lock);
  }
}

/** From the commands, so that it is never behind them. */
async function writeManPage() {
  const { COMMANDS } = await import('../dist/src/commands/all.js');
  const { buildProgram } = await import('../dist/src/commands/program.js');
  const { manPage } = await import('../dist/src/commands/shell/man.js');
  mkdirSync(join(dist, 'bundle', 'man'));
  writeFileSync(join(dist, 'bundle', 'man', 'bindstorm.1'), manPage(buildProgram(COMMANDS)));
}

async function build() {
  if (isFresh()) return 0;
  const started = new Date();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit', cwd: root });
  if (status !== 0) {
    rmSync(stamp, { force: true });
    return status ?? 1;
  }
  removeOrphans();
  await bundle(root);
  await writeManPage();
  chmodSync(join(dist, 'bundle', 'cli', 'main.js'), 0o755);
  writeFileSync(stamp, started.toISOString());
  return 0;
}

process.exitCode = isFresh() ? 0 : await withLock(build);
