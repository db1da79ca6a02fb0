// The experiments of the real test of the Vagrant lab (scripts/test-vagrant.mjs), as a user would make them on the command line.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const CLI = join(ROOT, 'dist', 'bundle', 'cli', 'main.js');
/** The machine of the Vagrantfile, and the name in the catalogue under which the box is added here. */
const BOX = 'bookworm';
const CATALOGUE = 'cloud-image/debian-12';

/** P = 50 ports, S = 2 addresses, D = 2 destinations; two of the sysctls are the whole machine's. */
const PROFILE = `name: vagrant-test
addresses: { cidr: 10.50.0.0/24, count: 2 }
destinations: { ports: 2 }
lab: LAB
load: { strategy: bind, arrival: { shape: fill, attempts: 300 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40049, vm.swappiness: 11, net.core.netdev_max_backlog: 1234 }
variants:
  - { name: no-port, load: { strategy: bind-no-port } }
repeat: 2
warmup: 0
`;
const EXPECTED = {
  baseline: { ok: 100, 'bind:EADDRINUSE': 200 },
  'no-port': { ok: 200, 'connect:EADDRNOTAVAIL': 100 },
};
const GLOBAL = 'cat /proc/sys/vm/swappiness /proc/sys/net/core/netdev_max_backlog';
/** Lists the agents of runs; the brackets keep it from finding itself. */
const AGENTS = 'grep -lz "entry[.]js" /proc/[0-9]*/cmdline 2>/dev/null | wc -l';

/**
 * @param folder with the folders home, state, cache, vagrant, pool and work
 * @param made the box, the kernel and the initrd
 * @param step told what was done, and how many seconds it took
 */
export async function experiments({ folder, made, step }) {
  const work = join(folder, 'work');
  const env = {
    ...process.env,
    HOME: join(folder, 'home'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    VAGRANT_HOME: join(folder, 'vagrant'),
    BINDSTORM_VAGRANT_DRIVER: 'qemu',
    LC_ALL: 'C.UTF-8',
    NO_COLOR: '1',
  };
  const cli = (...words) => spawnSync(process.execPath, [CLI, ...words], { cwd: work, env, encoding: 'utf8' });
  const inBox = (command) => {
    const place = { VAGRANT_CWD: join(ROOT, 'vagrant'), VAGRANT_DOTFILE_PATH: join(folder, 'state/bindstorm/vagrant') };
    const { stdout, stderr, status } = spawnSync('vagrant', ['ssh', BOX, '-c', command], {
      env: { ...env, ...place },
      encoding: 'utf8',
    });
    assert.equal(status, 0, `in the box: ${command}: ${stderr}`);
    return stdout.trim().split(/\s+/).join(' ');
  };
  const timed = async (what, act) => {
    const begun = performance.now();
    const more = await act();
    step(more === undefined ? what : `${what}: ${more}`, Math.round((performance.now() - begun) / 1000));
    console.log(`  ${what}`);
  };
  const profile = (name, lab, change = (text) => text) => {
    writeFileSync(join(work, name), change(PROFILE.replace('LAB', lab)));
    return name;
  };
  const domains = () => virsh('list', '--all', '--name');

  prepare(folder, made, env);
  const defaults = { value: '' };

  await timed(
    '`run`, `after: keep`: made, exact counts in all four runs, the machine’s own sysctls set and put back',
    () => {
      const { status, stdout, stderr } = cli(
        'run',
        profile('keep.yaml', '{ kind: vagrant, after: keep }'),
        '--json',
        '--quiet',
      );
      assert.equal(status, 0, stderr);
      assert.match(
        stderr,
        /making the Vagrant box bookworm \(libvirt\).*\n(?:.*\n)*the Vagrant box bookworm: it is kept/,
      );
      const { environment } = check(stdout);
      assert.deepEqual(domains(), ['bindstorm_bookworm']);
      defaults.value = inBox(GLOBAL);
      assert.equal(defaults.value, '60 1000');
      return `Linux ${environment.kernel}; ${environment.lab}`;
    },
  );

  await timed(
    '`run`, `after: revert`, `between: revert`: the kept box, reverted between the runs and at the end',
    () => {
      const last = inBox('sudo cat /opt/bindstorm/*/last');
      const lab = '{ kind: vagrant, after: revert, between: revert }';
      const { status, stdout, stderr } = cli('run', profile('revert.yaml', lab), '--json', '--quiet');
      assert.equal(status, 0, stderr);
      assert.match(stderr, /^the Vagrant box bookworm: it is reverted to its snapshot/m);
      assert.doesNotMatch(stderr, /making|starting/);
      check(stdout);
      assert.equal(inBox('sudo cat /opt/bindstorm/*/last'), last, 'no agent has left a trace');
      assert.equal(inBox(GLOBAL), defaults.value);
    },
  );

  await timed(
    'SIGKILL to the controller during a run: the agent ends, the box is named, `restore` removes it',
    async () => {
      const long = (text) =>
        text.replace('{ shape: fill, attempts: 300 }', '{ shape: constant, rate: 5/s, duration: 300s }');
      const killed = start(['run', profile('long.yaml', '{ kind: vagrant }', long), '--quiet'], work, env);
      const agents = () => Number(inBox(AGENTS));
      // The rehearsal before the first run sets it too, for an instant.
      const swappiness = () => inBox('cat /proc/sys/vm/swappiness');
      await until('a run in the box', () => swappiness() === '11' && swappiness() === '11');
      assert.notEqual(agents(), 0);
      killed.kill('SIGKILL');
      await killed.ended;
      await until('no agent in the box', () => agents() === 0);
      assert.equal(inBox(GLOBAL), defaults.value, 'its last act was to put back the sysctls');
      const doctor = cli('doctor');
      assert.match(doctor.stdout, /vagrant boxes +a run of .* was killed and has left the box bookworm up/);
      const next = cli(
        'run',
        profile('next.yaml', '{ kind: netns }', (text) => text.replace(/, vm.*1234/, '')),
        '--quiet',
      );
      assert.match(next.stderr, /has left the Vagrant box bookworm up; `bindstorm restore` puts it away/);
      assert.match(cli('restore', '--list').stdout, /^Vagrant box bookworm: destroy/m);
      assert.equal(cli('restore').stdout, 'Vagrant box bookworm: it is removed\n');
      assert.deepEqual(domains(), []);
    },
  );

  await timed('SIGINT while the box comes up: interrupted, exit code 130, nothing left', async () => {
    const interrupted = start(['run', profile('destroy.yaml', '{ kind: vagrant }'), '--quiet'], work, env);
    await until('a domain', () => domains().length > 0);
    interrupted.kill('SIGINT');
    const { code, stderr } = await interrupted.ended;
    assert.equal(code, 130, stderr);
    assert.deepEqual(domains(), []);
  });

  await timed('`run --lab vagrant --box bookworm`, `after: destroy`: a new box, exact counts, gone', () => {
    const { status, stdout, stderr } = cli(
      'run',
      'destroy.yaml',
      '--lab',
      'vagrant',
      '--box',
      BOX,
      '--json',
      '--quiet',
    );
    assert.equal(status, 0, stderr);
    check(stdout);
    assert.deepEqual(domains(), []);
  });

  await timed('nothing left: no domain, no network, no volume but the downloaded box, no record', () => {
    assert.deepEqual(virsh('net-list', '--all', '--name'), []);
    const volumes = virsh('vol-list', '--pool', 'default').slice(2);
    assert.equal(volumes.length, 1, volumes.join('\n'));
    assert.match(volumes[0], /cloud-image.*box_image/);
    assert.deepEqual(readdirSync(join(folder, 'state/bindstorm/boxes')), []);
    assert.equal(cli('restore').stdout, 'Nothing to restore.\n');
  });
}

/** The box under its name in the catalogue, so that nothing is downloaded; and how it boots, in the user's own Vagrantfile. */
function prepare(folder, { box, kernel, initrd }, env) {
  writeFileSync(
    join(folder, 'vagrant', 'Vagrantfile'),
    `Vagrant.configure('2') do |config|
  config.vm.provider :libvirt do |libvirt|
    libvirt.kernel = '${kernel}'
    libvirt.initrd = '${initrd}'
    libvirt.cmd_line = 'root=/dev/vda rw console=ttyS0 net.ifnames=0 random.trust_cpu=on'
    libvirt.storage_pool_path = '${join(folder, 'pool')}'
  end
end
`,
  );
  const { status, stdout, stderr } = spawnSync('vagrant', ['box', 'add', '--name', CATALOGUE, box], {
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `vagrant box add: ${stdout}${stderr}`);
  assert.ok(existsSync(CLI), 'the package is built');
}

/** Every run has the counts that the arithmetic says. @returns the results */
function check(stdout) {
  const results = JSON.parse(stdout);
  assert.deepEqual(
    results.variants.map(({ name }) => name),
    Object.keys(EXPECTED),
  );
  for (const { name, runs } of results.variants) {
    assert.equal(runs.length, 2, `runs of ${name}`);
    for (const run of runs) {
      assert.deepEqual([run.status, run.problems, run.outcomes], ['ok', [], EXPECTED[name]], `${name}: ${run.stderr}`);
      assert.deepEqual([run.sysctls['vm.swappiness'], run.sysctls['net.core.netdev_max_backlog']], ['11', '1234']);
    }
  }
  assert.match(
    results.environment.lab,
    /^virtual machine: Vagrant box bookworm \(libvirt\), client and origin joined by veth/,
  );
  return results;
}

function virsh(...words) {
  const { status, stdout, stderr } = spawnSync('virsh', ['-c', 'qemu:///system', ...words], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function start(words, cwd, env) {
  const child = spawn(process.execPath, [CLI, ...words], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stderr })));
  return { kill: (signal) => child.kill(signal), ended };
}

async function until(what, probe, ms = 300_000) {
  const deadline = performance.now() + ms;
  while (!probe()) {
    if (performance.now() > deadline) throw new Error(`waited ${ms / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
