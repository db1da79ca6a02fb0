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
  /** Take descriptors below a higher capacity too. */
  grow(capacity: number): void;
}

/** @param capacity one more than the highest descriptor */
export function createFdList(capacity: number): FdList {
  // An entry is written before it is read, so that a long table costs nothing until it is used.
  let next = new Int32Array(capacity);
  let previous = new Int32Array(capacity);
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
    grow(capacity: number): void {
      next = longer(next, capacity);
      previous = longer(previous, capacity);
    },
  };
  return list;
}

/** The same values, and zeros up to a length. */
export function longer<T extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  values: T,
  length: number,
): T {
  const all = new (values.constructor as new (length: number) => T)(length);
  all.set(values);
  return all;
}
