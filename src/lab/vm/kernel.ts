/**
 * The kernel of a guest, by its name; and by what it is, the engine that boots it where none is asked for.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { notBelow } from '../../capacity/kernel-version.js';
import { unlessThrown } from '../../domain/error.js';
import { DEBIAN_SUITES, type Engine, isKernelPath, RUNNING } from '../../domain/guest.js';
import type { Guest } from '../../plan/plan.js';
import { LabError, type Note } from '../lab.js';
import { type KernelFile, readKernelFile } from './boot-header.js';
import type { QemuKernel } from './qemu.js';
import { debianQemuKernel, givenQemuKernel, runningKernel } from './qemu-kernel.js';
import { debianUmlKernel, givenUmlKernel, type UmlKernel } from './uml-kernel.js';

export type GuestKernel = UmlKernel | QemuKernel;

/**
 * A kernel that is ready to be booted.
 * @param note called with a message before slow steps
 * @param modules wanted beside those of every lab
 * @throws LabError when it cannot be had, or the engine does not boot such a kernel
 */
export async function guestKernel(
  { engine, kernel }: Guest,
  note: Note,
  modules: readonly string[] = [],
): Promise<GuestKernel> {
  if (process.arch !== 'x64')
    throw new LabError(`guests run this machine's Node on an x86-64 CPU, and this machine is ${process.arch}`);
  if (isKernelPath(kernel)) return givenKernel(resolve(kernel), engine, note, modules);
  if (kernel === RUNNING) return runningKernel(note, modules);
  return engine === 'uml' ? debianUmlKernel(kernel, note, modules) : debianQemuKernel(kernel, note, modules);
}

const ENGINE_OF: Readonly<Record<Exclude<KernelFile['kind'], 'other'>, Engine>> = { program: 'uml', bzImage: 'qemu' };

/** What boots the kernel in a file; undefined for a file that cannot be read or is no kernel. */
export function engineOf(path: string): Engine | undefined {
  const kind = unlessThrown(() => readKernelFile(path).kind, 'other');
  return kind === 'other' ? undefined : ENGINE_OF[kind];
}

/** Refuse a path at which there is no kernel. @throws LabError */
export function refuseKernel({ kernel }: Guest): void {
  if (isKernelPath(kernel)) kernelAt(resolve(kernel));
}

/** What kind of kernel lies at a path. @throws LabError when none does */
function kernelAt(path: string): Exclude<KernelFile, { kind: 'other' }> {
  const file = readFile(path);
  if (file.kind === 'other')
    throw new LabError(`${path} is ${file.what}`, { remedy: file.remedy ?? `give ${WHAT_TO_GIVE}` });
  if (file.kind === 'bzImage') refuseTooOld(path, file.release);
  return file;
}

async function givenKernel(path: string, engine: Engine, note: Note, modules: readonly string[]): Promise<GuestKernel> {
  const file = kernelAt(path);
  const fitting = ENGINE_OF[file.kind];
  if (engine !== fitting)
    throw new LabError(
      file.kind === 'program'
        ? `${path} is a program, and QEMU boots kernel images (bzImage)`
        : `${path} is a kernel image (bzImage), and User-Mode Linux is a kernel built as a program (ARCH=um)`,
      { remedy: `remove the engine, or use engine ${fitting}` },
    );
  return file.kind === 'program' ? givenUmlKernel(path) : givenQemuKernel(path, file.release, note, modules);
}

/**
 * What the C library of this machine's Node is built for (glibc 2.26 and newer for x86-64, .note.ABI-tag). On 2.6.32 its loader
 * cannot open a library: it asks for the status of a file by its descriptor (AT_EMPTY_PATH, Linux 2.6.39). docs/old-kernels.md.
 */
const OLDEST_KERNEL = [3, 2];

function refuseTooOld(path: string, release: string | null): void {
  const numbers = release?.split('.', 2).map((part) => Number.parseInt(part, 10));
  if (numbers === undefined || notBelow(numbers, OLDEST_KERNEL)) return;
  const oldest = OLDEST_KERNEL.join('.');
  throw new LabError(
    `${path} is Linux ${release}; Node, which runs in the guest, needs Linux ${oldest} or newer: the C library of this machine does not start on an older one`,
    { remedy: `give a kernel from ${oldest} on` },
  );
}

/**
 * Refuse a kernel that a program does not run on, by the note of its build.
 * @throws LabError which names the program
 */
export function refuseTooNew(
  { path, release: needed }: { readonly path: string; readonly release: readonly number[] },
  kernel: GuestKernel,
): void {
  if (notBelow(OLDEST_KERNEL, needed)) return;
  const release = releaseOf(kernel);
  const numbers = release?.split(/[.-]/).slice(0, 3).map(Number);
  if (numbers === undefined || numbers.some(Number.isNaN) || notBelow(numbers, needed)) return;
  throw new LabError(
    `${path} is built for Linux ${needed.join('.')} and newer; the kernel of the guest is ${release}`,
    { remedy: 'give a newer kernel, or a build of the program for older ones' },
  );
}

/** As uname(2) will say; null where the file does not tell. */
function releaseOf(kernel: GuestKernel): string | null {
  if (kernel.engine === 'qemu') {
    const file = readFile(kernel.path);
    return file.kind === 'bzImage' ? file.release : null;
  }
  const env = { ...process.env, ...(kernel.libraries === null ? {} : { LD_LIBRARY_PATH: kernel.libraries }) };
  const { stdout } = spawnSync(kernel.path, ['--version'], { cwd: kernel.cwd, env, encoding: 'utf8', timeout: 5000 });
  return /^\d+\.\d+\S*/.exec(stdout ?? '')?.[0] ?? null;
}

const WHAT_TO_GIVE = `the path of a bzImage or of a User-Mode Linux kernel, or a Debian suite: ${DEBIAN_SUITES.join(', ')}`;

function readFile(path: string): KernelFile {
  try {
    return readKernelFile(path);
  } catch (error) {
    throw new LabError(`the kernel ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
      remedy: `give ${WHAT_TO_GIVE}`,
    });
  }
}
