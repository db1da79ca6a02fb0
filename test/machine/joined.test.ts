/** What is started has the code that V8 made of it when it was built, and runs without it too. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Script } from 'node:vm';
import { ROOT, scratchFolder } from '../support/cli.js';

const BUNDLE = join(ROOT, 'dist', 'bundle');
const FOLDERS = ['commands', 'shared'];

for (const folder of FOLDERS)
  it(`V8 takes the code of ${folder}, which has functions that are called at the start`, () => {
    const [file, cache] = ['joined.js', 'joined.cache'].map((name) => join(BUNDLE, folder, name));
    const source = `(function (exports, require, module, __filename) {${readFileSync(file!, 'utf8')}\n})`;
    const cachedData = readFileSync(cache!);
    assert.equal(new Script(source, { filename: file!, cachedData }).cachedDataRejected, false);
    assert.doesNotMatch(source, /\bimport\(["\w]/, 'a script has no import()');
    // Of the file alone, without a call, V8 makes less.
    assert.ok(cachedData.length > 1.5 * new Script(source, { filename: file! }).createCachedData().length);
  });

it('without it, or with that of something else, a command says the same', (t) => {
  const home = scratchFolder(t);
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
  cpSync(BUNDLE, join(home, 'dist', 'bundle'), { recursive: true });
  for (const name of ['node_modules', 'fixes', 'profiles', 'schema', 'programs'])
    symlinkSync(join(ROOT, name), join(home, name));
  const help = () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [join(home, 'dist/bundle/cli/main.js'), '--help'], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };
  const expected = help();
  assert.match(expected, /^Usage: bindstorm /);
  const [own, other] = FOLDERS.map((folder) => join(home, 'dist/bundle', folder, 'joined.cache'));
  cpSync(other!, own!);
  assert.equal(help(), expected);
  rmSync(own!);
  assert.equal(help(), expected);
});
