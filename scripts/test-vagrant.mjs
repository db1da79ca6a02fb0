// The real test of the Vagrant lab, from nothing (npm run test:vagrant): builds a box with debootstrap, starts a libvirt daemon in
// namespaces of its own, and runs experiments in the box by this package's own Vagrantfile, without KVM. Writes down what came of it in
// vagrant/last-test.md. Root only, since debootstrap, libvirtd and the mounts are root's; it takes ten minutes or more.
// With --keep the folder of a test that failed stays, with all logs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provide } from './test-packages.mjs';
import { buildBox } from './vagrant-box.mjs';
import { experiments } from './vagrant-experiments.mjs';
import { startLibvirt } from './vagrant-libvirt.mjs';

const self = fileURLToPath(import.meta.url);
const ROOT = join(dirname(self), '..');
const RECORD = join(ROOT, 'vagrant', 'last-test.md');
const SUITE = 'bookworm';
/** What this test needs beyond Node. */
const PACKAGES = [
  { name: 'vagrant', program: 'vagrant', why: 'brings the box up' },
  { name: 'openssh-client', program: 'ssh', why: 'how Vagrant reaches the box' },
  { name: 'debootstrap', program: 'debootstrap', why: 'builds the box' },
  { name: 'e2fsprogs', program: 'mkfs.ext4', why: 'its file system' },
  { name: 'qemu-utils', program: 'qemu-img', why: 'its disk image' },
  { name: 'qemu-system-x86', program: 'qemu-system-x86_64', why: 'runs the box' },
  { name: 'libvirt-daemon', program: 'libvirtd', why: 'manages the box' },
  { name: 'libvirt-clients', program: 'virsh', why: 'looks at the box' },
  { name: 'dnsmasq-base', program: 'dnsmasq', why: "addresses for libvirt's network" },
  { name: 'iptables', program: 'iptables', why: "rules of libvirt's network" },
  { name: 'iproute2', program: 'ip', why: "links of libvirt's network" },
  { name: 'vagrant-libvirt', program: null, why: "Vagrant's provider" },
  { name: 'libvirt-daemon-driver-qemu', program: null, why: "libvirt's driver" },
];
const [stage, folder] = process.argv.slice(2);

if (stage === 'box') {
  const begun = performance.now();
  const made = buildBox(join(folder, 'box'), SUITE);
  writeFileSync(join(folder, 'box.json'), JSON.stringify({ ...made, seconds: secondsSince(begun) }));
} else if (stage === 'experiments') {
  await startLibvirt(join(folder, 'libvirt'));
  const made = JSON.parse(readFileSync(join(folder, 'box.json'), 'utf8'));
  const steps = [];
  try {
    await experiments({ folder, made, step: (what, seconds) => steps.push({ what, seconds }) });
    finish({ steps, failure: null });
  } catch (error) {
    finish({ steps, failure: error.stack });
  }
} else await main();

function finish(outcome) {
  writeFileSync(join(folder, 'outcome.json'), JSON.stringify(outcome));
  // The daemon and what it has started end with the namespace.
  process.exit(0);
}

async function main() {
  if (process.getuid() !== 0) {
    console.error(
      'npm run test:vagrant needs root (debootstrap, libvirtd, mounts); run it in a machine or container to spare',
    );
    process.exit(1);
  }
  const begun = performance.now();
  if ((await provide(PACKAGES, []).installed).length > 0) process.exit(1);
  const steps = [{ what: 'packages were there, or are installed', seconds: secondsSince(begun) }];
  const own = mkdtempSync('/var/tmp/bindstorm-vagrant-');
  let failure = null;
  try {
    for (const name of ['box', 'libvirt', 'home', 'state', 'cache', 'vagrant', 'pool', 'work'])
      mkdirSync(join(own, name));
    console.log('building the box…');
    // A mount namespace: debootstrap's mounts end with it. The network is this machine's.
    stageIn(['--mount'], 'box', own);
    steps.push({
      what: `box built with debootstrap (${SUITE}, its kernel and initrd)`,
      seconds: JSON.parse(readFileSync(join(own, 'box.json'), 'utf8')).seconds,
    });
    console.log('bringing it up…');
    // No way out of this network namespace: the box and its daemon see each other and nothing else.
    stageIn(['--mount', '--net'], 'experiments', own);
    const outcome = JSON.parse(readFileSync(join(own, 'outcome.json'), 'utf8'));
    steps.push(...outcome.steps);
    failure = outcome.failure;
  } catch (error) {
    failure = error.stack;
  } finally {
    if (failure === null || !process.argv.includes('--keep')) rmSync(own, { recursive: true, force: true });
  }
  writeFileSync(
    RECORD,
    record(steps, failure === null ? null : failure.replaceAll(own, '…').replaceAll(ROOT, '.'), secondsSince(begun)),
  );
  console.log(readFileSync(RECORD, 'utf8'));
  process.exit(failure === null ? 0 : 1);
}

/** The first process of a PID namespace must collect the ends of others; a shell does, Node does not. */
function stageIn(namespaces, name, own) {
  const { status, signal } = spawnSync(
    'unshare',
    [
      ...[...namespaces, '--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
      ...['nice', '-n', '10', 'sh', '-c', '"$@"; exit $?', 'sh', process.execPath, self, name, own],
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0) throw new Error(`the stage ${name} ended with ${signal ?? status}`);
}

function secondsSince(begun) {
  return Math.round((performance.now() - begun) / 1000);
}

function version(program, ...words) {
  const { stdout } = spawnSync(program, words, { encoding: 'utf8' });
  return (stdout ?? '').split('\n')[0].trim() || 'unknown';
}

function record(steps, failure, seconds) {
  const plugin = version('vagrant', 'plugin', 'list')
    .replace(/[(),]/g, '')
    .replace(/ system$/, '');
  return `# The last real test of the Vagrant lab

Written by \`npm run test:vagrant\`, which builds a box from nothing, starts libvirt in namespaces of its own and runs experiments in
the box by \`vagrant/Vagrantfile\`, emulated (no KVM). Times are those of a small, busy machine.

- Outcome: **${failure === null ? 'passed' : 'failed'}**, ${new Date().toISOString().slice(0, 10)}, ${Math.round(seconds / 60)} minutes in all
- ${version('vagrant', '--version')}, ${plugin}, libvirt ${version('libvirtd', '--version').replace(/^.* /, '')}, ${version('qemu-system-x86_64', '--version').replace(/ \(.*/, '')}
- Node ${process.versions.node}, host kernel ${release().replace(/-.*/, '')}

| step | seconds |
|---|---:|
${steps.map(({ what, seconds: taken }) => `| ${what} | ${taken} |`).join('\n')}
${failure === null ? '' : `\nWhat stood in the way:\n\n\`\`\`\n${failure.trim()}\n\`\`\`\n`}`;
}
