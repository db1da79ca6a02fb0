/**
 * Kernels of Debian suites in the cache: each a folder that is made once, and seen only when it is complete.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEBIAN_SUITES, type Engine } from '../../domain/guest.js';
import { cacheDirectory, cacheFolder } from './cache.js';

/** The kernel's file in its folder. */
export const KERNEL_FILE = 'linux';

const WORK = '.fetching-';
/** No fetching takes as long. */
const STALE_MS = 3_600_000;

/**
 * The folder of a suite's kernel.
 * @param fetch fills the folder `ready`, with the kernel as KERNEL_FILE; `work` is for what it needs meanwhile, on the same file
 * system
 */
export async function debianKernel(
  engine: Engine,
  suite: string,
  fetch: (work: string, ready: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder('kernels'), folderName(engine, suite));
  if (isThere(folder)) return folder;
  const kernels = cacheFolder('kernels');
  sweep(kernels);
  const work = mkdtempSync(join(kernels, WORK));
  try {
    const ready = join(work, 'ready');
    mkdirSync(ready);
    await fetch(work, ready);
    try {
      renameSync(ready, folder);
    } catch (error) {
      // Another process was faster.
      if (!isThere(folder)) throw error;
    }
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The suites whose kernels for an engine are in the cache; makes and fetches nothing. */
export function cachedKernels(engine: Engine): string[] {
  return DEBIAN_SUITES.filter((suite) => isThere(join(cacheDirectory(), 'kernels', folderName(engine, suite))));
}

function folderName(engine: Engine, suite: string): string {
  return `${engine}-${suite}`;
}

function isThere(folder: string): boolean {
  return existsSync(join(folder, KERNEL_FILE));
}

/** Remove what processes left behind that were killed while they fetched. */
function sweep(kernels: string): void {
  for (const name of readdirSync(kernels).filter((entry) => entry.startsWith(WORK))) {
    const path = join(kernels, name);
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - changedAt > STALE_MS) rmSync(path, { recursive: true, force: true });
  }
}
