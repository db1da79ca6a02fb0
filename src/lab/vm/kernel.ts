/**
 * The kernel of a guest, by its name; and by what it is, the engine that boots it where none is asked for.
 */
import { resolve } from 'node:path';
import { DEBIAN_SUITES, type Engine, isKernelPath, RUNNING } from '../../profile/guest.js';
import type { Guest } from '../../profile/plan.js';
import { LabError } from '../lab.js';
import { type KernelFile, readKernelFile } from './boot-header.js';
import type { QemuKernel } from './qemu.js';
import { debianQemuKernel, givenQemuKernel, runningKernel } from './qemu-kernel.js';
import { debianUmlKernel, givenUmlKernel, type UmlKernel } from './uml-kernel.js';

export type GuestKernel = UmlKernel | QemuKernel;

/**
 * A kernel that is ready to be booted.
 * @param note told what takes long
 * @throws LabError when it cannot be had, or the engine does not boot such a kernel
 */
export async function guestKernel({ engine, kernel }: Guest, note: (text: string) => void): Promise<GuestKernel> {
  if (process.arch !== 'x64')
    throw new LabError(`guests have the CPU of x86-64, and this machine, whose Node they run, is ${process.arch}`);
  if (isKernelPath(kernel)) return givenKernel(resolve(kernel), engine, note);
  if (kernel === RUNNING) return runningKernel(note);
  return (engine ?? 'uml') === 'uml' ? debianUmlKernel(kernel, note) : debianQemuKernel(kernel, note);
}

async function givenKernel(
  path: string,
  engine: Engine | undefined,
  note: (text: string) => void,
): Promise<GuestKernel> {
  const file = readFile(path);
  if (file.kind === 'other')
    throw new LabError(`${path} is ${file.what}`, { remedy: file.remedy ?? `give ${WHAT_TO_GIVE}` });
  const found: Engine = file.kind === 'program' ? 'uml' : 'qemu';
  if (engine !== undefined && engine !== found)
    throw new LabError(
      file.kind === 'program'
        ? `${path} is a program, and QEMU boots kernel images (bzImage)`
        : `${path} is a kernel image (bzImage), and User-Mode Linux is a kernel built as a program (ARCH=um)`,
      { remedy: `leave the engine away, or use engine ${found}` },
    );
  return file.kind === 'program' ? givenUmlKernel(path) : givenQemuKernel(path, file.release, note);
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
