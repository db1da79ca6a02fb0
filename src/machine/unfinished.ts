/**
 * Files and folders that are made beside their place and renamed when they are complete. Their maker holds a lock on each, which ends with
 * it: what has none was left by a process that was killed, and whoever next makes or looks for something there removes it.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unlessThrown } from '../domain/error.js';
import { EAGAIN } from '../kernel/errno.js';
import { isStillAt, tryLock } from './file-lock.js';

export interface Unfinished {
  readonly path: string;
  /** Call when it has its own name, or is gone. */
  release(): void;
}

const NAME = /^\.bindstorm-[0-9a-f]{12}\.part$/;
/** Where a file system has no locks, age tells: nothing takes as long to make. */
const STALE_MS = 3_600_000;
/** Others may remove it between its making and its lock. */
const TRIES = 10;

/** A new empty file in a folder. Throws the system's error. */
export function unfinishedFile(folder: string, mode: number): Unfinished {
  return unfinished(folder, (path) => openSync(path, 'wx', mode));
}

/** A new empty folder in a folder, for this user only. Throws the system's error. */
export function unfinishedFolder(folder: string): Unfinished {
  return unfinished(folder, (path) => {
    mkdirSync(path, 0o700);
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  });
}

function unfinished(folder: string, make: (path: string) => number): Unfinished {
  sweepUnfinished(folder);
  for (let tries = 1; ; tries++) {
    const path = join(folder, `.bindstorm-${randomBytes(6).toString('hex')}.part`);
    try {
      const fd = make(path);
      const refused = tryLock(fd);
      if (refused !== EAGAIN && isStillAt(fd, path)) return { path, release: () => closeSync(fd) };
      closeSync(fd);
      // Whoever has the lock took it for one that was left, or only looks.
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      // A folder that another process took for one that was left, before it could be opened here.
      if (
        (error as NodeJS.ErrnoException).code !== 'ENOENT' ||
        lstatSync(folder, { throwIfNoEntry: false }) === undefined
      )
        throw error;
    }
    if (tries === TRIES) throw new Error(`${folder}: what is made there is removed again and again by another process`);
  }
}

/** Remove what killed processes have left unfinished in a folder. Never throws: what is another user's stays. */
export function sweepUnfinished(folder: string): void {
  for (const path of partsIn(folder))
    unlessThrown(() => ifLeft(path, () => rmSync(path, { recursive: true, force: true })), undefined);
}

/** What killed processes have left unfinished in a folder: paths, of which none is being made. */
export function leftUnfinished(folder: string): string[] {
  return partsIn(folder).filter((path) => unlessThrown(() => ifLeft(path, () => true), false));
}

function partsIn(folder: string): string[] {
  const names = unlessThrown(() => readdirSync(folder), []);
  return names.filter((name) => NAME.test(name)).map((name) => join(folder, name));
}

/** Do something with what has no maker any more, under its lock: one who has just made it must not take it for their own meanwhile. */
function ifLeft<T>(path: string, act: () => T): T | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const refused = tryLock(fd);
    const left = refused === undefined || (refused !== EAGAIN && Date.now() - lstatSync(path).mtimeMs > STALE_MS);
    return left ? act() : undefined;
  } finally {
    closeSync(fd);
  }
}
