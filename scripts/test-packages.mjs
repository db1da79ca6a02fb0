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

function apt(...words) {
  return spawnSync('apt-get', ['-q', ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // No question, and no service started by an installation: the tests start what they need, in namespaces of their own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
}

/** Install what the tests need and what is missing. Says what it does; never throws. */
export function installTestPackages() {
  installPackages(NEEDED, ALSO);
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
  const install = () => apt('install', '-y', '--no-install-recommends', ...missing).status === 0;
  if (!install()) {
    apt('update');
    install();
  }
  const still = missingPackages(needed, also);
  if (still.length > 0) console.error(`could not be installed: ${still.join(', ')}; tests that need them will fail`);
  return still.length === 0;
}
