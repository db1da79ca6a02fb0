/**
 * Whether QEMU can use KVM here. A /dev/kvm that can be opened is no proof: there are machines on which every guest hangs. So a
 * kernel is really booted, without a root filesystem, and its panic is the proof. What was found out is kept in the cache, for
 * this boot of the machine and this version of QEMU.
 */

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, cacheKey } from '../../machine/folders.js';
import { DIE_WITH_PARENT } from '../../machine/parent-death.js';
import { bootId } from '../../machine/process-identity.js';
import { replaceFile } from '../../machine/replace-file.js';
import { lastLine } from '../agent-channel.js';
import type { Note } from '../lab.js';
import { type Accelerator, machineCommand, QEMU } from './qemu.js';

const DEVICE = '/dev/kvm';
/** A guest under KVM comes as far in less than a second. */
const DEADLINE_MS = 6_000;
const MEMORY = 2 ** 28;

/**
 * @param kernel a bzImage
 * @param note called with a message before slow steps
 */
export async function findAccelerator(kernel: string, note: Note): Promise<Accelerator> {
  const closed = unusable();
  if (closed !== undefined) return { kind: 'tcg', why: closed };
  const known = knownFile();
  if (existsSync(known)) return JSON.parse(readFileSync(known, 'utf8')) as Accelerator;
  note('trying whether guests boot under KVM (once after each boot of this machine)');
  const failure = await tryKvm(kernel);
  const found: Accelerator = failure === undefined ? { kind: 'kvm' } : { kind: 'tcg', why: failure };
  replaceFile(known, JSON.stringify(found));
  return found;
}

/** Why it need not be tried. */
function unusable(): string | undefined {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? `no ${DEVICE}`
      : `${DEVICE} is closed to this user; the group kvm may use it`;
  }
}

function knownFile(): string {
  return join(cacheFolder('kvm'), `${cacheKey(bootId(), qemuVersion() ?? '')}.json`);
}

/** The first line of `--version`; undefined when there is no QEMU. */
export function qemuVersion(): string | undefined {
  const { status, stdout } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]!.trim() : undefined;
}

/** Why a guest does not boot under KVM; undefined when it does. */
async function tryKvm(kernel: string): Promise<string | undefined> {
  const [program, ...rest] = [...DIE_WITH_PARENT, ...machineCommand({ path: kernel }, 'kvm', MEMORY, [])];
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let console = '';
  let errors = '';
  return new Promise((resolve) => {
    const end = (failure?: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(failure);
    };
    const timer = setTimeout(
      () => end(console === '' ? 'guests hang' : `a guest hangs at: ${lastLine(console)}`),
      DEADLINE_MS,
    );
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      console += chunk;
      // Without a root filesystem that is how far a sound boot comes.
      if (/Kernel panic - not syncing: (?:VFS|No working init)/.test(console)) end();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    child.on('error', ({ message }) => end(message));
    child.on('close', () => end(lastLine(errors) || lastLine(console) || 'QEMU ended at once'));
  });
}
