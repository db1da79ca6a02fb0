/**
 * User-Mode Linux kernels: a file that the user names, or that of a Debian suite, fetched once into the cache.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { unpackDebianPackages } from '../../machine/debian.js';
import { interpreterOf, librariesOf, readElfHead } from '../../machine/elf.js';
import { cacheFolder, cacheKey } from '../../machine/folders.js';
import { replaceFile } from '../../machine/replace-file.js';
import { LabError, type Note } from '../lab.js';
import { debianKernel, KERNEL_FILE } from './debian-kernel.js';
import { moduleFolder, modulesToLoad } from './modules.js';
import { withLoader, withStateSize } from './uml-binary.js';

export interface UmlKernel {
  readonly engine: 'uml';
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

/** A program that the user names. */
export function givenUmlKernel(path: string): UmlKernel {
  return { engine: 'uml', path: fitted(path), cwd: dirname(path), libraries: null, modules: [] };
}

/**
 * The kernel of a Debian suite's package user-mode-linux, fetched now when the cache does not have it.
 * @param note called with a message before slow steps
 * @param more modules wanted beside those of every lab
 * @throws LabError when it cannot be had
 */
export async function debianUmlKernel(suite: string, note: Note, more: readonly string[]): Promise<UmlKernel> {
  const folder = await debianKernel('uml', suite, async (ready, work) => {
    note(`fetching the User-Mode Linux kernel of Debian ${suite} into the cache (once)`);
    await fetchKernel(suite, work, ready);
  });
  const libraries = existsSync(join(folder, 'lib')) ? join(folder, 'lib') : null;
  return {
    engine: 'uml',
    path: fitted(join(folder, KERNEL_FILE)),
    cwd: folder,
    libraries,
    modules: modulesToLoad(moduleFolder(join(folder, 'modules')), more),
  };
}

async function fetchKernel(suite: string, work: string, ready: string): Promise<void> {
  const unpacked = join(work, 'package');
  mkdirSync(unpacked);
  await unpackDebianPackages(suite, ['user-mode-linux'], unpacked);
  const program = join(unpacked, 'usr', 'bin', 'linux.uml');
  if (!existsSync(program)) throw new LabError(`the package user-mode-linux of ${suite} has no usr/bin/linux.uml`);
  renameSync(join(unpacked, 'usr', 'lib', 'uml', 'modules'), join(ready, 'modules'));
  if (runsHere(program)) renameSync(program, join(ready, KERNEL_FILE));
  else await addLibrary(suite, program, ready, work);
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
  writeFileSync(join(ready, KERNEL_FILE), withLoader(readFileSync(program), LOADER), { mode: 0o755 });
}

/** The program, or a copy of it in the cache that runs on a CPU with AMX too. */
function fitted(path: string): string {
  if (!/^flags\s*:.*\bamx_tile\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))) return path;
  const { size, mtimeMs, ino } = statSync(path);
  const copy = join(cacheFolder('kernels'), `amx-${cacheKey(path, size, mtimeMs, ino)}`);
  if (existsSync(copy)) return copy;
  const changed = withStateSize(readFileSync(path), AMX_STATE_BYTES);
  if (changed === undefined) return path;
  replaceFile(copy, changed, { mode: 0o755 });
  return copy;
}
