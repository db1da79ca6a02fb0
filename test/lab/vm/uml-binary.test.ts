import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withLoader, withStateSize } from '../../../src/lab/vm/uml-binary.js';
import { interpreterOf, librariesOf, readElfHead } from '../../../src/machine/elf.js';
import { scratchFolder } from '../../support/cli.js';

const PROGRAM = realpathSync('/bin/true');

test('a program runs with a loader beside it, named relative to the working directory', (t) => {
  const folder = scratchFolder(t);
  const loader = interpreterOf(readElfHead(PROGRAM)!)!;
  copyFileSync(loader, join(folder, 'ld.so'));
  chmodSync(join(folder, 'ld.so'), 0o755);
  const changed = withLoader(readFileSync(PROGRAM), 'ld.so');
  writeFileSync(join(folder, 'true'), changed, { mode: 0o755 });
  assert.equal(interpreterOf(changed), 'ld.so');
  assert.equal(spawnSync(join(folder, 'true'), { cwd: folder }).status, 0);
  // Elsewhere there is no such loader: it is really the one that is used.
  assert.equal((spawnSync(join(folder, 'true'), { cwd: '/' }).error as NodeJS.ErrnoException).code, 'ENOENT');
});

test('a loader with a longer name has no room', () => {
  assert.throws(() => withLoader(readFileSync(PROGRAM), `/${'x'.repeat(100)}`), /no room/);
});

test('the size of the register state is changed in one place and nowhere else', () => {
  const place = Buffer.from('c745f8880a0000bf05420000', 'hex');
  const program = Buffer.concat([Buffer.from('before'), place, Buffer.from('after')]);
  const changed = withStateSize(program, 11_008)!;
  assert.equal(changed.length, program.length);
  assert.equal(changed.toString('hex', 6, 18), 'c745f8002b0000bf05420000');
  assert.deepEqual([changed.toString('latin1', 0, 6), changed.toString('latin1', 18)], ['before', 'after']);
  assert.equal(withStateSize(Buffer.from('nothing of the kind'), 11_008), undefined);
  assert.equal(withStateSize(Buffer.concat([program, place]), 11_008), undefined, 'two such places are not understood');
});

test('libraries as the loader finds them', () => {
  const head = readElfHead(process.execPath)!;
  const loader = interpreterOf(head)!;
  const { paths, missing } = librariesOf(process.execPath, loader);
  assert.deepEqual(missing, []);
  assert.equal(paths[0], loader);
  assert.ok(paths.some((path) => /\/libc\.so\.6$|musl/.test(path)));
  assert.equal(readElfHead(new URL(import.meta.url).pathname), undefined, 'a text is no ELF file');
});
