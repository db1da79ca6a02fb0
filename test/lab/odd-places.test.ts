// needs: strace
/** Machines that lack something: what is said, and the exit code; nothing is begun. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LOCK_FILE } from '../../src/experiment/folder-lock.js';
import { JOURNAL_FILE } from '../../src/experiment/journal.js';
import { runCli, scratchFolder } from '../support/cli.js';

const PROFILE = `name: odd
addresses: 10.50.0.0/30
load: { strategy: bind, arrival: { shape: fill, attempts: 10 } }
variants: [{ name: v, load: { workers: 2 } }]
repeat: 1
warmup: 0
`;
const root = process.getuid?.() === 0;

function scene(t: TestContext) {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'odd.yaml'), PROFILE);
  return cwd;
}

/** In a mount namespace of its own, in which something was mounted first. */
const afterMount = (script: string) => [
  ...['unshare', ...(root ? [] : ['--user', '--map-root-user']), '--mount', 'sh', '-c'],
  ...[`${script} && exec "$@"`, 'sh'],
];
/** As an unprivileged container has it. */
const READ_ONLY = afterMount('mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys');
const NO_PROC = afterMount('mount -t tmpfs none /proc');

for (const [title, within, says, remedy] of [
  [
    'a /proc/sys that is read-only',
    READ_ONLY,
    /\/proc\/sys is mounted read-only here/,
    /container, run it with --privileged/,
  ],
  ['no /proc', NO_PROC, /\/proc is not mounted/, /mount -t proc proc \/proc/],
  // With fewer than 44 Node cannot open the modules of this program, which it does side by side, and ends before any of them runs.
  ['48 descriptors', ['prlimit', '--nofile=48:48'], /may open only 48 files here/, /ulimit -n 4096/],
  ['200 descriptors', ['prlimit', '--nofile=200:200'], /may open only 200 files here/, /ulimit -n 4096/],
] as const)
  test(`${title}: exit code 3 and the remedy, from run, plan and doctor`, async (t) => {
    const cwd = scene(t);
    const run = await runCli(['run', 'odd.yaml', '--force'], { cwd, within });
    assert.equal(run.code, 3, run.stderr);
    assert.match(run.stderr, says);
    assert.match(run.stderr, remedy);
    for (const command of [['plan', 'odd.yaml'], ['doctor']]) {
      const { code, stdout, stderr } = await runCli(command, { cwd, within });
      assert.equal(code, 3, `${command}: ${stdout}${stderr}`);
      assert.match(stdout.replace(/\s+/g, ' '), remedy, command.join(' '));
    }
    assert.deepEqual(readdirSync(cwd), ['odd.yaml']);
  });

test('few descriptors, but enough for a lab: a remedy that can be followed', async (t) => {
  const cwd = scene(t);
  const within = ['prlimit', '--nofile=300:300'];
  writeFileSync(join(cwd, 'odd.yaml'), PROFILE.replace('attempts: 10', 'attempts: 1000'));
  const { stdout } = await runCli(['plan', 'odd.yaml'], { cwd, within });
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /only 300 descriptors here; .* Raise the limit \(ulimit -n\), set load\.workers to 10, or/,
  );
  writeFileSync(join(cwd, 'odd.yaml'), PROFILE.replace('attempts: 10', 'attempts: 20000'));
  const more = await runCli(['plan', 'odd.yaml'], { cwd, within });
  assert.match(
    more.stdout.replace(/\s+/g, ' '),
    /Raise the limit \(ulimit -n\), or use fewer/,
    '200 workers is more than there may be',
  );
});

test('a file system without locks: said, and nothing is left of the try', async (t) => {
  const cwd = scene(t);
  const within = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=flock', '-e', 'inject=flock:error=ENOSYS'];
  const { code, stderr } = await runCli(['run', 'odd.yaml', '--force', '--quiet'], { cwd, within });
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^the file system of reports\/\S+ has no locks \(flock: ENOSYS\): make sure that nothing else writes/m,
  );
  const [folder] = readdirSync(join(cwd, 'reports'));
  assert.ok(!existsSync(join(cwd, 'reports', folder!, LOCK_FILE)));
});

test('a folder of junk is not begun in, and is as it was', async (t) => {
  const cwd = scene(t);
  mkdirSync(join(cwd, 'junk', 'work'), { recursive: true });
  writeFileSync(join(cwd, 'junk', 'notes.txt'), 'mine');
  const before = readdirSync(cwd, { recursive: true }).sort();
  for (const command of ['run', 'search', 'fixes']) {
    const { code, stderr } = await runCli([command, '--resume', 'junk'], { cwd });
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      new RegExp(`^bindstorm: junk/${JOURNAL_FILE} does not exist; name a folder that \`bindstorm ${command}\``),
    );
  }
  assert.deepEqual(readdirSync(cwd, { recursive: true }).sort(), before);
  assert.ok(!existsSync(join(cwd, 'junk', LOCK_FILE)));
});

test('what is not an option is echoed without what moves a cursor', async (t) => {
  const { code, stderr } = await runCli(['run', '--\u001b[2J\u202enope'], { cwd: scene(t) });
  assert.equal(code, 2);
  assert.match(stderr, /unknown option '--\\u001b\[2J\\u202enope'/);
});
