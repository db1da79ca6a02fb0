// Looks for the Debian packages of the tests, and installs missing ones with apt when the tests run as root (a container, CI) and
// BINDSTORM_NO_APT does not decline. Which packages, and what each is for: test/support/packages.ts.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { decide } from '../dist/test/support/packages.js';

/** Programs of administrators are in sbin, which the PATH of a user may lack. */
const FOLDERS = [...new Set([...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'])];

function isThere(program) {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** For packages without a program. */
function isInstalled(name) {
  const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' });
  return /^Status: .* installed$/m.test(stdout ?? '');
}

/** @param packages rows of { name, program, why } @returns those that are not on this machine */
function missingOf(packages) {
  return packages.filter(({ name, program }) => !(program === null ? isInstalled(name) : isThere(program)));
}

/** Whether packages can be installed here. */
function mayInstall() {
  return process.getuid?.() === 0 && isThere('apt-get');
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

/**
 * Install the packages that are missing, after saying which, what each is for and which tests need it; BINDSTORM_NO_APT=1 declines.
 * Never throws.
 * @param packages rows of { name, program, why }
 * @param files the test files that will run, as test/support/packages.ts has them
 * @returns the packages that are still missing, and whether they were declined
 */
export function provide(packages, files) {
  const missing = missingOf(packages);
  const { action, lines } = decide(
    { missing, mayInstall: mayInstall(), declined: process.env.BINDSTORM_NO_APT },
    files,
  );
  for (const line of lines) console.log(line);
  if (action !== 'install') return { missing, declined: action === 'declined' };
  const install = () => apt('install', '-y', '--no-install-recommends', ...missing.map(({ name }) => name));
  // Lists that are missing or old are the usual reason.
  if (!install() && apt('update')) install();
  const still = missingOf(packages);
  if (still.length > 0)
    console.error(
      `could not be installed: ${still.map(({ name }) => name).join(', ')}; the tests that need them will fail`,
    );
  return { missing: still, declined: false };
}
