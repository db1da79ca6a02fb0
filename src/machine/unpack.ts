/**
 * The files of the single executable, unpacked once into a folder of this user's: Node loads add-ons and workers from files alone. Code is run from
 * that folder, so nobody else may be able to write there. Imports nothing that needs the files themselves.
 */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { messageOf, UserError } from '../domain/error.js';
import { cacheDirectory } from './xdg.js';

interface PackedFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Bytes of the length that stands before the index. */
const HEAD = 4;
/** Written last of all, and holds the key: a folder without it is not whole. */
const KEY_FILE = '.key';

/** Files as one archive: an index as JSON behind its length (32 bits, little-endian), then their bytes, all of it gzipped. */
export function pack(files: readonly PackedFile[]): Buffer {
  const index = Buffer.from(JSON.stringify(files.map(({ path, bytes }) => [path, bytes.length])));
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(index.length);
  return gzipSync(Buffer.concat([head, index, ...files.map(({ bytes }) => bytes)]), { level: 9 });
}

/** What {@link pack} has packed. */
export function unpacked(archive: Uint8Array): PackedFile[] {
  const all = gunzipSync(archive);
  let at = HEAD + all.readUInt32LE();
  const index = JSON.parse(all.toString('utf8', HEAD, at)) as [path: string, length: number][];
  return index.map(([path, length]) => {
    const bytes = all.subarray(at, at + length);
    at += length;
    return { path, bytes };
  });
}

interface Archive {
  /** A hash of the archive, in hexadecimal digits. */
  readonly key: string;
  /** Asked for only when the files are not there yet. */
  readonly read: () => Uint8Array;
}

/**
 * The folder of an archive's files, unpacked if they are not there yet: beside the program, where a package manager puts them, else in the cache
 * of this user, else in the folder for temporary files.
 * @param beside folder in which the program lies
 * @throws UserError when there is no folder that belongs to this user alone, and from which code may be run
 */
export function unpackedFolder({ key, read }: Archive, beside: string): string {
  const installed = join(beside, 'files');
  if (keyOf(installed) === key && untrusted(installed) === undefined) return installed;
  const reasons: string[] = [];
  for (const named of [join(cacheDirectory(), 'program'), join(tmpdir(), `bindstorm-${process.geteuid?.()}`)]) {
    try {
      const parent = madeFolder(named);
      const folder = join(parent, key);
      const reason = untrusted(parent) ?? (keyOf(folder) === key ? untrusted(folder) : unpackInto(folder, key, read()));
      if (reason === undefined) return folder;
      reasons.push(reason);
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  throw new UserError(`the files of this program cannot be unpacked: ${reasons.join('; ')}`, {
    remedy:
      'name a folder in which only this user may write, on a file system from which programs may be run, with the environment variable XDG_CACHE_HOME',
  });
}

/** The real path of a folder, which is made where it is not there, below folders that nobody else can exchange. Throws the system's error too. */
function madeFolder(named: string): string {
  if (existsSync(named)) {
    const path = realpathSync(named);
    const reason = untrusted(path, { sticky: true });
    if (reason !== undefined) throw new Error(reason);
    return path;
  }
  const path = join(madeFolder(dirname(named)), basename(named));
  // One level at a time: with `recursive: true` Node does not return where no folder can be made.
  mkdirSync(path, { mode: 0o700 });
  return path;
}

function keyOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, KEY_FILE), 'utf8');
  } catch {
    return undefined;
  }
}

/** @returns why the folder cannot be used; undefined: it is complete */
function unpackInto(folder: string, key: string, archive: Uint8Array): string | undefined {
  const work = mkdtempSync(join(dirname(folder), '.unpacking-'));
  try {
    for (const { path, bytes } of unpacked(archive)) {
      mkdirSync(dirname(join(work, path)), { recursive: true, mode: 0o700 });
      // Executable, so that a file system from which nothing may be run (noexec) can be told: a library is mapped as code, too.
      writeFileSync(join(work, path), bytes, { mode: path.endsWith('.node') ? 0o700 : 0o600 });
      if (path.endsWith('.node') && !mayBeRun(join(work, path))) return `${folder} is on a file system mounted noexec`;
    }
    writeFileSync(join(work, KEY_FILE), key, { mode: 0o600 });
    try {
      renameSync(work, folder);
    } catch {
      // Another process was faster, or one that was killed has left a folder that is not whole.
      if (keyOf(folder) === key) return undefined;
      rmSync(folder, { recursive: true, force: true });
      renameSync(work, folder);
    }
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function mayBeRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** S_ISVTX (inode(7)): in such a folder, as /tmp, only its owner may rename what it has. */
const STICKY = 0o1000;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Why code must not be run from a folder: somebody beside this user and root could have put it there, or could exchange a folder above it.
 * @param folder its real path
 * @param options `sticky`: it may be one as /tmp, in which others may write, but not rename what it has
 * @returns a sentence without a full stop; undefined: nobody could
 */
export function untrusted(folder: string, { sticky = false } = {}): string | undefined {
  for (let path = folder; ; path = dirname(path)) {
    const stat = lstatSync(path);
    if (!stat.isDirectory()) return `${path} is not a folder`;
    if (stat.uid !== process.geteuid?.() && stat.uid !== 0) return `${path} belongs to another user`;
    const isSafe = (stat.mode & OTHERS_MAY_WRITE) === 0 || ((stat.mode & STICKY) !== 0 && (sticky || path !== folder));
    if (!isSafe) return `others may write in ${path}`;
    if (path === dirname(path)) return undefined;
  }
}
