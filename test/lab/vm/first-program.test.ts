import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { firstProgram, seedParameters } from '../../../src/lab/vm/first-program.js';
import { interpreterOf, readElfHead } from '../../../src/machine/elf.js';
import { scratchFolder } from '../../support/cli.js';

const X64 = { skip: process.arch !== 'x64' && 'it is machine code for x86-64' };

function start(folder: string, interpreter: string) {
  const path = join(folder, 'init');
  writeFileSync(path, firstProgram(interpreter, '/proc/self/cmdline'), { mode: 0o755 });
  assert.equal(interpreterOf(readElfHead(path)!), undefined, 'it is static');
  // Without an argument there is no seed: this machine's own generator gets none from a test.
  return spawnSync(path, [], { encoding: 'utf8', env: {} });
}

test('it becomes the other program, with its argument', X64, (t) => {
  const { status, stdout } = start(scratchFolder(t), '/bin/cat');
  assert.deepEqual([status, stdout], [0, '/bin/cat\0/proc/self/cmdline\0']);
});

test('what cannot be started is its exit code', X64, (t) => {
  assert.equal(start(scratchFolder(t), '/nowhere/at/all').status, 2, 'ENOENT');
});

test('a seed is 128 hexadecimal digits behind two dashes', () => {
  const [dashes, digits] = seedParameters(Buffer.alloc(64, 0xab));
  assert.deepEqual([dashes, digits], ['--', 'ab'.repeat(64)]);
  assert.equal(seedParameters(Buffer.alloc(0))[1]!.length, 128);
});
