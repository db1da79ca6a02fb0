// Builds a Vagrant box for libvirt from nothing but the Debian archive: debootstrap, a disk image without a boot loader, and the
// kernel beside it, which libvirt boots directly. Root only; in namespaces of its own (scripts/test-vagrant.mjs), where its mounts end.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** What a box needs beside the base system; cpio comes with the kernel's initramfs-tools. */
const PACKAGES = [
  'linux-image-cloud-amd64',
  'systemd-sysv',
  'openssh-server',
  'sudo',
  'ifupdown',
  'isc-dhcp-client',
  'rsync',
];
const DISK = '2G';

/**
 * @param folder an empty folder for the box and what it takes to make it
 * @param suite of Debian
 * @returns the paths of the box, the kernel and its initrd
 */
export function buildBox(folder, suite) {
  const root = join(folder, 'root');
  run('debootstrap', '--variant=minbase', `--include=${PACKAGES.join(',')}`, suite, root, mirror());
  configure(root);
  const boot = readdirSync(join(root, 'boot'));
  const find = (prefix) => join(root, 'boot', boot.find((name) => name.startsWith(prefix)) ?? `${prefix}-missing`);
  const [kernel, initrd] = [join(folder, 'vmlinuz'), join(folder, 'initrd.img')];
  copyFileSync(find('vmlinuz'), kernel);
  copyFileSync(find('initrd.img'), initrd);

  const [raw, box] = [join(folder, 'disk.raw'), join(folder, `${suite}.box`)];
  run('truncate', '--size', DISK, raw);
  run('mkfs.ext4', '-q', '-d', root, raw);
  const parts = join(folder, 'parts');
  mkdirSync(parts);
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(parts, 'box.img'));
  writeFileSync(
    join(parts, 'metadata.json'),
    JSON.stringify({ provider: 'libvirt', format: 'qcow2', virtual_size: Number.parseInt(DISK, 10) }),
  );
  run('tar', '--create', '--file', box, '--directory', parts, 'metadata.json', 'box.img');
  for (const path of [root, raw, parts]) rmSync(path, { recursive: true, force: true });
  return { box, kernel, initrd };
}

/** The user vagrant with Vagrant's well-known key, which `vagrant up` replaces by one of its own; sudo; one interface by DHCP. */
function configure(root) {
  const write = (path, text, mode = 0o644) => {
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  run('chroot', root, 'useradd', '--create-home', '--shell', '/bin/bash', 'vagrant');
  write('etc/sudoers.d/vagrant', 'vagrant ALL=(ALL) NOPASSWD: ALL\n', 0o440);
  mkdirSync(join(root, 'home/vagrant/.ssh'), { mode: 0o700 });
  write('home/vagrant/.ssh/authorized_keys', insecureKey(), 0o600);
  run('chroot', root, 'chown', '--recursive', 'vagrant:', '/home/vagrant/.ssh');
  write('etc/network/interfaces', 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n');
  write('etc/fstab', '/dev/vda / ext4 defaults 0 1\n');
  write('etc/hostname', 'box\n');
  write('etc/hosts', '127.0.0.1 localhost box\n');
  appendFileSync(join(root, 'etc/ssh/sshd_config'), 'UseDNS no\n');
}

/** The public half of the key that every box begins with; a file of the package vagrant. */
function insecureKey() {
  const files = spawnSync('dpkg', ['-L', 'vagrant'], { encoding: 'utf8' }).stdout.split('\n');
  const path = files.find((name) => /\/keys\/vagrant\.pub$/.test(name));
  if (path === undefined) throw new Error('the package vagrant has no keys/vagrant.pub');
  return readFileSync(path, 'utf8');
}

/** The archive that this machine's apt uses. */
function mirror() {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  return stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri)) ?? 'http://deb.debian.org/debian';
}

/** Quiet unless it fails. */
function run(program, ...words) {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0)
    throw new Error(`${program} ${words.join(' ')} failed: ${error?.message ?? `${stdout}\n${stderr}`.slice(-4000)}`);
}
