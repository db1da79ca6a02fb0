import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createResultFolder } from '../../src/experiment/folder.js';
import { makeFolder } from '../../src/machine/folders.js';

test('a folder is made with those that it is in, and one that is there stays', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'bindstorm-folders-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const deep = join(home, 'a', 'b', 'c');
  makeFolder(deep, 0o700);
  assert.equal(statSync(deep).mode & 0o777, 0o700);
  writeFileSync(join(deep, 'kept'), '');
  makeFolder(deep);
  assert.ok(existsSync(join(deep, 'kept')));
  assert.throws(() => makeFolder(join(deep, 'kept')), { code: 'EEXIST' });
  assert.throws(() => makeFolder(join(deep, 'kept', 'more')), { code: 'ENOTDIR' });
});

test('where nothing can be made the error comes at once, and says so', () => {
  // node:fs asks for ever here.
  for (const path of ['/proc/none', '/proc/none/of/these', '/sys/none/of/these'])
    assert.throws(() => makeFolder(path), { code: /^(?:ENOENT|EPERM|EACCES|EROFS)$/ });
  assert.throws(() => createResultFolder('/proc/none/of/these', 'x', new Date()), {
    name: 'UserError',
    message: /^no result folder can be made in \/proc\/none\/of\/these \(.*\); name another place with --out$/,
  });
});
