/**
 * Which programs these are: counts of two builds are not one experiment. And the programs themselves, for an agent that takes them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_PACKAGES, GUEST_APP, installedPackages } from '../lab/vm/packages.js';
import { pack, unpacked, unpackedFolder } from '../machine/unpack.js';

/** The checkout, or the installed package. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What is run, and what decides what a table of fixes has. */
const COUNTED: readonly (readonly [folder: string, extension: string])[] = [
  ['dist/bundle', '.js'],
  ['fixes', '.yaml'],
];
/** The command line in a folder of the package. */
const MAIN = 'dist/bundle/cli/main.js';

let known: string | undefined;

/** A checksum of the programs of this package, the same on every machine that has the same. */
export function buildSum(): string {
  known ??= sumOf(ROOT);
  return known;
}

function sumOf(root: string): string {
  const hash = createHash('sha256');
  for (const [folder, extension] of COUNTED)
    for (const file of filesIn(join(root, folder)).filter((name) => name.endsWith(extension)))
      hash.update(`${folder}/${file}\0`).update(readFileSync(join(root, folder, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Paths in a folder, in the order of the alphabet. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort();
}

/** A build as it is sent. `sum` is the SHA-256 of the archive. */
export interface BuildArchive {
  readonly archive: Uint8Array;
  readonly sum: string;
}

/** For people, and for a page that an agent does not serve. */
const NOT_SENT = /^dist\/bundle\/(?:man|fonts)\//;

/** The programs of this package, with what they need of others, for a machine of the same architecture. */
export function ownArchive(): BuildArchive {
  const own = ['dist/bundle', 'fixes'].flatMap((folder) =>
    filesIn(join(ROOT, folder)).map((file) => ({ path: `${folder}/${file}`, from: join(ROOT, folder, file) })),
  );
  const others = installedPackages(AGENT_PACKAGES).map(({ path, from }) => ({
    path: path.slice(GUEST_APP.length + 1),
    from,
  }));
  const all = [{ path: 'package.json', from: join(ROOT, 'package.json') }, ...own, ...others];
  const sent = all.filter(({ path }) => !NOT_SENT.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const archive = pack(sent.map(({ path, from }) => ({ path, bytes: readFileSync(from) })));
  return { archive, sum: archiveSum(archive) };
}

/** The SHA-256 of an archive. */
export function archiveSum(archive: Uint8Array): string {
  return createHash('sha256').update(archive).digest('hex');
}

/**
 * Put a build that was sent into a folder of this user's.
 * @param build what it says that it is @returns the path of its command line
 * @throws Error where it is not what was said; UserError where there is no place for it
 */
export function placeBuild({ archive, sum }: BuildArchive, build: string): string {
  if (archiveSum(archive) !== sum) throw new Error('what arrived is not what was sent (its checksum differs)');
  const stray = unpacked(archive).find(({ path }) => path.startsWith('/') || path.split('/').includes('..'));
  if (stray) throw new Error(`it has a file outside of its folder (${stray.path})`);
  // No package manager has put files beside this program.
  const folder = unpackedFolder({ key: sum, read: () => archive }, join(ROOT, 'dist'));
  const found = sumOf(folder);
  if (found !== build) throw new Error(`it is of another build (${found}) than it says (${build})`);
  return join(folder, MAIN);
}
