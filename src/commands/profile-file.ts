/**
 * Finding and reading profiles: by the name of one that ships, or by path.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineOf } from '../lab/vm/kernel.js';
import { type LoadedProfile, type LoadOptions, loadProfile } from '../profile/load.js';
import { UserError } from './exit.js';
import { filesFrom } from './read-files.js';

const SHIPPED = fileURLToPath(new URL('../../../profiles/', import.meta.url));
/** A profile is a page of text; a larger file is another kind of file. */
const MAX_BYTES = 256 * 1024;

/** Names of the shipped profiles. */
export function shippedProfiles(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/** @param name `quickstart`, or a path @throws UserError */
export function findProfile(name: string): string {
  const shipped = join(SHIPPED, `${name}.yaml`);
  if (/^[\w.-]+$/.test(name) && existsSync(shipped)) {
    // Shown as the user would type it from where he stands, unless that climbs out of here.
    const near = relative(process.cwd(), shipped);
    return near.startsWith('..') ? shipped : near;
  }
  if (!existsSync(name)) {
    throw new UserError(
      `there is no profile ${name}: it is neither a file nor a shipped one (${shippedProfiles().join(', ')})`,
    );
  }
  return name;
}

/** Read and resolve a profile. @throws UserError, ProfileError */
export function readProfile(name: string, options: LoadOptions): LoadedProfile {
  const path = findProfile(name);
  const stat = statSync(path);
  if (!stat.isFile()) throw new UserError(`${path} is not a file; name a profile (YAML)`);
  if (stat.size > MAX_BYTES)
    throw new UserError(`${path} has ${stat.size} bytes; a profile may have at most ${MAX_BYTES}`);
  const folder = dirname(resolve(path));
  const readFiles = filesFrom(folder);
  return loadProfile(readFileSync(path, 'utf8'), path, { engineOf, folder, readFiles, ...options });
}
