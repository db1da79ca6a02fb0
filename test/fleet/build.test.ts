/** A build as it is sent: the same each time, whole where it arrives, and refused where it is not. */
import assert from 'node:assert/strict';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { archiveSum, buildSum, ownArchive, placeBuild } from '../../src/fleet/build.js';
import { pack } from '../../src/machine/unpack.js';
import { scratchFolder } from '../support/cli.js';

test('the archive of this build is placed, and is this build', (t) => {
  const before = process.env.XDG_CACHE_HOME;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  process.env.XDG_CACHE_HOME = realpathSync(scratchFolder(t));
  const own = ownArchive();
  assert.equal(ownArchive().sum, own.sum);
  assert.match(buildSum(), /^[0-9a-f]{16}$/);
  const main = placeBuild(own, buildSum());
  const root = join(dirname(main), '..', '..', '..');
  for (const path of [
    'package.json',
    'fixes/no-port.yaml',
    'node_modules/koffi/package.json',
    'dist/bundle/agent/entry.js',
  ])
    assert.ok(existsSync(join(root, path)), path);
  assert.throws(() => placeBuild(own, '0'.repeat(16)), /it is of another build \(\w+\) than it says/);
  assert.throws(() => placeBuild({ ...own, archive: own.archive.subarray(1) }, buildSum()), /its checksum differs/);
  for (const path of ['../../evil.js', '/etc/evil.js', 'a/../../b']) {
    const archive = pack([{ path, bytes: Buffer.from('x') }]);
    assert.throws(() => placeBuild({ archive, sum: archiveSum(archive) }, buildSum()), /a file outside of its folder/);
  }
});
