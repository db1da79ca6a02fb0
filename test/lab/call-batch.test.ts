// needs: binutils
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOOP } from '../../src/kernel/call-batch.js';

/** From dist/test/lab. */
const SOURCE = new URL('../../../src/kernel/call-batch.s', import.meta.url).pathname;

test('the machine code of batches is what its source is assembled to', {
  skip: process.arch === 'x64' ? false : 'the source is for x86-64',
}, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
  try {
    const [object, code] = [join(dir, 'o'), join(dir, 'bin')];
    execFileSync('as', ['--64', SOURCE, '-o', object]);
    execFileSync('objcopy', ['-O', 'binary', '-j', '.text', object, code]);
    assert.equal(readFileSync(code).toString('hex'), LOOP);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
