/**
 * Doing something in another network namespace (setns(2)). A thread has a namespace, not a process: only what is done at once, on
 * the thread that asks, happens there.
 */
import { closeSync, openSync } from 'node:fs';
import { SystemCallError } from './errno.js';
import { declare, errno } from './libc.js';

const CLONE_NEWNET = 0x40000000;
const setns = declare<[fd: number, type: number]>('int setns(int, int)');

/**
 * @param path of the namespace, as /proc/1/ns/net
 * @param work must not be asynchronous
 * @throws SystemCallError when the namespace cannot be entered; what `work` throws
 */
export function withNamespace<T>(path: string, work: () => T): T {
  const [here, there] = [openSync('/proc/thread-self/ns/net', 'r'), openSync(path, 'r')];
  try {
    enter(there);
    try {
      return work();
    } finally {
      enter(here);
    }
  } finally {
    closeSync(there);
    closeSync(here);
  }
}

function enter(fd: number): void {
  if (setns(fd, CLONE_NEWNET) !== 0) throw new SystemCallError('setns', errno());
}
