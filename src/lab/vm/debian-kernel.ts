/**
 * Kernels of Debian suites in the cache: each a folder that is made once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEBIAN_SUITES, type Engine } from '../../domain/guest.js';
import { cacheFolder, folderMadeOnce } from '../../machine/folders.js';
import { cacheDirectory } from '../../machine/xdg.js';

/** The kernel's file in its folder. */
export const KERNEL_FILE = 'linux';

/**
 * The folder of a suite's kernel.
 * @param fetch fills the folder `ready`, with the kernel as KERNEL_FILE; `work` is for what it needs meanwhile
 */
export function debianKernel(
  engine: Engine,
  suite: string,
  fetch: (ready: string, work: string) => Promise<void>,
): Promise<string> {
  return folderMadeOnce(cacheFolder('kernels'), folderName(engine, suite), KERNEL_FILE, fetch);
}

/** The suites whose kernels for an engine are in the cache; makes and fetches nothing. */
export function cachedKernels(engine: Engine): string[] {
  const kernels = join(cacheDirectory(), 'kernels');
  return DEBIAN_SUITES.filter((suite) => existsSync(join(kernels, folderName(engine, suite), KERNEL_FILE)));
}

/** Raised when more of a package is kept than before. */
const FORMAT: Readonly<Record<Engine, string>> = { uml: '', qemu: '-3' };

function folderName(engine: Engine, suite: string): string {
  return `${engine}-${suite}${FORMAT[engine]}`;
}
