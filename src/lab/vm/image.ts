/**
 * The guest's root filesystem: this machine's own Node with its libraries, this package, and the modules of the guest's kernel,
 * as a cpio archive that the kernel unpacks into memory. Made once and kept in the cache under a name made from its contents.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, realpathSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../domain/error.js';
import { interpreterOf, librariesOf, readElfHead } from '../../machine/elf.js';
import { cacheFolder } from '../../machine/folders.js';
import { findProgram } from '../../machine/programs.js';
import { replaceFile } from '../../machine/replace-file.js';
import { cacheDirectory } from '../../machine/xdg.js';
import { LabError } from '../lab.js';
import { type CpioEntry, writeCpio } from './cpio.js';
import { firstProgram } from './first-program.js';
import { bytesOf, GUEST_NODE, type Luggage, NO_LUGGAGE } from './luggage.js';
import { GUEST_APP, packageFiles } from './packages.js';

/** Changes when the same contents would make another image. */
const FORMAT = 3;
/** Images are about 110 MB, more with programs; the newest are kept, one for each kernel, version, set of modules and of programs in use. */
const KEPT = 8;
/** An image that was used this recently may be about to be read. */
const IN_USE_MS = 10 * 60_000;
const FOLDERS = ['/proc', '/sys', '/dev', '/tmp', '/run', '/var/tmp', '/modules'];
const START = '/start.js';
/** Those that are needed before devtmpfs is mounted, and where a kernel has none: name, major, minor (admin-guide/devices.txt). */
const DEVICES = (
  [
    ['console', 5, 1, false],
    ['null', 1, 3, true],
    ['zero', 1, 5, true],
    ['random', 1, 8, true],
    ['urandom', 1, 9, true],
    ['ttyS1', 4, 65, false],
    ['ttyS2', 4, 66, false],
  ] as const
).map(
  ([name, major, minor, shared]): CpioEntry => ({
    kind: 'character-device',
    path: `/dev/${name}`,
    ...{ major, minor, shared },
  }),
);
/** What agent, roles and their sockets take of a guest's memory, beside the image. */
const ROOM_BYTES = 2 ** 28;

export interface ImageContents {
  /** Files of kernel modules, in the order in which they are to be loaded. */
  readonly modules: readonly string[];
  /** Programs that are to run there. */
  readonly luggage?: Luggage;
  /** What lies in it besides, as a program that is to run in place of the agent (GuestPlan.entry). */
  readonly more?: readonly CpioEntry[];
}

/**
 * The path of a guest image, made now when the cache does not have it.
 * @param memory bytes that the guest has
 * @throws LabError when it cannot be made, or is too large for that memory
 */
export function guestImage(contents: ImageContents, memory = Number.POSITIVE_INFINITY): string {
  return cachedImage(() => {
    const entries = imageEntries(contents);
    refuseTooLarge(entries, contents, memory);
    return entries;
  });
}

/** While the kernel unpacks it, it is in memory twice. */
function refuseTooLarge(entries: readonly CpioEntry[], { luggage = NO_LUGGAGE }: ImageContents, memory: number): void {
  const bytes = bytesOf(entries);
  if (2 * bytes + ROOM_BYTES <= memory) return;
  const [image, programs, has, needs] = [bytes, bytesOf(luggage.entries), memory, 2 * bytes + ROOM_BYTES].map((size) =>
    Math.ceil(size / 2 ** 20),
  );
  throw new LabError(
    `the guest's image has ${image} MiB, ${programs} of them for programs and their files, so that the guest needs ${needs} MiB of memory; it has ${has}`,
    { remedy: 'name smaller folders (subject.workdir, subject.takes), or use a machine with more memory' },
  );
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
export function keptImage(path: string, contents: ImageContents): string {
  try {
    utimesSync(path, new Date(), new Date());
    return path;
  } catch {
    return guestImage(contents);
  }
}

/** What lies in the image. */
function imageEntries({ modules, luggage = NO_LUGGAGE, more = [] }: ImageContents): CpioEntry[] {
  const { programs, folders } = agentPrograms();
  const start = `Object.assign(process.env, ${JSON.stringify(environmentOf(folders, luggage))});\nimport('${GUEST_APP}/dist/bundle/agent/guest-init.js');\n`;
  return [
    ...FOLDERS.map((path) => ({ kind: 'directory', path }) as const),
    ...DEVICES,
    { kind: 'text', path: '/init', text: firstProgram(GUEST_NODE, START), executable: true },
    { kind: 'text', path: START, text: start, executable: false },
    ...programs,
    ...modules.map((from, i) => {
      const path = `/modules/${String(i).padStart(3, '0')}-${basename(from)}`;
      return { kind: 'file', path, from, executable: false } as const;
    }),
    ...luggage.entries,
    ...more,
  ];
}

/** The environment of an agent, and so of what it starts. @param folders of agentPrograms() */
export function environmentOf(folders: readonly string[], luggage: Luggage): Readonly<Record<string, string>> {
  return {
    LD_LIBRARY_PATH: [...new Set([...folders, ...luggage.libraries])].join(':'),
    PATH: [...new Set(['/bin', ...luggage.programs])].join(':'),
    NODE_NO_WARNINGS: '1',
    // What of the user's cache is taken along lies where it lies here.
    XDG_CACHE_HOME: dirname(cacheDirectory()),
    LC_ALL: 'C',
  };
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
    program(GUEST_NODE, node),
    program('/bin/unshare', realpathSync(unshare)),
    ...libraries.map((path) => program(path, realpathSync(path))),
    ...files.map((file): CpioEntry => ({ kind: 'file', ...file, executable: false })),
  ];
  return { programs, folders };
}

function program(path: string, from: string): CpioEntry {
  return { kind: 'file', path, from, executable: true };
}

/** The loader of this machine's Node; undefined: it is static. @throws Error when Node is no ELF program */
export function nodeLoader(): string | undefined {
  const node = realpathSync(process.execPath);
  const head = readElfHead(node);
  if (head === undefined) throw new Error(`${node} is not a program in the ELF format`);
  return interpreterOf(head);
}

/** The libraries of Node, and of the other programs and add-ons that its own loader can load. */
function librariesFor(node: string, others: readonly string[]): string[] {
  const loader = nodeLoader();
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
