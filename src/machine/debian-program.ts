/**
 * A program of Debian packages that are not installed: fetched from a suite, or given as files, and unpacked into the cache, with the C
 * library that they are built for. So the Squid of another year runs beside that of this machine.
 *
 *     squid       starts root/usr/sbin/squid by the loader of lib/
 *     lib/        the loader (ld.so), and the libraries that it finds
 *     root/       the program and its files, where a machine would have them
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LabError } from '../domain/error.js';
import { unpackDebianPackages, unpackPackageFiles } from './debian.js';
import { librariesOf } from './elf.js';
import { cacheFolder, cacheKey, folderMadeOnce } from './folders.js';
import { rootOf } from './program-root.js';

/** What of some packages makes a program. */
export interface ProgramPackages {
  readonly packages: readonly string[];
  /** Names of the programs; the first is that which is started. */
  readonly programs: readonly [string, ...string[]];
  /** Files and folders that it needs, absolute, of which one that the packages lack is left out. */
  readonly files: readonly string[];
}

const LOADER = 'ld.so';
const LIBRARIES = 'lib';
/** Names services and unwinds stacks: opened by the C library when it needs them, so that the loader does not list them. */
const UNLISTED = /^lib(?:nss_(?:files|dns|compat)|gcc_s)\.so\.\d+$/;
const OTHERWISE = 'name the path of a program of your own as subject.binary, or leave out what names the suite';

/**
 * A program, unpacked now when the cache does not have it.
 * @param source a Debian suite; or the path, with a slash, of a folder of packages (.deb), or of one in which they were unpacked
 * @returns the path of what starts it. Rejects with LabError when it cannot be had
 */
export async function debianProgram(source: string, what: ProgramPackages): Promise<string> {
  const [name] = what.programs;
  const folder = await folderMadeOnce(
    cacheFolder('programs'),
    `${name}-${source.includes('/') ? folderKey(source) : source}`,
    name,
    async (ready, work) => {
      const unpacked = source.includes('/') ? await unpackFolder(source, work) : await unpackSuite(source, work, what);
      keep(unpacked, ready, what, source);
    },
  );
  return join(folder, name);
}

/** Libraries, and what Debian makes of one program in several packages. */
function partsOf({ packages }: ProgramPackages): RegExp {
  const names = packages.map((name) => name.replace(/[.+]/g, '\\$&')).join('|');
  return new RegExp(`^(?:lib(?!.*-perl$)[a-z0-9.+-]+|zlib1g|(?:${names})-(?:common|core|full|light|bin|langpack))$`);
}

async function unpackSuite(suite: string, work: string, what: ProgramPackages): Promise<string> {
  const unpacked = join(work, 'packages');
  mkdirSync(unpacked);
  await unpackDebianPackages(suite, what.packages, unpacked, { parts: partsOf(what), otherwise: OTHERWISE });
  return unpacked;
}

async function unpackFolder(folder: string, work: string): Promise<string> {
  const files = packagesIn(folder);
  if (files.length === 0) return folder;
  const unpacked = join(work, 'packages');
  mkdirSync(unpacked);
  await unpackPackageFiles(files, unpacked);
  return unpacked;
}

function packagesIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new LabError(`there is no folder ${folder}, in which packages would be`, {
      remedy: 'name a Debian suite, or a folder of packages (.deb) with the libraries that they need',
    });
  return readdirSync(folder)
    .filter((name) => name.endsWith('.deb'))
    .sort()
    .map((name) => join(folder, name));
}

function folderKey(folder: string): string {
  const ages = packagesIn(folder).flatMap((path) => [path, statSync(path).mtimeMs, statSync(path).size]);
  return cacheKey(realpathSync(folder), statSync(folder).mtimeMs, ...ages);
}

/** Keeps what is needed of what was unpacked, a small part. */
function keep(unpacked: string, ready: string, { programs, files }: ProgramPackages, source: string): void {
  const all = readdirSync(unpacked, { recursive: true, encoding: 'utf8' });
  // A link to it may lead to that of this machine.
  const isFile = (path: string) => lstatSync(join(unpacked, path)).isFile();
  const loader = all.find((path) => /(?:^|\/)ld-(?:linux-)?[^/]*\.so(?:\.\d+)?$/.test(path) && isFile(path));
  const first = join(LIBRARIES, LOADER);
  if (loader === undefined)
    throw new LabError(`the packages of ${source} have no C library`, {
      remedy: 'put the package libc6 beside them, and the libraries that the program needs',
    });
  const [libraries, root] = [join(ready, LIBRARIES), rootOf(join(ready, programs[0]))];
  for (const folder of [libraries, root]) mkdirSync(folder);
  copyFileSync(realpathIn(unpacked, loader), join(ready, first));
  const found = programs.map((name) => programIn(all, name, source));
  for (const path of [...found, ...files.map((file) => file.slice(1))]) {
    if (!existsSync(join(unpacked, path))) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(unpacked, path), join(root, path), { recursive: true, verbatimSymlinks: true });
  }
  const path = [...new Set(all.filter((name) => /\.so(?:\.\d+)+$/.test(name)).map((name) => dirname(name)))];
  const modules = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.so$/.test(name));
  const wanted = [...found, ...modules].map((name) => join(root, name));
  const search = path.map((folder) => join(unpacked, folder));
  for (const program of wanted) {
    const { paths, missing } = librariesOf(program, join(ready, first), search);
    if (missing.length > 0 && !modules.some((name) => program.endsWith(name)))
      throw new LabError(`${basename(program)} of ${source} lacks libraries: ${missing.join(', ')}`, {
        remedy: 'put the packages that have them beside it',
      });
    for (const library of paths.slice(1)) copyFileSync(realpathSync(library), join(libraries, basename(library)));
  }
  for (const name of all.filter((each) => UNLISTED.test(basename(each))))
    copyFileSync(realpathIn(unpacked, name), join(libraries, basename(name)));
  for (const [i, name] of programs.entries()) writeFileSync(join(ready, name), starter(found[i]!), { mode: 0o755 });
}

function realpathIn(folder: string, path: string): string {
  return realpathSync(join(folder, path));
}

/** Of several, as one for each TLS library, that which has the very name. */
function programIn(all: readonly string[], name: string, source: string): string {
  const candidates = all.filter((path) => new RegExp(`(?:^|/)s?bin/${name}(?:-gnutls|-openssl)?$`).test(path)).sort();
  if (candidates[0] === undefined)
    throw new LabError(`the packages of ${source} have no program ${name}`, {
      remedy: 'name a suite, or a folder of packages, that has it',
    });
  return candidates[0];
}

/** A script that becomes the program, wherever its folder is copied to. */
function starter(program: string): string {
  return `#!/bin/sh
here=\${0%/*}
exec "$here/${LIBRARIES}/${LOADER}" --library-path "$here/${LIBRARIES}" "${rootOf('$here/-')}/${program}" "$@"
`;
}
