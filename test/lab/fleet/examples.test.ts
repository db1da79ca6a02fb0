// needs: systemd
/** The units and the container file that ship: systemd takes them, and bindstorm takes what they start it with. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, runCli, scratchFolder } from '../../support/cli.js';

const FOLDER = join(ROOT, 'examples', 'fleet');
const INSTALLED = '/usr/local/bin/bindstorm';

/** What the command says of a file that is not there: it has taken every word before it. */
async function assertTaken(words: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await runCli(words, { cwd });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /there is no file \/\S*agent\.json/);
}

for (const name of ['bindstorm-agent', 'bindstorm-fleet'])
  test(`systemd takes ${name}.service`, async (t) => {
    const cwd = scratchFolder(t);
    const text = readFileSync(join(FOLDER, `${name}.service`), 'utf8');
    assert.ok(text.includes(`ExecStart=${INSTALLED} `));
    // systemd looks whether the program is there.
    symlinkSync(join(ROOT, 'bindstorm'), join(cwd, 'program'));
    const unit = join(cwd, `${name}.service`);
    writeFileSync(unit, text.replace(INSTALLED, join(cwd, 'program')));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, new RegExp(name));
    const [, words = ''] = /^ExecStart=\S+ (.*)$/m.exec(text) ?? [];
    const args = words.replace('%l', 'a').split(' ');
    if (name === 'bindstorm-agent') return assertTaken(args, cwd);
    const refused = await runCli([...args, '--listen', '10.50.0.1:4222'], { cwd });
    assert.match(refused.stderr, /is open to others/, 'a word of the unit is not taken');
  });

test('bindstorm takes what the container file starts it with', async (t) => {
  const text = readFileSync(join(FOLDER, 'Containerfile'), 'utf8');
  const [program, ...args] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)![1]!) as string[];
  assert.equal(program, 'bindstorm');
  await assertTaken([...args, '--name', 'a'], scratchFolder(t));
});
