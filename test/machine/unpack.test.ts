import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pack, unpacked, unpackedFolder, untrusted } from '../../src/machine/unpack.js';
import { scratchFolder } from '../support/cli.js';

const FILES = [
  { path: 'package.json', bytes: Buffer.from('{}') },
  { path: 'a/b/empty', bytes: Buffer.alloc(0) },
  { path: 'a/ä.bin', bytes: Buffer.from([0, 255, 10, 13]) },
];

test('what is packed comes out as it was', () => {
  const out = unpacked(pack(FILES)).map(({ path, bytes }) => ({ path, bytes: Buffer.from(bytes) }));
  assert.deepEqual(out, FILES);
});

/** With a cache and a folder for temporary files of its own. */
function places(t: { after(work: () => void): void }) {
  const folder = realpathSync(scratchFolder(t));
  const before = { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME, TMPDIR: process.env.TMPDIR };
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
  t.after(() => set(before));
  set({ XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: folder });
  return { folder, program: join(folder, 'cache/bindstorm/program') };
}

test('unpacked once, for this user alone; again where the folder is not whole', (t) => {
  const { folder, program } = places(t);
  let reads = 0;
  const read = () => {
    reads++;
    return pack(FILES);
  };
  const first = unpackedFolder({ key: 'abc', read }, folder);
  assert.equal(first, join(program, 'abc'));
  assert.equal(readFileSync(join(first, 'a/ä.bin')).length, 4);
  for (const path of [program, first]) assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(unpackedFolder({ key: 'abc', read }, folder), first);
  assert.equal(reads, 1);
  rmSync(join(first, '.key'));
  assert.equal(unpackedFolder({ key: 'abc', read }, folder), first);
  assert.equal(reads, 2);
  // Another version has a folder of its own.
  assert.equal(unpackedFolder({ key: 'def', read }, folder), join(program, 'def'));
  assert.deepEqual(readdirSync(program).sort(), ['abc', 'def']);
});

test('files that were installed beside the program are taken, if they are of the same build', (t) => {
  const { folder } = places(t);
  const installed = join(folder, 'files');
  mkdirSync(installed);
  writeFileSync(join(installed, '.key'), 'abc');
  const unread = () => assert.fail('it is there');
  assert.equal(unpackedFolder({ key: 'abc', read: unread }, folder), installed);
  assert.notEqual(unpackedFolder({ key: 'other', read: () => pack(FILES) }, folder), installed);
});

test('where others may write, nothing is unpacked and nothing is taken', (t) => {
  const { folder, program } = places(t);
  mkdirSync(program, { recursive: true });
  chmodSync(join(folder, 'cache'), 0o777);
  const elsewhere = unpackedFolder({ key: 'abc', read: () => pack(FILES) }, folder);
  assert.equal(elsewhere, join(folder, `bindstorm-${process.geteuid!()}`, 'abc'));
  assert.deepEqual(readdirSync(program), []);
  assert.equal(untrusted(join(folder, 'cache')), `others may write in ${join(folder, 'cache')}`);
  assert.equal(untrusted(program), `others may write in ${join(folder, 'cache')}`);
  // As /tmp is: nobody but its owner renames what is in it.
  chmodSync(join(folder, 'cache'), 0o1777);
  assert.equal(untrusted(program), undefined);
  assert.match(untrusted(join(folder, 'cache'))!, /^others may write/);
});

test('a symbolic link is followed once, and what it leads to is judged', (t) => {
  const { folder } = places(t);
  mkdirSync(join(folder, 'open'), { mode: 0o777 });
  chmodSync(join(folder, 'open'), 0o777);
  mkdirSync(join(folder, 'open/real'), { mode: 0o700 });
  mkdirSync(join(folder, 'cache'));
  symlinkSync(join(folder, 'open/real'), join(folder, 'cache/bindstorm'));
  const found = unpackedFolder({ key: 'abc', read: () => pack(FILES) }, folder);
  assert.match(found, /\/bindstorm-\d+\/abc$/);
  assert.ok(!existsSync(join(folder, 'open/real/program')));
});

test('where nothing can be made it says why, and what to do', (t) => {
  const { folder } = places(t);
  process.env.XDG_CACHE_HOME = '/proc/none';
  process.env.TMPDIR = '/proc';
  assert.throws(() => unpackedFolder({ key: 'abc', read: () => pack(FILES) }, folder), {
    name: 'UserError',
    message: /^the files of this program cannot be unpacked: ENOENT.*\/proc\/none.*; ENOENT.*\/proc\/bindstorm-/,
    remedy: /XDG_CACHE_HOME/,
  });
});
