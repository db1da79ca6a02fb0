/** Files that are none, and disks that take no more: one sentence with the file's name, the right exit code, and no stack. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { naming, resumable, WriteError } from '../../src/machine/write-error.js';

const CLI = fileURLToPath(new URL('../../bundle/cli/main.js', import.meta.url));
const run = (args: readonly string[], stdout: 'pipe' | number = 'pipe') =>
  spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', stdio: ['ignore', stdout, 'pipe'], timeout: 20_000 });

test('a named pipe or a device as input is refused at once', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bindstorm-files-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [folder, file] of [
    ['j', 'journal.ndjson'],
    ['r', 'results.json'],
  ] as const) {
    mkdirSync(join(dir, folder));
    assert.equal(spawnSync('mkfifo', [join(dir, folder, file)]).status, 0);
    const { status, stderr } = run(['compare', join(dir, folder), join(dir, folder)]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, new RegExp(`^bindstorm: .*${file} is a named pipe, not a file; name a folder .*\\n$`));
  }
  const pipe = join(dir, 'j', 'journal.ndjson');
  for (const [args, what] of [
    [['run', '--resume', join(dir, 'j')], /journal\.ndjson is a named pipe/],
    [['search', '--resume', join(dir, 'j')], /journal\.ndjson is a named pipe/],
    [['report', join(dir, 'j')], /journal\.ndjson is a named pipe/],
    [['plan', pipe], /journal\.ndjson is not a file/],
    [['explain', pipe], /journal\.ndjson is a named pipe, not a file; give a file, or pipe it in/],
    [['explain', '/dev/zero'], /\/dev\/zero is a device/],
    [['plan', '/dev/zero'], /\/dev\/zero is not a file/],
  ] as const) {
    const { status, stderr } = run(args);
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, what);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

test('a full standard output is a sentence and the exit code 2, whatever the command', (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  for (const args of [['profiles'], ['schema', 'profile'], ['--help'], ['--version'], ['watch', '--once', '--json']]) {
    const { status, stderr } = run(args, full);
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /^bindstorm: standard output cannot be written \(.*ENOSPC.*\); check where it goes\..*\n$/);
  }
});

test('a write that fails names its file, and the outermost folder says how to resume', async () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(`${code}: no more, write`), { code, syscall: 'write' });
  };
  for (const code of ['ENOSPC', 'EFBIG', 'EIO', 'EDQUOT']) {
    const inner = () => resumable('bindstorm run --resume out/x', async () => naming('out/x.json', failing(code)));
    await assert.rejects(resumable('bindstorm fixes --resume out', inner), (error) => {
      assert.ok(error instanceof WriteError);
      assert.equal(error.message, `out/x.json cannot be written (${code}: no more, write)`);
      assert.match(
        error.explain(),
        /\nWhat to do: .*, then resume with: bindstorm fixes --resume out; what was finished/,
      );
      return true;
    });
  }
  // Another fault is not the disk's.
  await assert.rejects(
    resumable('x', async () => naming('x', failing('EBADF'))),
    /^Error: EBADF/,
  );
});
