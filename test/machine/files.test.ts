import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderMadeOnce } from '../../src/machine/folders.js';
import { wholeLines } from '../../src/machine/read-file.js';
import { replaceFile } from '../../src/machine/replace-file.js';
import { leftUnfinished, unfinishedFile, unfinishedFolder } from '../../src/machine/unfinished.js';

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

test('what a killed process has left unfinished is removed by the next that makes something there, and nothing else is', async (t) => {
  const folder = temporary(t);
  // Another's, of a name that is like ours; and one that is being made.
  writeFileSync(join(folder, 'thesis.part'), '');
  const [ours, file] = [unfinishedFolder(folder), unfinishedFile(folder, 0o600)];
  const maker = spawn(
    process.execPath,
    [fileURLToPath(new URL('../support/unfinished-maker.js', import.meta.url)), folder],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  await once(maker.stdout, 'data');
  const parts = () => readdirSync(folder).filter((name) => name.startsWith('.')).length;
  assert.equal(parts(), 4);
  const path = join(folder, 'a.json');
  replaceFile(path, 'one');
  assert.equal(parts(), 4, 'its maker lives');
  maker.kill('SIGKILL');
  await once(maker, 'exit');
  assert.equal(leftUnfinished(folder).length, 2);
  replaceFile(path, 'two');
  assert.equal(parts(), 2);
  assert.ok(existsSync(ours.path) && existsSync(file.path));
  for (const each of [ours, file]) each.release();
  await folderMadeOnce(folder, 'x', 'proof', async (ready) => writeFileSync(join(ready, 'proof'), ''));
  assert.deepEqual(readdirSync(folder).sort(), ['a.json', 'thesis.part', 'x']);
});

test('a folder is made once, and is seen only when complete', async (t) => {
  const parent = temporary(t);
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

test('lines are read one by one, whatever their length and characters, and a half one at the end is left out', (t) => {
  const path = join(temporary(t), 'lines');
  const lines = ['', 'a', 'µ€😀'.repeat(100_000), '', 'é'.repeat(300_001), 'end'];
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  assert.deepEqual([...wholeLines(path, 'name another')], lines);
  writeFileSync(path, 'whole\nhalf');
  assert.deepEqual([...wholeLines(path, 'name another')], ['whole']);
  writeFileSync(path, '');
  assert.deepEqual([...wholeLines(path, 'name another')], []);
  assert.throws(() => [...wholeLines(tmpdir(), 'name another')], /is a folder, not a file; name another/);
});
