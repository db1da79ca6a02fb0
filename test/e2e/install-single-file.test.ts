/**
 * The single executable where there is no Node: built, copied there, and started as root and as an ordinary user.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type BareRoot, bareRoot, noBareRoot } from '../support/bare-root.js';
import { ROOT, runCli } from '../support/cli.js';
import { singleFile } from '../support/single-file.js';
import { smokeTest } from '../support/smoke.js';

const PROGRAM = '/usr/local/bin/bindstorm';
const built = noBareRoot ? { reason: noBareRoot } : singleFile();
const skip = 'reason' in built ? built.reason : false;

function installed(t: TestContext): BareRoot {
  const root = bareRoot(t);
  assert.ok('path' in built);
  root.add(built.path, PROGRAM);
  return root;
}

/** Start it there. */
function version(root: BareRoot, who: 'root' | 'an ordinary user', env: NodeJS.ProcessEnv = {}) {
  const options = { cwd: ROOT, within: root.within(who), program: [PROGRAM], env: { XDG_CACHE_HOME: '', ...env } };
  return runCli(['--version'], options);
}

describe('the single file', { skip }, () => {
  test('runs where there is no Node, as root and as an ordinary user', async (t) => {
    const root = installed(t);
    await smokeTest(root, PROGRAM);
    // What it has unpacked is for its user alone.
    for (const home of ['root', 'home/user']) {
      const parent = join(root.folder, home, '.cache/bindstorm/program');
      assert.equal(statSync(parent).mode & 0o777, 0o700);
      const [folder, ...more] = readdirSync(parent);
      assert.deepEqual(more, [], 'unpacked once, and nothing is left of the making');
      assert.equal(statSync(join(parent, folder!)).mode & 0o777, 0o700);
    }
  });

  test('runs no code that another user could have put there, and says what to do', async (t) => {
    const root = installed(t);
    const cache = join(root.folder, 'tmp/cache');
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    // Goes on in the folder for temporary files.
    const other = await version(root, 'an ordinary user', { XDG_CACHE_HOME: '/tmp/cache' });
    assert.equal(other.code, 0, other.stderr);
    assert.deepEqual(readdirSync(cache), []);
    const own = join(root.folder, 'tmp/bindstorm-1000');
    const [folder] = readdirSync(own);
    const key = readFileSync(join(own, folder!, '.key'), 'utf8');
    assert.equal(folder, key);

    // Neither place can be had by root: one belongs to the user, in the other anybody may write.
    const trap = join(root.folder, 'tmp/bindstorm-0', key, 'dist/bundle');
    for (const part of ['shared', 'cli']) mkdirSync(join(trap, part), { recursive: true });
    writeFileSync(join(trap, '../../.key'), key);
    writeFileSync(join(trap, 'shared/start.cjs'), 'console.log("trapped")');
    chmodSync(join(root.folder, 'tmp/bindstorm-0'), 0o777);
    const refused = await version(root, 'root', { XDG_CACHE_HOME: '/home/user' });
    assert.equal(refused.code, 3);
    assert.equal(refused.stdout, '');
    assert.match(
      refused.stderr,
      /^bindstorm: the files of this program cannot be unpacked: \/home\/user belongs to another user; others may write in \/tmp\/bindstorm-0\nWhat to do: name a folder .* XDG_CACHE_HOME\.\n$/,
    );
  });
});
