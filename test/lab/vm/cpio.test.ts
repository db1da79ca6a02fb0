// needs: cpio
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CpioEntry, cpioHeader, writeCpio } from '../../../src/lab/vm/cpio.js';
import { scratchFolder } from '../../support/cli.js';

interface Member {
  readonly path: string;
  readonly mode: number;
  readonly links: number;
  readonly device: readonly [number, number];
  readonly content: string;
}

/** A reader of newc archives, by the kernel's description of them and not by the writer. */
function read(bytes: Buffer): Member[] {
  const members: Member[] = [];
  for (let at = 0; ; ) {
    assert.equal(at % 4, 0);
    assert.equal(bytes.toString('latin1', at, at + 6), '070701');
    const field = (i: number) => Number.parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const [mode, links, size, nameSize] = [field(1), field(4), field(6), field(11)];
    const path = bytes.toString('utf8', at + 110, at + 110 + nameSize - 1);
    assert.equal(bytes[at + 110 + nameSize - 1], 0);
    const data = (at + 110 + nameSize + 3) & ~3;
    if (path === 'TRAILER!!!') {
      assert.equal(data, bytes.length, 'nothing follows the trailer');
      return members;
    }
    members.push({
      path,
      mode,
      links,
      device: [field(9), field(10)],
      content: bytes.toString('utf8', data, data + size),
    });
    at = (data + size + 3) & ~3;
  }
}

function archive(folder: string, entries: readonly CpioEntry[]): Buffer {
  const path = join(folder, 'archive.cpio');
  const fd = openSync(path, 'w');
  try {
    writeCpio(fd, entries);
  } finally {
    closeSync(fd);
  }
  return readFileSync(path);
}

test('files, texts, directories and devices, each behind its parents', (t) => {
  const folder = scratchFolder(t);
  const from = join(folder, 'source');
  const large = 'x'.repeat(3 * 2 ** 20 + 1);
  writeFileSync(from, large);
  const members = read(
    archive(folder, [
      { kind: 'directory', path: '/proc' },
      { kind: 'character-device', path: '/dev/console', major: 5, minor: 1, shared: false },
      { kind: 'text', path: '/init', text: '#!/bin/node\n', executable: true },
      { kind: 'file', path: '/a/b/c', from, executable: false },
      { kind: 'text', path: '/a/b/d', text: 'ü', executable: false },
    ]),
  );
  const none = [0, 0] as const;
  assert.deepEqual(members, [
    { path: 'proc', mode: 0o40755, links: 2, device: none, content: '' },
    { path: 'dev', mode: 0o40755, links: 2, device: none, content: '' },
    { path: 'dev/console', mode: 0o20600, links: 1, device: [5, 1], content: '' },
    { path: 'init', mode: 0o100755, links: 1, device: none, content: '#!/bin/node\n' },
    { path: 'a', mode: 0o40755, links: 2, device: none, content: '' },
    { path: 'a/b', mode: 0o40755, links: 2, device: none, content: '' },
    { path: 'a/b/c', mode: 0o100644, links: 1, device: none, content: large },
    { path: 'a/b/d', mode: 0o100644, links: 1, device: none, content: 'ü' },
  ]);
});

test('the first of two entries with one path counts', (t) => {
  const text = (content: string): CpioEntry => ({ kind: 'text', path: '/x', text: content, executable: false });
  assert.deepEqual(
    read(archive(scratchFolder(t), [text('one'), text('two')])).map(({ content }) => content),
    ['one'],
  );
});

test('a header is as cpio(5) has it', () => {
  const header = cpioHeader({ ino: 10, path: 'init', mode: 0o100755, size: 255 });
  assert.equal(
    header.toString('latin1'),
    `070701${'0000000a'}${'000081ed'}${'00000000'.repeat(2)}${'00000001'}${'00000000'}${'000000ff'}${'00000000'.repeat(4)}00000005${'00000000'}init\0\0`,
  );
});

test('equal contents give equal archives, and a file that is missing is an error', (t) => {
  const entries: CpioEntry[] = [{ kind: 'text', path: '/a', text: 'b', executable: false }];
  assert.deepEqual(archive(scratchFolder(t), entries), archive(scratchFolder(t), entries));
  const missing: CpioEntry = { kind: 'file', path: '/a', from: '/nowhere/at/all', executable: false };
  assert.throws(() => archive(scratchFolder(t), [missing]), { code: 'ENOENT' });
});

test('cpio(1) reads it', (t) => {
  const bytes = archive(scratchFolder(t), [{ kind: 'text', path: '/a/b', text: 'c', executable: false }]);
  const { stdout, status } = spawnSync('cpio', ['--list', '--quiet'], { input: bytes, encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, 'a\na/b\n']);
});
