/**
 * Folders of the cache that are made once.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LabError } from '../domain/error.js';
import { sweepUnfinished, unfinishedFolder } from './unfinished.js';
import { cacheDirectory } from './xdg.js';

/**
 * Make a folder, and those that it is in, where they are not there. node:fs does it too, but on a file system in which nothing can be made it
 * tries for ever: mkdir(2) says ENOENT in /proc, as for a parent that is missing.
 */
export function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolder(dirname(path), mode);
    makeFolder(path, mode);
  }
}

/** A folder of the cache, made when it is not there. @throws LabError when it cannot be */
export function cacheFolder(name: string): string {
  const folder = join(cacheDirectory(), name);
  try {
    makeFolder(folder);
    return folder;
  } catch (error) {
    throw new LabError(`the cache folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
      remedy: 'name another place with the environment variable XDG_CACHE_HOME',
    });
  }
}

/** A file name for what was made from these values. @example cacheKey(path, size, mtimeMs) */
export function cacheKey(...values: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}

/**
 * A folder that is made once, and seen only when it is complete.
 * @param parent a folder of the cache, as in `cacheFolder('kernels')`
 * @param name of the folder in it
 * @param proof a file that the complete folder has
 * @param make fills the folder `ready`; `work` is for what it needs meanwhile, on the same file system
 * @returns its path. Rejects with what `make` throws
 */
export async function folderMadeOnce(
  parent: string,
  name: string,
  proof: string,
  make: (ready: string, work: string) => Promise<void>,
): Promise<string> {
  const folder = join(parent, name);
  const isThere = () => existsSync(join(folder, proof));
  sweepUnfinished(parent);
  if (isThere()) return folder;
  const { path: work, release } = unfinishedFolder(parent);
  try {
    const ready = join(work, 'ready');
    mkdirSync(ready);
    await make(ready, work);
    try {
      renameSync(ready, folder);
    } catch (error) {
      // Another process was faster.
      if (!isThere()) throw error;
    }
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
    release();
  }
}
