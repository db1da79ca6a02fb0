/**
 * Where the user's cache is.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** $XDG_CACHE_HOME/bindstorm, else ~/.cache/bindstorm (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bindstorm');
}
