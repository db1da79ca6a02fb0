/**
 * The calling thread as /proc has it.
 */
import { existsSync } from 'node:fs';
import { gettid } from './libc.js';

/** Since Linux 3.17 (proc(5)). */
const THREAD_SELF = '/proc/thread-self';

/**
 * Its own folder in /proc. On the main thread it says what that of the process does, on others not.
 * @param isThere whether a path is there
 * @example `ownThread()` is '/proc/thread-self', and before Linux 3.17 something like '/proc/self/task/812'
 */
export function ownThread(isThere: (path: string) => boolean = existsSync): string {
  return isThere(THREAD_SELF) ? THREAD_SELF : `/proc/self/task/${gettid()}`;
}
