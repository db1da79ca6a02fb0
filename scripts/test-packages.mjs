// Looks for the Debian packages of the tests, and installs missing ones with apt when the tests run as root (a container, CI) and
// BINDSTORM_NO_APT does not decline. Which packages, and what each is for: test/support/packages.ts.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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

/** @returns a promise of whether it succeeded; what apt says of a failure is printed */
async function apt(...words) {
  const deadline = Date.now() + LOCKED_MINUTES * 60_000;
  for (let waited = false; ; waited = true) {
    const { status, stderr } = await runApt(words);
    const locked = status !== 0 && LOCKED.test(stderr);
    if (!locked || Date.now() > deadline) {
      process.stderr.write(stderr);
      return status === 0;
    }
    if (!waited)
      console.log(`waiting, up to ${LOCKED_MINUTES} minutes: ${stderr.match(/^E: (.*)$/m)?.[1] ?? stderr.trim()}`);
    await setTimeout(3000);
  }
}

/** @returns a promise of its exit code, null where it could not be started or a signal ended it, and of what it said on stderr */
function runApt(words) {
  const child = spawn('apt-get', ['-q', ...IMPATIENT, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // No question, and no service started by an installation: the tests start what they need, in namespaces of their own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', LC_ALL: 'C' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: null, stderr: `${error.message}\n` }));
    child.once('close', (status) => resolve({ status, stderr }));
  });
}

/**
 * Install the packages that are missing, after saying which, what each is for and which tests need it; BINDSTORM_NO_APT=1 declines.
 * Never throws.
 * @param packages rows of { name, program, why }
 * @param files the test files that will run, as test/support/packages.ts has them
 * @returns the packages that are missing, whether they were declined, and a promise of those that are missing after the installation
 */
export function provide(packages, files) {
  const missing = missingOf(packages);
  const { action, lines } = decide(
    { missing, mayInstall: mayInstall(), declined: process.env.BINDSTORM_NO_APT },
    files,
  );
  for (const line of lines) console.log(line);
  return {
    missing,
    declined: action === 'declined',
    installed: action === 'install' ? install(packages, missing) : Promise.resolve(missing),
  };
}

async function install(packages, missing) {
  const names = missing.map(({ name }) => name);
  const once = () => apt('install', '-y', '--no-install-recommends', ...names);
  // Lists that are missing or old are the usual reason.
  if (!(await once()) && (await apt('update'))) await once();
  const still = missingOf(packages);
  if (still.length > 0)
    console.error(
      `could not be installed: ${still.map(({ name }) => name).join(', ')}; the tests that need them will fail`,
    );
  return still;
}
