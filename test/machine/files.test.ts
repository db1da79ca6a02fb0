import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { folderMadeOnce } from '../../src/machine/folders.js';
import { replaceFile } from '../../src/machine/replace-file.js';

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a file is replaced as a whole, with its mode, and a failure leaves the old one and nothing else', (t) => {
  const folder = temporary(t);
  const path = join(folder, 'a.json');
  replaceFile(path, 'one', { mode: 0o600, durable: true });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  replaceFile(path, (fd) => writeFileSync(fd, 'two'));
  assert.equal(readFileSync(path, 'utf8'), 'two');
  const fails = () => {
    throw new Error('disk on fire');
  };
  assert.throws(() => replaceFile(path, fails), /disk on fire/);
  assert.deepEqual([readFileSync(path, 'utf8'), readdirSync(folder)], ['two', ['a.json']]);
});

test('a folder is made once, is seen only when complete, and what a killed process left is swept', async (t) => {
  const parent = temporary(t);
  const left = join(parent, '.fetching-left');
  mkdirSync(left);
  utimesSync(left, new Date(0), new Date(0));
  await assert.rejects(
    folderMadeOnce(parent, 'x', 'proof', async (ready) => {
      writeFileSync(join(ready, 'half'), '');
      throw new Error('no network');
    }),
    /no network/,
  );
  assert.deepEqual(readdirSync(parent), []);
  let made = 0;
  const make = async (ready: string, work: string) => {
    made++;
    writeFileSync(join(work, 'package.deb'), '');
    writeFileSync(join(ready, 'proof'), '');
    assert.ok(!existsSync(join(parent, 'x')));
  };
  const folders = [await folderMadeOnce(parent, 'x', 'proof', make), await folderMadeOnce(parent, 'x', 'proof', make)];
  assert.deepEqual([folders, made], [[join(parent, 'x'), join(parent, 'x')], 1]);
  assert.deepEqual(readdirSync(parent), ['x']);
});
