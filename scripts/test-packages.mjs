// What the tests need of Debian beside Node: programs, each with the package that has it. Missing ones are installed by apt when the
// tests run as root (a container, CI); otherwise they are named, and the tests that need them fail.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program, or file → Debian package. */
const NEEDED = {
  setpriv: 'util-linux',
  'qemu-system-x86_64': 'qemu-system-x86',
  cpio: 'cpio',
  squid: 'squid',
  strace: 'strace',
  bpftrace: 'bpftrace',
  vagrant: 'vagrant',
  haproxy: 'haproxy',
  nginx: 'nginx',
  '/usr/lib/nginx/modules/ngx_stream_module.so': 'libnginx-mod-stream',
  danted: 'dante-server',
  chromium: 'chromium',
  tor: 'tor',
};
/** What has no program of its own: the provider with which `vagrant validate` reads the Vagrantfile. */
const ALSO = ['vagrant-libvirt'];

/** Programs of administrators lie in sbin, which the PATH of a user may not have. */
const FOLDERS = [...new Set([...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'])];

function isThere(program) {
  if (program.startsWith('/')) return existsSync(program);
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function missingPackages(needed, also) {
  const missing = Object.entries(needed).filter(([program]) => !isThere(program));
  return [...new Set([...missing.map(([, name]) => name), ...also.filter((name) => !isInstalled(name))])];
}

/** For packages without a program. */
function isInstalled(name) {
  const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' });
  return /^Status: .* installed$/m.test(stdout ?? '');
}

/** What apt and dpkg say when another of their kind has the lock; it ends by itself, as the upgrade of a machine that has just started. */
const LOCKED = /Could not get lock|Unable to (?:acquire|lock)/;
const LOCKED_MINUTES = 10;
/** Without a network every mirror is tried: half a minute says as much as the several minutes of the defaults. */
const IMPATIENT = ['-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15', '-o', 'Acquire::Retries=1'];

/** @returns whether it succeeded; what apt says of a failure is printed */
function apt(...words) {
  const deadline = Date.now() + LOCKED_MINUTES * 60_000;
  for (let waited = false; ; waited = true) {
    const { status, stderr } = spawnSync('apt-get', ['-q', ...IMPATIENT, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      // No question, and no service started by an installation: the tests start what they need, in namespaces of their own.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', LC_ALL: 'C' },
    });
    const locked = status !== 0 && LOCKED.test(stderr);
    if (!locked || Date.now() > deadline) {
      process.stderr.write(stderr);
      return status === 0;
    }
    if (!waited)
      console.log(`waiting, up to ${LOCKED_MINUTES} minutes: ${stderr.match(/^E: (.*)$/m)?.[1] ?? stderr.trim()}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
  }
}

/** Install what the tests need and what is missing. Says what it does; never throws. @returns the packages that are still missing */
export function installTestPackages() {
  installPackages(NEEDED, ALSO);
  return missingPackages(NEEDED, ALSO);
}

/**
 * Install what is missing. Says what it does; never throws.
 * @param needed program → package
 * @param also packages
 * @returns whether all is there
 */
export function installPackages(needed, also) {
  const missing = missingPackages(needed, also);
  if (missing.length === 0) return true;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !isThere('apt-get')) {
    console.error(`tests that need them will fail: ${missing.join(', ')} (${command})`);
    return false;
  }
  console.log(`installing for the tests: ${missing.join(', ')}`);
  const install = () => apt('install', '-y', '--no-install-recommends', ...missing);
  // Lists that are missing or old are the usual reason.
  if (!install() && apt('update')) install();
  const still = missingPackages(needed, also);
  if (still.length > 0) console.error(`could not be installed: ${still.join(', ')}; tests that need them will fail`);
  return still.length === 0;
}
