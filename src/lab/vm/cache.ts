/**
 * The user's cache directory: kernels and guest images. All of it can be deleted at any time and is made again when needed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../../machine/cache.js';
import { LabError } from '../lab.js';

export { cacheDirectory };

/** A folder of the cache, made when it is not there. @throws LabError when it cannot be */
export function cacheFolder(name: string): string {
  const folder = join(cacheDirectory(), name);
  try {
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch (error) {
    throw new LabError(`the cache folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
      remedy: 'name another place with the environment variable XDG_CACHE_HOME',
    });
  }
}
