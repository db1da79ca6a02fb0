/**
 * The files of this package, and of the packages that the agent needs, with their places in a guest.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this package lies in a guest. */
export const GUEST_APP = '/app';
/** What src/agent and the floors below it import; test/lab/vm holds this list. */
export const AGENT_PACKAGES = ['koffi', 'undici', 'zod', 'hdr-histogram-js', 'ipaddr.js'];
/** Types, maps and texts are of no use in a guest. */
const NEEDED = new Set(['.js', '.cjs', '.mjs', '.json', '.node', '.wasm']);

export interface GuestFile {
  readonly path: string;
  readonly from: string;
  /** What it holds in a guest instead of what it holds here. */
  readonly text?: string;
}

/**
 * zod's messages in some fifty languages, each a module: the agent needs one, and under an emulated CPU the others would cost a
 * second at every start.
 */
const LOCALES = '/zod/v4/locales/index.js';
const ENGLISH = /^export .*\/en\.js["'];?$/m;

/** dist/src/lab/vm/ lies four folders below package.json, in a checkout and in an installed package alike. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');

/** @throws Error when a package that is needed is not installed */
export function packageFiles(): GuestFile[] {
  const own: GuestFile[] = [
    { path: `${GUEST_APP}/package.json`, from: join(ROOT, 'package.json') },
    ...filesIn(join(ROOT, 'dist', 'src'), `${GUEST_APP}/dist/src`),
  ];
  const placed = new Map<string, string>();
  for (const name of AGENT_PACKAGES) place(name, realpathSync(ROOT), GUEST_APP, placed, true);
  return [...own, ...[...placed].flatMap(([path, folder]) => filesIn(folder, path))];
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

/** The files of one package; packages inside its own node_modules are packages of their own. */
function filesIn(folder: string, guest: string): GuestFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): GuestFile[] => {
    const [path, from] = [`${guest}/${entry.name}`, join(folder, entry.name)];
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(from, path);
    return entry.isFile() && NEEDED.has(extname(entry.name)) ? [{ path, from, ...replacement(path, from) }] : [];
  });
}

function replacement(path: string, from: string): Pick<GuestFile, 'text'> {
  const english = path.endsWith(LOCALES) ? ENGLISH.exec(readFileSync(from, 'utf8'))?.[0] : undefined;
  return english === undefined ? {} : { text: `${english}\n` };
}
