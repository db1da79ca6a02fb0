/**
 * Other network namespaces (network_namespaces(7), setns(2)). A socket belongs to the namespace in which it was made, so it is
 * enough to be there while it is made; the calling thread is back in its own before anything else runs.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { SystemCallError } from './errno.js';
import { errno, setns, unshare } from './libc.js';
import { ownThread } from './own-thread.js';

const CLONE_NEWNET = 0x40000000;
/** The calling thread's. `/proc/self/ns/net` is the same file on the main thread only. */
const ownFile = () => `${ownThread()}/ns/net`;

export interface NetworkNamespace {
  /** As the links in /proc/PID/ns name it: `net:[4026531840]`. */
  readonly id: string;
  /** Whether it is the one that this process is in. */
  readonly own: boolean;
  /** Do something synchronous inside. @throws SystemCallError when it may not be entered */
  within<T>(work: () => T): T;
  close(): void;
}

/**
 * Open a network namespace.
 * @param path such as /proc/812/ns/net or /run/netns/blue; absent: that of the calling thread
 * @throws the system's error when the file cannot be opened
 */
export function openNamespace(path: string = ownFile()): NetworkNamespace {
  const there = openSync(path, 'r');
  const here = openSync(ownFile(), 'r');
  const [inode, ownInode] = [there, here].map((fd) => fstatSync(fd).ino);
  const own = inode === ownInode;

  return {
    id: `net:[${inode}]`,
    own,
    within(work) {
      if (own) return work();
      enter(there, path);
      try {
        return work();
      } finally {
        enter(here, path);
      }
    },
    close() {
      closeSync(there);
      closeSync(here);
    },
  };
}

/**
 * Enter another network namespace for good: the calling thread, and all that it starts from now on.
 * @throws SystemCallError when it may not be entered; the system's error when the file cannot be opened
 */
export function enterNamespace(path: string): void {
  const fd = openSync(path, 'r');
  try {
    enter(fd, path);
  } finally {
    closeSync(fd);
  }
}

/**
 * Leave the network namespace for a new one (unshare(2)): the calling thread, and all threads and processes that it starts from now on. A
 * thread that was started before stays where it is.
 * @throws SystemCallError when there may be none
 */
export function enterFreshNamespace(): void {
  if (unshare(CLONE_NEWNET) < 0) throw new SystemCallError('unshare', errno(), 'of the network');
}

/**
 * Do something synchronous in a network namespace that nobody has used, and that is gone afterwards.
 * @throws SystemCallError when there may be none; what `work` throws
 */
export function withFreshNamespace<T>(work: () => T): T {
  const here = openSync(ownFile(), 'r');
  try {
    enterFreshNamespace();
    try {
      return work();
    } finally {
      enter(here, ownFile());
    }
  } finally {
    closeSync(here);
  }
}

function enter(fd: number, path: string): void {
  if (setns(fd, CLONE_NEWNET) < 0) throw new SystemCallError('setns', errno(), path);
}

/**
 * Do something synchronous in another network namespace.
 * @param path of the namespace, such as /proc/1/ns/net
 * @throws SystemCallError when the namespace cannot be entered; what `work` throws
 */
export function withNamespace<T>(path: string, work: () => T): T {
  const namespace = openNamespace(path);
  try {
    return namespace.within(work);
  } finally {
    namespace.close();
  }
}
