/**
 * Finding and reading profiles: by the name of one that ships, or by path.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineOf } from '../lab/vm/kernel.js';
import { type LoadedProfile, type LoadOptions, loadProfile } from '../profile/load.js';
import { UserError } from './exit.js';
import { filesFrom } from './read-files.js';

const SHIPPED = fileURLToPath(new URL('../../../profiles/', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../../../schema/profile.schema.json', import.meta.url));
/** A profile is a page of text; a larger file is another kind of file. */
const MAX_BYTES = 256 * 1024;

/** Names of the shipped profiles. */
export function shippedProfiles(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * Write a copy of a shipped profile, in which the address of the schema, relative in the original, leads to the same file.
 * @throws UserError when there is no such profile, or the file is there already or cannot be written
 */
export function copyProfile(name: string, path: string): void {
  if (!shippedProfiles().includes(name))
    throw new UserError(`there is no shipped profile ${name}; those that ship are ${shippedProfiles().join(', ')}`);
  // Relative where both are below this folder, so that it holds for whoever has a copy of the folder.
  const isNear = [SCHEMA, path].every((file) => !relative(process.cwd(), resolve(file)).startsWith('..'));
  const schema = isNear ? relative(dirname(resolve(path)), SCHEMA) : SCHEMA;
  const text = readFileSync(findProfile(name), 'utf8').replace(
    /^(# yaml-language-server: \$schema=).*$/m,
    `$1${schema}`,
  );
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(
      code === 'EEXIST'
        ? `${path} is there already; name another file with --to`
        : `the copy cannot be written (${message}); name another file with --to`,
      { cause: error },
    );
  }
}

/** @param name `quickstart`, or a path @throws UserError */
export function findProfile(name: string): string {
  const shipped = join(SHIPPED, `${name}.yaml`);
  if (/^[\w.-]+$/.test(name) && existsSync(shipped)) {
    // Shown as the user would type it from here, unless that climbs out of here.
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
