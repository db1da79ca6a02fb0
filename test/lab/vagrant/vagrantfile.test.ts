// needs: vagrant, vagrant-libvirt, cpio
/**
 * The Vagrantfile that ships, read by the real Vagrant; and its provisioning script, run as in a box.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { machinesOf, parseMessages } from '../../../src/lab/vagrant/machine-readable.js';
import { BOX } from '../../../src/plan/box.js';
import { ROOT, scratchFolder } from '../../support/cli.js';

const SHIPPED = join(ROOT, 'vagrant');

interface Context {
  after(work: () => void): void;
}

/** Run Vagrant on a copy of the folder, changed; nothing of this user's own Vagrant takes part. */
function vagrant(t: Context, words: readonly string[], change: (text: string) => string, env: NodeJS.ProcessEnv = {}) {
  const folder = scratchFolder(t);
  const [place, home] = [join(folder, 'vagrant'), join(folder, 'home')];
  cpSync(SHIPPED, place, { recursive: true });
  mkdirSync(home);
  const path = join(place, 'Vagrantfile');
  const shipped = readFileSync(path, 'utf8');
  writeFileSync(path, change(shipped));
  const { status, stdout, stderr, error } = spawnSync('vagrant', words, {
    cwd: place,
    encoding: 'utf8',
    env: {
      ...process.env,
      VAGRANT_HOME: home,
      VAGRANT_DOTFILE_PATH: join(folder, 'dot'),
      VAGRANT_CHECKPOINT_DISABLE: '1',
      LC_ALL: 'C.UTF-8',
      ...env,
    },
  });
  if (error) throw error;
  return { status, stdout, stderr, changed: readFileSync(path, 'utf8') !== shipped };
}

const asItIs = (text: string) => text;

describe('the Vagrantfile', () => {
  it('is valid, with and without an archive to send', (t) => {
    const archive = join(scratchFolder(t), 'image.cpio');
    writeFileSync(archive, '');
    for (const env of [{}, { BINDSTORM_IMAGE: archive, BINDSTORM_IMAGE_KEY: 'key' }]) {
      const { status, stdout, stderr } = vagrant(t, ['validate'], asItIs, env);
      assert.deepEqual([status, stdout], [0, 'Vagrantfile validated successfully.\n'], stderr);
    }
  });

  for (const [title, change, message] of [
    ['an option that no provider has', (text: string) => text.replace('libvirt.memory', 'libvirt.memmory'), /memmory/],
    ['a provisioner without its script', (text: string) => text.replace('provision.sh', 'nowhere.sh'), /nowhere\.sh/],
    ['a syntax error', (text: string) => text.replace(/end\s*$/, ''), /syntax error/i],
  ] as const)
    it(`is not valid with ${title}`, (t) => {
      const env = { BINDSTORM_IMAGE: import.meta.filename, BINDSTORM_IMAGE_KEY: 'key' };
      const { status, stdout, stderr, changed } = vagrant(t, ['validate'], change, env);
      assert.ok(changed);
      assert.equal(status, 1, stdout);
      assert.match(stdout + stderr, message);
    });

  it('is not valid with an archive that is not there', (t) => {
    const env = { BINDSTORM_IMAGE: '/nowhere/image.cpio', BINDSTORM_IMAGE_KEY: 'key' };
    assert.equal(vagrant(t, ['validate'], asItIs, env).status, 1);
  });

  it('has a box for each kernel of its table, and brings up only one of them unasked', (t) => {
    const { status, stdout } = vagrant(t, ['status', '--machine-readable'], asItIs);
    assert.equal(status, 0);
    const machines = machinesOf(parseMessages(stdout));
    const table = [...readFileSync(join(SHIPPED, 'Vagrantfile'), 'utf8').matchAll(/^ {2}'(\w+)' +=> \{ box:.*# \d/gm)];
    assert.deepEqual(
      machines,
      table.map(([, name]) => name),
    );
    assert.ok(machines.length >= 8 && machines.includes(BOX), 'the default of a profile is one of them');
    const docs = readFileSync(join(ROOT, 'docs', 'vagrant.md'), 'utf8');
    for (const name of machines) assert.ok(docs.includes(`\`${name}\``), `docs/vagrant.md has ${name}`);
    // `vagrant up` without a name means those that start by themselves; it fails, since there is no libvirt in this place.
    const up = vagrant(t, ['up', '--machine-readable'], asItIs, {
      LIBVIRT_DEFAULT_URI: 'qemu+unix:///system?socket=/nowhere',
    });
    assert.deepEqual(
      [...up.stdout.matchAll(/Bringing machine '(\w+)' up/g)].map(([, name]) => name),
      [BOX],
    );
  });
});

describe('the provisioning script', () => {
  /** In a mount namespace whose /opt is empty. */
  function provision(t: Context, script: string) {
    const folder = scratchFolder(t);
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const prelude = `set -e; mount -t tmpfs none /opt; cd ${folder}; mkdir -p content/proc content/bin; echo a >content/start; echo b >content/bin/node
archive() { (cd content && find . | cpio --create --format newc --quiet) >"$1"; }
provision() { sh ${join(SHIPPED, 'provision.sh')} "$@"; }
`;
    return spawnSync('unshare', [...user, '--mount', '--', 'sh', '-c', prelude + script], { encoding: 'utf8' });
  }

  it('unpacks the archive, removes it, and can be run again', (t) => {
    const { status, stdout, stderr } = provision(
      t,
      `archive one; provision $PWD/one key; ls one 2>/dev/null || echo removed; find /opt/bindstorm -type f | sort
echo changed >/opt/bindstorm/key/start; archive one; provision $PWD/one key; cat /opt/bindstorm/key/start`,
    );
    assert.equal(status, 0, stderr);
    assert.equal(
      stdout,
      'removed\n/opt/bindstorm/key/bin/node\n/opt/bindstorm/key/start\nchanged\n',
      'what is there is not unpacked again',
    );
  });

  it('replaces an earlier version, also where an agent has mounted /proc in it', (t) => {
    const { status, stdout, stderr } = provision(
      t,
      'archive one; provision $PWD/one old; mount --rbind /proc /opt/bindstorm/old/proc; archive two; provision $PWD/two new; ls /opt/bindstorm',
    );
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'new\n');
  });

  it('leaves no half of an archive that is broken', (t) => {
    const { status, stdout } = provision(
      t,
      'head -c 500 /dev/zero >one; provision $PWD/one key || echo failed; ls /opt/bindstorm',
    );
    assert.deepEqual([status, stdout], [0, 'failed\nunfinished\n']);
  });

  it('says what a box lacks', (t) => {
    const { status, stderr } = provision(
      t,
      `archive one; set -- $PWD/one key; command() { return 1; }; . ${join(SHIPPED, 'provision.sh')}`,
    );
    assert.equal(status, 1);
    assert.match(stderr, /this box has no cpio/);
  });
});
