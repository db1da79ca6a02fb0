/**
 * A queue of file descriptors in which each is linked at most once: O(1) to append and to take out of the middle, and nothing is
 * allocated. Every entry of one queue waits equally long, so the head is always the next to expire.
 */
interface FdList {
  readonly size: number;
  /** The oldest entry, or -1. */
  readonly head: number;
  append(fd: number): void;
  remove(fd: number): void;
}

/** @param capacity one more than the highest descriptor */
export function createFdList(capacity: number): FdList {
  const next = new Int32Array(capacity).fill(-1);
  const previous = new Int32Array(capacity).fill(-1);
  let tail = -1;
  const list = {
    size: 0,
    head: -1,
    append(fd: number): void {
      previous[fd] = tail;
      next[fd] = -1;
      if (tail < 0) list.head = fd;
      else next[tail] = fd;
      tail = fd;
      list.size++;
    },
    remove(fd: number): void {
      const before = previous[fd]!;
      const after = next[fd]!;
      if (before < 0) list.head = after;
      else next[before] = after;
      if (after < 0) tail = before;
      else previous[after] = before;
      list.size--;
    },
  };
  return list;
}
