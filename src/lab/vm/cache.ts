/**
 * The user's cache directory: kernels and guest images. All of it can be deleted at any time and is made again when needed.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../lab.js';

/** $XDG_CACHE_HOME/bindstorm, else ~/.cache/bindstorm (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bindstorm');
}

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
