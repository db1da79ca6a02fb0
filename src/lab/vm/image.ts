/**
 * The guest's root filesystem: this machine's own Node with its libraries, this package, and the modules of the guest's kernel,
 * as a cpio archive that the kernel unpacks into memory. Made once and kept in the cache under a name made from its contents.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../domain/error.js';
import { cacheFolder } from '../../machine/folders.js';
import { findProgram } from '../../machine/programs.js';
import { replaceFile } from '../../machine/replace-file.js';
import { LabError } from '../lab.js';
import { type CpioEntry, writeCpio } from './cpio.js';
import { interpreterOf, librariesOf, readElfHead } from './elf.js';
import { firstProgram } from './first-program.js';
import { GUEST_APP, packageFiles } from './packages.js';

/** Changes when the same contents would make another image. */
const FORMAT = 2;
/** Images are about 110 MB; the newest are kept, one for each kernel, version and set of modules in use. */
const KEPT = 8;
/** An image that was used this recently may be about to be read. */
const IN_USE_MS = 10 * 60_000;
const NODE = '/bin/node';
const START = '/start.js';
/** Those that are needed before devtmpfs is mounted, and where a kernel has none: name, major, minor (admin-guide/devices.txt). */
const DEVICES = (
  [
    ['console', 5, 1],
    ['null', 1, 3],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['ttyS1', 4, 65],
    ['ttyS2', 4, 66],
  ] as const
).map(([name, major, minor]): CpioEntry => ({ kind: 'character-device', path: `/dev/${name}`, major, minor }));

/**
 * The path of a guest image, made now when the cache does not have it.
 * @param modules files of kernel modules, in the order in which they are to be loaded
 * @param more what lies in it besides, as a program that is to run in place of the agent (GuestPlan.entry)
 * @throws LabError when it cannot be made
 */
export function guestImage(modules: readonly string[], more: readonly CpioEntry[] = []): string {
  return cachedImage(() => [...imageEntries(modules), ...more]);
}

/** The path of an archive, made now when the cache does not have it. @throws LabError when it cannot be made */
export function cachedImage(entriesOf: () => readonly CpioEntry[]): string {
  const folder = cacheFolder('images');
  try {
    const entries = entriesOf();
    const path = join(folder, `${keyOf(entries)}.cpio`);
    if (existsSync(path)) utimesSync(path, new Date(), new Date());
    else {
      replaceFile(path, (fd) => writeCpio(fd, entries), { mode: 0o600 });
      prune(folder);
    }
    return path;
  } catch (error) {
    if (error instanceof LabError) throw error;
    throw new LabError(`the guest image cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * An image that was made before, marked as in use: an experiment may last for hours, in which others make images of theirs. One that
 * is gone all the same is made again.
 * @returns its path
 * @throws LabError when it cannot be made
 */
export function keptImage(path: string, modules: readonly string[]): string {
  try {
    utimesSync(path, new Date(), new Date());
    return path;
  } catch {
    return guestImage(modules);
  }
}

/** What lies in the image. */
function imageEntries(modules: readonly string[]): CpioEntry[] {
  const { programs, folders } = agentPrograms();
  const start = `process.env.LD_LIBRARY_PATH = '${folders.join(':')}';\nprocess.env.PATH = '/bin';\nprocess.env.NODE_NO_WARNINGS = '1';\nprocess.env.LC_ALL = 'C';\nimport('${GUEST_APP}/dist/bundle/agent/guest-init.js');\n`;
  return [
    ...['/proc', '/sys', '/dev', '/tmp', '/modules'].map((path) => ({ kind: 'directory', path }) as const),
    ...DEVICES,
    { kind: 'text', path: '/init', text: firstProgram(NODE, START), executable: true },
    { kind: 'text', path: START, text: start, executable: false },
    ...programs,
    ...modules.map((from, i) => {
      const path = `/modules/${String(i).padStart(3, '0')}-${basename(from)}`;
      return { kind: 'file', path, from, executable: false } as const;
    }),
  ];
}

/**
 * What an agent needs wherever it runs: Node as /bin/node, unshare(1), this package in {@link GUEST_APP}, and the libraries of all.
 * @returns `folders`: where the libraries lie, for LD_LIBRARY_PATH
 */
export function agentPrograms(): { readonly programs: readonly CpioEntry[]; readonly folders: readonly string[] } {
  const node = realpathSync(process.execPath);
  const files = packageFiles();
  const unshare = findProgram('unshare');
  if (unshare === undefined)
    throw new LabError('unshare is not on the PATH, and the guest needs it too', {
      remedy: 'install util-linux, for example: apt-get install util-linux',
    });
  const addons = files.filter(({ from }) => from.endsWith('.node')).map(({ from }) => from);
  const libraries = librariesFor(node, [unshare, ...addons]);
  // Libraries stay where they are here: the loader looks there anyway, or is told to.
  const folders = [...new Set(libraries.map((path) => dirname(path)))];
  const programs = [
    program(NODE, node),
    program('/bin/unshare', realpathSync(unshare)),
    ...libraries.map((path) => program(path, realpathSync(path))),
    ...files.map((file): CpioEntry => ({ kind: 'file', ...file, executable: false })),
  ];
  return { programs, folders };
}

function program(path: string, from: string): CpioEntry {
  return { kind: 'file', path, from, executable: true };
}

/** The libraries of Node, and of the other programs and add-ons that its own loader can load. */
function librariesFor(node: string, others: readonly string[]): string[] {
  const head = readElfHead(node);
  if (head === undefined) throw new Error(`${node} is not a program in the ELF format`);
  const loader = interpreterOf(head);
  if (loader === undefined) return [];
  const found = librariesOf(node, loader);
  if (found.missing.length > 0) throw new Error(`${node} lacks libraries: ${found.missing.join(', ')}`);
  // An add-on for another C library lies beside the one that fits: what cannot be loaded here is not needed there.
  const more = others.map((path) => librariesOf(path, loader)).filter(({ missing }) => missing.length === 0);
  return [...new Set([found, ...more].flatMap(({ paths }) => paths))];
}

/** From names and texts, and of files the size and the time of their last change, which spares reading 100 MB at every start. */
function keyOf(entries: readonly CpioEntry[]): string {
  const hash = createHash('sha256').update(`${FORMAT}\n`);
  for (const entry of entries) {
    hash.update(JSON.stringify(entry));
    if (entry.kind !== 'file') continue;
    const { size, mtimeMs, ino } = statSync(entry.from);
    hash.update(JSON.stringify([size, mtimeMs, ino]));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Delete the images that nobody used for longest. */
function prune(folder: string): void {
  const images = readdirSync(folder)
    .filter((name) => name.endsWith('.cpio'))
    .map((name) => ({
      path: join(folder, name),
      usedAt: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { path, usedAt } of images.slice(KEPT)) if (Date.now() - usedAt > IN_USE_MS) rmSync(path, { force: true });
}
