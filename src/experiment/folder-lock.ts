/**
 * One writer a result folder: two that make runs of one journal at the same time, or write its reports, would undo each other's work.
 *
 * The lock is flock(2) on a file in the folder. It is the kernel's, belongs to the open file, and so ends with this process however
 * that ends; no child keeps it, since Node opens files with O_CLOEXEC. It needs no privilege and is older than any kernel that Node
 * runs on. On NFS it holds between machines (Linux makes a lock of the whole file of it, nfs(5)), unless mounted with `nolock` or
 * `local_lock=flock`: then it holds on this machine only. Where a file system has no locks at all the work continues, with a warning.
 */

import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../domain/error.js';
import { printable } from '../domain/printable.js';
import { EAGAIN, errnoName } from '../kernel/errno.js';
import { isStillAt, tryLock } from '../machine/file-lock.js';
import { readJson } from '../machine/read-file.js';
import { JournalError } from './journal.js';

export const LOCK_FILE = '.lock';

/** What the holder says of itself. Only the kernel's lock counts; this is for the reader of an error. */
const holderSchema = z.object({ pid: z.int(), host: z.string(), command: z.string(), since: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** Another process writes to the folder. The message says which, and what to do. */
class FolderInUse extends UserError {
  override name = 'FolderInUse';
}

export interface FolderLock {
  /** Give the folder free; a second call does nothing. */
  release(): void;
}

/** How often, and how long after one another, the lock is asked for while nobody who lives has written that it is his. */
const TRIES = 10;
const PAUSE_MS = 50;

/**
 * Lock a result folder against every other process; until `release()`, or the end of this one.
 * @param note told where the file system has no locks
 * @throws FolderInUse
 * @throws JournalError when there is no such folder
 */
export function lockFolder(dir: string, note: (text: string) => void): FolderLock {
  const path = join(dir, LOCK_FILE);
  for (let tries = 1; ; tries++) {
    const fd = open(path, dir);
    const refused = tryLock(fd);
    if (refused === undefined) {
      // The last holder has removed the file that was opened here: the lock of a file without a name keeps nobody out. Where that is so
      // again and again, the file system gives a file another number each time.
      if (tries < TRIES && !isStillAt(fd, path)) {
        closeSync(fd);
        continue;
      }
      write(fd);
      return held(fd, path);
    }
    const holder = refused === EAGAIN ? readJson(path, holderSchema) : undefined;
    closeSync(fd);
    if (refused !== EAGAIN) {
      note(
        `the file system of ${dir} has no locks (flock: ${errnoName(refused)}): make sure that nothing else writes to this folder`,
      );
      return { release: () => rmSync(path, { force: true }) };
    }
    // One that has just begun has not said yet who it is, and one that ends is gone in a moment.
    if (tries < TRIES && !lives(holder)) pause();
    else throw new FolderInUse(inUse(dir, holder));
  }
}

/** Do something with a result folder that no other process may write to meanwhile. Rejects as {@link lockFolder} throws. */
export async function withLockedFolder<T>(
  dir: string,
  note: (text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = lockFolder(dir, note);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function open(path: string, dir: string): number {
  try {
    return openSync(path, 'a+', 0o644);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new JournalError(`there is no folder ${dir}; name one that bindstorm has made, such as reports/quickstart-…`);
  }
}

function write(fd: number): void {
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    command: ['bindstorm', ...process.argv.slice(2)].join(' '),
    since: new Date().toISOString(),
  };
  ftruncateSync(fd);
  writeSync(fd, `${JSON.stringify(holder)}\n`);
}

function held(fd: number, path: string): FolderLock {
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      rmSync(path, { force: true });
      closeSync(fd);
    },
  };
}

/** What was written by one that is no more is not the holder's. Of another machine's processes nothing is known. */
function lives(holder: Holder | undefined): boolean {
  if (holder === undefined) return false;
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(dir: string, holder: Holder | undefined): string {
  if (holder === undefined || !lives(holder))
    return `${dir} is in use by another process, whose pid is not known; wait until it has ended, then repeat this command`;
  const here = holder.host === hostname();
  const who = `process ${holder.pid}${here ? '' : ` on ${holder.host}`} (${holder.command}, since ${holder.since})`;
  const end = here ? `, or end it with: kill ${holder.pid}` : ', or end it there';
  // A file says what is printed here, and no file may move the cursor.
  return printable(`${dir} is in use by ${who}; wait until it has ended${end}`);
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
