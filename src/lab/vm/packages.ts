/**
 * The files of this package, and of the packages that the agent needs, with their places in a guest.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this package lies in a guest. */
export const GUEST_APP = '/app';
/** What is not joined into the bundle (scripts/bundle.mjs), with the package's own files. */
export const AGENT_PACKAGES = ['koffi'];
/** Types, maps and texts are of no use in a guest. A cache is V8's code for what is joined. */
const NEEDED = new Set(['.js', '.cjs', '.mjs', '.json', '.node', '.wasm', '.cache']);

interface GuestFile {
  readonly path: string;
  readonly from: string;
}

/** The checkout, or the installed package. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');

/** All of the bundle but the command line. @throws Error when a package that is needed is not installed */
export function packageFiles(): GuestFile[] {
  const bundle = join(ROOT, 'dist', 'bundle');
  return [
    { path: `${GUEST_APP}/package.json`, from: join(ROOT, 'package.json') },
    ...['agent', 'load', 'shared', 'subjects'].flatMap((name) =>
      filesIn(join(bundle, name), `${GUEST_APP}/dist/bundle/${name}`),
    ),
    ...installedPackages(AGENT_PACKAGES),
  ];
}

/** The files of packages that are installed here, and of those that they need in turn. @throws Error when one is not */
export function installedPackages(names: readonly string[]): GuestFile[] {
  const placed = new Map<string, string>();
  for (const name of names) place(name, realpathSync(ROOT), GUEST_APP, placed, true);
  return [...placed].flatMap(([path, folder]) => filesIn(folder, path));
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Give a package and what it depends on a place: at the top, or below its dependent where the top has another version of it.
 * @param placed guest folder → folder here
 */
function place(name: string, dependent: string, guest: string, placed: Map<string, string>, required: boolean): void {
  const folder = findPackage(name, dependent);
  if (folder === undefined) {
    if (required) throw new Error(`the package ${name}, which ${dependent} needs, is not installed`);
    return;
  }
  const top = `${GUEST_APP}/node_modules/${name}`;
  const path = placed.has(top) && placed.get(top) !== folder ? `${guest}/node_modules/${name}` : top;
  if (placed.get(path) === folder) return;
  placed.set(path, folder);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const optional = Object.keys(manifest.optionalDependencies ?? {});
  for (const next of Object.keys(manifest.dependencies ?? {}))
    place(next, folder, path, placed, !optional.includes(next));
  for (const next of optional) place(next, folder, path, placed, false);
}

/** As Node looks for it: in node_modules of the dependent's folder, then of those above (nodejs.org/api/modules.html). */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (folder === dirname(folder)) return undefined;
  }
}

/** The files of a folder; packages inside a package's own node_modules are packages of their own. */
export function filesIn(folder: string, guest: string): GuestFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): GuestFile[] => {
    const [path, from] = [`${guest}/${entry.name}`, join(folder, entry.name)];
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(from, path);
    return entry.isFile() && NEEDED.has(extname(entry.name)) ? [{ path, from }] : [];
  });
}
