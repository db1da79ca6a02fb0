/**
 * The user's folders (XDG Base Directory Specification).
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** $XDG_CACHE_HOME/bindstorm, else ~/.cache/bindstorm. All of it can be deleted at any time and is made again when needed. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bindstorm');
}

/** $XDG_STATE_HOME/bindstorm, else ~/.local/state/bindstorm. */
export function stateDirectory(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'bindstorm');
}
