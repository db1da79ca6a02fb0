/**
 * Locks of the kernel on open files, flock(2): one belongs to the open file, and so ends with the process that has it, however that ends. No
 * child keeps it, since Node opens files with O_CLOEXEC.
 */
import { fstatSync, statSync } from 'node:fs';
import { EINTR } from '../kernel/errno.js';
import { errno, flock, LOCK_EX, LOCK_NB } from '../kernel/libc.js';

/** Lock an open file, without waiting. @returns undefined when the lock is ours, else the errno: EAGAIN when another process has it */
export function tryLock(fd: number): number | undefined {
  for (;;) {
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) return undefined;
    const why = errno();
    if (why !== EINTR) return why;
  }
}

/** Whether the open file is still the one that has this name. */
export function isStillAt(fd: number, path: string): boolean {
  const { ino, dev } = fstatSync(fd);
  const there = statSync(path, { throwIfNoEntry: false });
  return there?.ino === ino && there.dev === dev;
}
