/**
 * User-Mode Linux kernels: a file that the user names, or that of a Debian suite, fetched once into the cache.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DEBIAN_SUITES, isKernelPath } from '../../profile/guest.js';
import { LabError } from '../lab.js';
import { unpackDebianPackages } from './apt.js';
import { cacheDirectory, cacheFolder } from './cache.js';
import { interpreterOf, librariesOf, readElfHead } from './elf.js';
import { moduleFolder, modulesToLoad } from './modules.js';
import { withLoader, withStateSize } from './uml-binary.js';

export interface UmlKernel {
  /** The program. */
  readonly path: string;
  /** Its working directory, and the folder of its own C library where it needs a newer one than this machine has. */
  readonly cwd: string;
  readonly libraries: string | null;
  /** Modules to load in the guest, in order. */
  readonly modules: readonly string[];
}

/** XTILEDATA of AMX lies at byte 2816 of the state and has 8192 bytes (Intel SDM volume 1, 13.5.3 and 18). */
const AMX_STATE_BYTES = 11_008;
const LOADER = 'ld.so';
const WORK = '.fetching-';
/** No fetching takes as long. */
const STALE_MS = 3_600_000;

/**
 * A kernel by its name: a path, or a Debian suite.
 * @param note told what takes long
 * @throws LabError when it cannot be had, or is not a User-Mode Linux kernel
 */
export async function umlKernel(name: string, note: (text: string) => void): Promise<UmlKernel> {
  if (process.arch !== 'x64') throw new LabError(`User-Mode Linux runs on x86-64, and this machine is ${process.arch}`);
  const folder = isKernelPath(name) ? null : await debianKernel(name, note);
  const path = folder === null ? givenKernel(name) : join(folder, 'linux');
  const libraries = folder !== null && existsSync(join(folder, 'lib')) ? join(folder, 'lib') : null;
  return {
    path: fitted(path),
    cwd: folder ?? dirname(path),
    libraries,
    modules: modulesToLoad(folder === null ? null : moduleFolder(join(folder, 'modules'))),
  };
}

/** The suites whose kernels are in the cache; makes and fetches nothing. */
export function cachedKernels(): string[] {
  return DEBIAN_SUITES.filter((suite) => existsSync(join(cacheDirectory(), 'kernels', `uml-${suite}`, 'linux')));
}

function givenKernel(name: string): string {
  const path = resolve(name);
  let head: Buffer | undefined;
  try {
    head = readElfHead(path);
  } catch (error) {
    throw new LabError(`the kernel ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
      remedy: `give the path of a User-Mode Linux kernel, or a Debian suite: ${DEBIAN_SUITES.join(', ')}`,
    });
  }
  // A kernel image for hardware (bzImage) is no ELF file; a vmlinux is one, and cannot be told by its head alone.
  if (head === undefined)
    throw new LabError(`${path} is not a User-Mode Linux kernel: it is no program for this machine`, {
      remedy:
        'a kernel image for hardware (bzImage) needs an engine that this version does not have; build the kernel with ARCH=um, or give a Debian suite',
    });
  return path;
}

/** The folder of a suite's kernel in the cache. */
async function debianKernel(suite: string, note: (text: string) => void): Promise<string> {
  const folder = join(cacheFolder('kernels'), `uml-${suite}`);
  if (existsSync(join(folder, 'linux'))) return folder;
  note(`fetching the User-Mode Linux kernel of Debian ${suite} into ${folder} (once)`);
  sweep(dirname(folder));
  const work = mkdtempSync(join(dirname(folder), WORK));
  try {
    const unpacked = join(work, 'package');
    mkdirSync(unpacked);
    await unpackDebianPackages(suite, ['user-mode-linux'], unpacked);
    const program = join(unpacked, 'usr', 'bin', 'linux.uml');
    if (!existsSync(program)) throw new LabError(`the package user-mode-linux of ${suite} has no usr/bin/linux.uml`);
    const ready = join(work, 'ready');
    mkdirSync(ready);
    renameSync(join(unpacked, 'usr', 'lib', 'uml', 'modules'), join(ready, 'modules'));
    if (runsHere(program)) renameSync(program, join(ready, 'linux'));
    else await addLibrary(suite, program, ready, work);
    try {
      renameSync(ready, folder);
    } catch (error) {
      // Another process was faster.
      if (!existsSync(join(folder, 'linux'))) throw error;
    }
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Remove what processes left behind that were killed while they fetched. */
function sweep(kernels: string): void {
  for (const name of readdirSync(kernels).filter((entry) => entry.startsWith(WORK))) {
    const path = join(kernels, name);
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - changedAt > STALE_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Whether this machine's C library has what the program wants; that of a newer suite may want a newer one. */
function runsHere(program: string): boolean {
  const head = readElfHead(program);
  const loader = head && interpreterOf(head);
  return loader === undefined || (existsSync(loader) && librariesOf(program, loader).missing.length === 0);
}

/** Give the program the C library of its own suite, beside it, by a loader whose name is relative to the working directory. */
async function addLibrary(suite: string, program: string, ready: string, work: string): Promise<void> {
  const unpacked = join(work, 'library');
  mkdirSync(unpacked);
  await unpackDebianPackages(suite, ['libc6'], unpacked);
  const folder = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
    .map((path) => join(unpacked, path))
    .find((path) => existsSync(join(path, 'libc.so.6')));
  if (folder === undefined) throw new LabError(`the package libc6 of ${suite} has no libc.so.6`);
  mkdirSync(join(ready, 'lib'));
  for (const name of readdirSync(folder).filter((file) => /^lib\w+\.so\.\d+$/.test(file)))
    copyFileSync(join(folder, name), join(ready, 'lib', name));
  copyFileSync(join(folder, 'ld-linux-x86-64.so.2'), join(ready, LOADER));
  writeFileSync(join(ready, 'linux'), withLoader(readFileSync(program), LOADER), { mode: 0o755 });
}

/** The program, or a copy of it in the cache that runs on a CPU with AMX too. */
function fitted(path: string): string {
  if (!/^flags\s*:.*\bamx_tile\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))) return path;
  const { size, mtimeMs, ino } = statSync(path);
  const key = createHash('sha256')
    .update(JSON.stringify([path, size, mtimeMs, ino]))
    .digest('hex')
    .slice(0, 32);
  const copy = join(cacheFolder('kernels'), `amx-${key}`);
  if (existsSync(copy)) return copy;
  const changed = withStateSize(readFileSync(path), AMX_STATE_BYTES);
  if (changed === undefined) return path;
  const unfinished = `${copy}.${process.pid}.part`;
  writeFileSync(unfinished, changed);
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, copy);
  return copy;
}
