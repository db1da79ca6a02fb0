/**
 * What the Vagrant lab does when something goes wrong. The programs `vagrant` and `ssh` are shell scripts here, since no real box
 * fails on demand; what goes right is tested for real, by `npm run test:vagrant`.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import { scratchFolder, startCli, until } from '../../support/cli.js';

const PROFILE = `name: fake
addresses: 10.50.0.1/32
lab: { kind: vagrant, AFTER }
load: { strategy: bind, arrival: { shape: fill, attempts: 10 } }
variants: [{ name: no-port, load: { strategy: bind-no-port } }]
`;
/** Keeps its state in a file, its calls in another; `$UP`, `$SSH` and the like are what a test makes of it. */
const VAGRANT = `#!/bin/bash
here=$(dirname "$0")
echo "$*" >>"$here/calls"
state=$(cat "$here/state" 2>/dev/null || echo not_created)
fail() { echo "1,,error-exit,Vagrant::Errors::X,$1"; exit 1; }
case "$1 $2" in
  "status nosuch") fail "The machine with the name 'nosuch' was not found configured for this Vagrant environment." ;;
  "status "*) echo "1,bookworm,provider-name,libvirt"; echo "1,bookworm,state,$state"; echo "1,trixie,state,not_created" ;;
  "up "*) eval "$UP"; echo running >"$here/state" ;;
  "ssh-config "*) printf 'Host bookworm\\n  HostName 192.0.2.1\\n' ;;
  "provision "*) eval "$PROVISION" ;;
  "destroy "*) eval "$DESTROY"; echo not_created >"$here/state" ;;
  "snapshot "*) ;;
esac
`;
const SSH = `#!/bin/bash
case "\${*: -1}" in
  test*) eval "$HAS" ;;
  *) eval "$AGENT" ;;
esac
`;

interface Context {
  after(work: () => void): void;
}

function scene(t: Context, { after = 'after: destroy', state, ...scripts }: Readonly<Record<string, string>> = {}) {
  const home = scratchFolder(t);
  const programs = join(home, 'programs');
  mkdirSync(programs);
  for (const [name, text] of Object.entries({ vagrant: VAGRANT, ssh: SSH })) {
    writeFileSync(join(programs, name), text);
    chmodSync(join(programs, name), 0o755);
  }
  if (state) writeFileSync(join(programs, 'state'), state);
  writeFileSync(join(home, 'fake.yaml'), PROFILE.replace('AFTER', after));
  const boxes = join(home, 'state', 'bindstorm', 'boxes');
  const env = {
    PATH: `${programs}${delimiter}${process.env.PATH}`,
    XDG_STATE_HOME: join(home, 'state'),
    VAGRANT_CWD: '',
    VAGRANT_DOTFILE_PATH: '',
    ...scripts,
  };
  return {
    run: (...words: string[]) =>
      startCli(words.length > 0 ? words : ['run', 'fake.yaml', '--quiet'], { cwd: home, env }),
    calls: () => (existsSync(join(programs, 'calls')) ? readFileSync(join(programs, 'calls'), 'utf8') : ''),
    records: () => (existsSync(boxes) ? readdirSync(boxes) : []),
    log: () => readFileSync(join(home, 'state', 'bindstorm', 'vagrant.log'), 'utf8'),
  };
}

describe('the Vagrant lab', () => {
  it('names the boxes that there are', async (t) => {
    const { run, records } = scene(t);
    const { code, stderr } = await run('run', 'fake.yaml', '--box', 'nosuch').ended;
    assert.equal(code, 3);
    assert.match(stderr, /there is no Vagrant box nosuch; .*vagrant has bookworm, trixie\nWhat to do: name one/);
    assert.deepEqual(records(), []);
  });

  it('passes on why a box does not come up, and removes what there is of it', async (t) => {
    const { run, calls, records, log } = scene(t, {
      UP: 'echo half >"$here/state"; echo some output; fail "The box is%!(VAGRANT_COMMA)\\\\nalas%!(VAGRANT_COMMA) not to be had."',
    });
    const { code, stderr } = await run().ended;
    assert.equal(code, 3);
    assert.match(stderr, /making the Vagrant box bookworm \(libvirt\)/);
    assert.match(
      stderr,
      /`vagrant up bookworm` failed: The box is, alas, not to be had\.\nWhat to do: see .*vagrant\.log/,
    );
    assert.match(log(), /== \S+ vagrant up bookworm .*\nsome output\n/);
    assert.match(calls(), /destroy --force bookworm --machine-readable\n$/);
    assert.deepEqual(records(), []);
  });

  it('says when a box does not answer', async (t) => {
    const { run, records } = scene(t, {
      HAS: 'echo "ssh: connect to host 192.0.2.1 port 22: No route to host" >&2; exit 255',
    });
    const { code, stderr } = await run().ended;
    assert.equal(code, 3);
    assert.match(stderr, /the Vagrant box bookworm does not answer over ssh: ssh: connect to .*No route to host/);
    assert.deepEqual(records(), []);
  });

  it('says when the agent is not there even after provisioning', async (t) => {
    const { run, calls } = scene(t, { HAS: 'exit 1' });
    const { code, stderr } = await run().ended;
    assert.equal(code, 3);
    assert.match(stderr, /the Vagrant box bookworm has no \/opt\/bindstorm\/[0-9a-f]+\/start after it was provisioned/);
    assert.match(calls(), /^provision bookworm/m);
  });

  it('says how an agent ended that did not come up', async (t) => {
    const { run } = scene(t, { AGENT: 'echo "FATAL: kernel too old" >&2; exit 127' });
    const { code, stderr } = await run().ended;
    assert.equal(code, 3);
    assert.match(stderr, /the lab did not come up: the agent ended with code 127: FATAL: kernel too old/);
  });

  it('does not destroy what it has not made', async (t) => {
    const { run, calls, records } = scene(t, { state: 'running' });
    const { code, stderr } = await run().ended;
    assert.equal(code, 3);
    assert.match(stderr, /the Vagrant box bookworm of .* was not made by bindstorm, and would be destroyed/);
    assert.doesNotMatch(calls(), /destroy/);
    assert.deepEqual(records(), []);
  });

  it('uses what it has not made when the profile lets it live', async (t) => {
    const { run, calls, records } = scene(t, { state: 'running', after: 'after: revert', AGENT: 'exit 1' });
    assert.equal((await run().ended).code, 3);
    assert.match(
      calls(),
      /snapshot save bookworm bindstorm --force.*\n(?:.*\n)*snapshot restore bookworm bindstorm --no-provision/,
    );
    assert.doesNotMatch(calls(), /^(?:up|destroy)/m);
    assert.deepEqual(records(), [], 'it is nobody’s again');
  });

  it('names a box that cannot be removed', async (t) => {
    const { run, records } = scene(t, { AGENT: 'exit 1', DESTROY: 'fail "The domain is busy."' });
    const { code, stderr } = await run().ended;
    assert.equal(code, 3);
    assert.match(stderr, /`vagrant destroy --force bookworm` failed: The domain is busy\./);
    assert.equal(records().length, 1, 'so that the next start can name it too');
  });

  it('interrupted while the box comes up, lets Vagrant clean up and removes the rest', async (t) => {
    const { run, calls, records, log } = scene(t, {
      UP: 'echo half >"$here/state"; trap "echo cleaned up; exit 1" INT; while :; do sleep 0.05; done',
    });
    const cli = run();
    await until('vagrant up', () => calls().includes('up bookworm'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    cli.kill('SIGINT');
    const { code, stderr } = await cli.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /interrupted while the lab came up/);
    assert.match(log(), /cleaned up/);
    assert.match(calls(), /destroy --force bookworm/);
    assert.deepEqual(records(), []);
  });

  it('killed while the box comes up, is followed by Vagrant; the next start names the box, and restore removes it', async (t) => {
    // As Ruby, it gives up at the first word that nobody hears.
    const ended = 'echo cleaning up || exit 2; echo ended >>"$here/calls"; exit 1';
    const { run, calls, records } = scene(t, {
      UP: `echo half >"$here/state"; trap '${ended}' INT; while :; do sleep 0.05; done`,
    });
    const cli = run();
    await until('vagrant up', () => calls().includes('up bookworm'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    cli.kill('SIGKILL');
    await cli.ended;
    await until('the end of vagrant up', () => calls().endsWith('ended\n'));
    assert.equal(records().length, 1);

    const next = await run('run', 'fake.yaml', '--lab', 'netns', '--repeat', '1', '--quiet', '--force').ended;
    assert.equal(next.code, 0, next.stderr);
    assert.match(
      next.stderr,
      /warning: a run of .* was killed and has left the Vagrant box bookworm up; `bindstorm restore`/,
    );
    assert.match((await run('restore', '--list').ended).stdout, /^Vagrant box bookworm: destroy {3}\(of a run of /);
    assert.equal((await run('restore').ended).stdout, 'Vagrant box bookworm: it is removed\n');
    assert.deepEqual(records(), []);
    assert.equal((await run('restore').ended).stdout, 'Nothing to restore.\n');
  });

  it('says what to install where there is no Vagrant', async (t) => {
    const home = scratchFolder(t);
    writeFileSync(join(home, 'fake.yaml'), PROFILE.replace(', AFTER', ''));
    const { code, stderr } = await startCli(['run', 'fake.yaml'], { cwd: home, env: { PATH: home } }).ended;
    assert.equal(code, 3);
    assert.match(
      stderr,
      /a Vagrant box needs vagrant, ssh, setpriv, not found on the PATH\nWhat to do: install Vagrant/,
    );
  });
});
