/**
 * A set of inode numbers of sockets, in flat memory: 8 bytes a socket at most, and no more than a limit.
 */
export interface InodeSet {
  /** Add an inode other than 0. */
  add(inode: number): void;
  has(inode: number): boolean;
  size(): number;
  /** Inodes that found no room. */
  left(): number;
  clear(): void;
}

const FIRST_SLOTS = 1024;
/** 8 MB. */
const MOST = 1 << 20;

/** @param most inodes that are kept */
export function createInodeSet(most = MOST): InodeSet {
  let slots = new Uint32Array(FIRST_SLOTS);
  let size = 0;
  let left = 0;

  /** Where an inode is or would be. They are numbered in sequence: multiplying spreads them (Knuth, TAOCP 3, §6.4). */
  function slotOf(inode: number): number {
    const mask = slots.length - 1;
    let slot = (Math.imul(inode, 0x9e3779b1) >>> 11) & mask;
    while (slots[slot] !== 0 && slots[slot] !== inode) slot = (slot + 1) & mask;
    return slot;
  }

  return {
    add(inode) {
      if (slots[slotOf(inode)] === inode) return;
      if (size >= most) {
        left++;
        return;
      }
      if (++size * 2 > slots.length) {
        const old = slots;
        slots = new Uint32Array(old.length * 2);
        for (const known of old) if (known !== 0) slots[slotOf(known)] = known;
      }
      slots[slotOf(inode)] = inode;
    },
    has: (inode) => slots[slotOf(inode)] === inode,
    size: () => size,
    left: () => left,
    clear() {
      slots.fill(0);
      size = 0;
      left = 0;
    },
  };
}
