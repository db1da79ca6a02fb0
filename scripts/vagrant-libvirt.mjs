// A libvirt daemon for the real test of the Vagrant lab: without systemd, D-Bus or anything of this machine's own libvirt, in the
// network, mount and PID namespaces that this process is in already. Root only.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const QEMU_CONF = `user = "root"
group = "root"
security_driver = "none"
remember_owner = 0
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
seccomp_sandbox = 0
`;
const LIBVIRTD_CONF = `auth_unix_rw = "none"
auth_unix_ro = "none"
`;
/** Folders of the daemon, each replaced by an empty one of our own. */
const PRIVATE = ['/etc/libvirt', '/var/lib/libvirt', '/var/cache/libvirt', '/var/log/libvirt', '/run/libvirt'];
const READY_MS = 60_000;

/**
 * Start it and wait until it answers. It ends with the PID namespace.
 * @param folder an empty folder for its files
 */
export async function startLibvirt(folder) {
  must('ip', 'link', 'set', 'lo', 'up');
  // dnsmasq and the bridges are this namespace's own; so is what they write.
  for (const path of PRIVATE) {
    const own = join(folder, path.replaceAll('/', '_'));
    mkdirSync(own, { recursive: true });
    if (!existsSync(path)) mountPointFor(path);
    must('mount', '--bind', own, path);
  }
  writeFileSync('/etc/libvirt/qemu.conf', QEMU_CONF);
  writeFileSync('/etc/libvirt/libvirtd.conf', LIBVIRTD_CONF);
  privateUsers(folder);
  const log = openSync(join(folder, 'libvirtd.log'), 'a');
  const daemon = spawn('libvirtd', [], { stdio: ['ignore', log, log] });
  let ended = false;
  daemon.on('exit', () => {
    ended = true;
  });
  const deadline = performance.now() + READY_MS;
  while (spawnSync('virsh', ['-c', 'qemu:///system', 'version'], { stdio: 'ignore' }).status !== 0) {
    if (ended || performance.now() > deadline)
      throw new Error(`libvirtd did not come up; see ${join(folder, 'libvirtd.log')}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A mount point that is not there is made in memory, on top of its parent, so that this machine's own file system stays as it is. */
function mountPointFor(path) {
  const parent = path.slice(0, path.lastIndexOf('/'));
  must('mount', '-t', 'tmpfs', 'none', parent);
  mkdirSync(path);
}

/** The daemon wants a user that Debian's libvirt-daemon-system makes; here only this namespace sees it. */
function privateUsers(folder) {
  if (spawnSync('getent', ['passwd', 'libvirt-qemu'], { stdio: 'ignore' }).status === 0) return;
  for (const [path, line] of [
    ['/etc/passwd', 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n'],
    ['/etc/group', 'libvirt-qemu:x:64055:\n'],
  ]) {
    const own = join(folder, path.replaceAll('/', '_'));
    copyFileSync(path, own);
    appendFileSync(own, line);
    must('mount', '--bind', own, path);
  }
}

function must(program, ...words) {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} failed: ${error?.message ?? stderr}`);
}
