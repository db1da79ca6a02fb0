// needs: dpkg-dev, lintian
/**
 * The Debian package: made, checked by lintian, installed by dpkg where there is no Node, started as root and as an ordinary user, and removed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { bareRoot, noBareRoot } from '../support/bare-root.js';
import { ROOT } from '../support/cli.js';
import { singleFile } from '../support/single-file.js';
import { smokeTest } from '../support/smoke.js';

const built = singleFile();
const skip = 'reason' in built ? built.reason : false;

function ran(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program}: ${stdout}${stderr}`);
  return stdout;
}

describe('the Debian package', { skip }, () => {
  let file: string;
  before(() => {
    file = ran(process.execPath, join(ROOT, 'scripts/build-deb.mjs'), '--quick').trim().split('\n').at(-1)!;
  });

  test('depends on the C and C++ libraries alone', () => {
    const names = ran('dpkg-deb', '--field', file, 'Depends').match(/[a-z][\w+-]*(?= \()/g);
    assert.deepEqual(names?.sort(), ['libc6', 'libgcc-s1', 'libstdc++6']);
  });

  test('lintian finds nothing', () => {
    assert.equal(ran('lintian', '--allow-root', '--fail-on', 'error,warning', file), '');
  });

  test('is installed where there is no Node, works, and leaves nothing when it is removed', {
    skip: noBareRoot,
  }, async (t) => {
    const root = bareRoot(t);
    assert.ok('path' in built);
    root.addLibraries(built.path);
    const admin = join(root.folder, 'var/lib/dpkg');
    for (const folder of ['info', 'updates', 'triggers']) mkdirSync(join(admin, folder), { recursive: true });
    // Of the libraries that are there, as this machine's dpkg knows them.
    writeFileSync(join(admin, 'status'), ran('dpkg', '--status', 'libc6', 'libgcc-s1', 'libstdc++6'));
    const before = listed(root.folder);
    const dpkg = (...args: string[]) => ran('dpkg', `--root=${root.folder}`, '--force-script-chrootless', ...args);
    dpkg('--install', file);
    for (const path of ['usr/bin/bindstorm', 'usr/share/man/man1/bindstorm.1.gz', 'usr/share/doc/bindstorm/copyright'])
      assert.ok(existsSync(join(root.folder, path)), path);
    await smokeTest(root, '/usr/bin/bindstorm');
    assert.ok(!existsSync(join(root.folder, 'root/.cache/bindstorm/program')), 'unpacked by dpkg, and not again');
    dpkg('--purge', 'bindstorm');
    // Of the smoke test, and of umount(8).
    for (const folder of ['root', 'home', 'tmp', 'run'])
      rmSync(join(root.folder, folder), { recursive: true, force: true });
    assert.deepEqual(
      listed(root.folder).filter((path) => !before.includes(path)),
      [],
    );
  });
});

/** All paths but those of dpkg itself. */
function listed(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !path.startsWith('var/lib/dpkg'));
}
