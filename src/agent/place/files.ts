/**
 * The files that a program of the user's sees: those of this machine, of which it can change none. Its working folder, its home and the
 * folders for temporary files seem to be written: what is written there is in memory, and gone with the role. For the mount namespace of the
 * calling process, which must be its own.
 */
import { chmodSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unlessThrown } from '../../domain/error.js';
import { bindMount, mount, setReadOnly } from '../../kernel/boot.js';
import { SystemCallError } from '../../kernel/errno.js';

const RESOLVER = '/etc/resolv.conf';
/** What it may fill with files. */
const MEMORY = 'size=512m,mode=1777';

interface FilesOf {
  /** Where a file system in memory can be. */
  readonly scratch: string;
  /** null: where the caller is. */
  readonly workdir: string | null;
  /** Folders in which what it writes is kept. */
  readonly writes: readonly string[];
}

/**
 * Make all files of this namespace read-only, but for those that the program may have for itself.
 * @returns what could not be done, as a sentence; null: all was
 * @throws Error that names the folder of `writes` or `workdir` that is not there
 */
export function keepFiles({ scratch, workdir, writes }: FilesOf): string | null {
  for (const folder of [...writes, ...(workdir === null ? [] : [workdir])])
    if (!isFolder(folder)) throw new Error(`there is no folder ${folder}; make it, or name another`);
  // What listens in /run is outside of the lab: docker, systemd-resolved, nscd, dbus.
  const memory = [scratch, '/run'].filter(isFolder);
  const resolver = unlessThrown(() => realpathSync(RESOLVER), RESOLVER);
  for (const folder of memory) mount('tmpfs', folder, MEMORY);
  // It may be a link to what has just been hidden; another file can then be mounted over it.
  if (resolver.startsWith('/run/')) {
    mkdirSync(dirname(resolver), { recursive: true });
    writeFileSync(resolver, '');
  }
  const kept = writes.map((folder) => realpathSync(folder));
  const seeming = [workdir ?? process.cwd(), process.env.HOME, '/tmp', '/var/tmp']
    .filter((folder) => folder !== undefined && isFolder(folder))
    .map((folder) => realpathSync(folder!));
  try {
    // A folder in which another one is kept, as ./out of its working folder, seems to be written too: what is kept is set aside meanwhile.
    const aside = kept.map((folder, i) => {
      const place = join(scratch, '.kept', String(i));
      mkdirSync(place, { recursive: true });
      bindMount(folder, place);
      return place;
    });
    const overlaid = outermost(seeming, kept).filter((folder, i) =>
      overlay(folder, join(scratch, '.written', String(i))),
    );
    for (const [i, folder] of kept.entries()) bindMount(aside[i]!, folder);
    setReadOnly('/', true, true);
    for (const folder of ['/proc', ...memory, ...overlaid, ...kept]) setReadOnly(folder, false);
    // As root of this machine it would change what all namespaces share.
    bindMount('/proc/sys', '/proc/sys');
    setReadOnly('/proc/sys', true);
    return null;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return `files of this machine are not protected from the program: ${error.message}`;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Those that have no file system mounted below and are not kept themselves; and of these, those that are not in another. */
function outermost(folders: readonly string[], kept: readonly string[]): string[] {
  const below = (path: string, folder: string) => path.startsWith(folder === '/' ? folder : `${folder}/`);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  const possible = [...new Set(folders)].filter(
    (folder) =>
      folder !== '/' &&
      !mounts.some((path) => below(path, folder)) &&
      !kept.some((path) => path === folder || below(folder, path)),
  );
  return possible.filter((folder) => !possible.some((other) => below(folder, other)));
}

/**
 * Let a folder seem to be written (overlayfs; without root from Linux 5.11).
 * @returns whether it does; where that is refused it stays read-only
 */
function overlay(folder: string, memory: string): boolean {
  // They end a path in the options of overlayfs.
  if (/[:,\\]/.test(folder)) return false;
  const [upper, work] = [join(memory, 'upper'), join(memory, 'work')];
  for (const path of [upper, work]) mkdirSync(path, { recursive: true });
  chmodSync(upper, statSync(folder).mode & 0o7777);
  return ['', ',userxattr'].some((more) => {
    try {
      mount('overlay', folder, `lowerdir=${folder},upperdir=${upper},workdir=${work}${more}`);
      return true;
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  });
}
