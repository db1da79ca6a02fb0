/**
 * Which build of bindstorm this is.
 */
import { ownArchive } from '../fleet/build.js';
import { ownBuild } from '../fleet/remote/ssh.js';

/** As JSON. @param archive also the SHA-256 of what `fleet agent --take-build` takes, for which all of it is packed */
export function fleetBuild(archive: boolean): string {
  return `${JSON.stringify({ ...ownBuild(), ...(archive ? { sha256: ownArchive().sum } : {}) })}\n`;
}
