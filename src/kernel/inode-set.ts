/**
 * A set of inode numbers of sockets, each with a small label, in flat memory: 12 bytes a socket at most, and no more than a limit.
 */
export interface InodeSet {
  /** Add an inode other than 0. @param label 0 to 65,535, what is known of its socket; the first one stays */
  add(inode: number, label?: number): void;
  has(inode: number): boolean;
  /** The label of an inode; undefined: it is not in the set. */
  labelOf(inode: number): number | undefined;
  size(): number;
  /** How many have a label like this. */
  countWhere(fits: (label: number) => boolean): number;
  /** Inodes that found no room. */
  left(): number;
  clear(): void;
}

const FIRST_SLOTS = 1024;
/** 12 MB. */
const MOST = 1 << 20;

/** @param most inodes that are kept */
export function createInodeSet(most = MOST): InodeSet {
  let slots = new Uint32Array(FIRST_SLOTS);
  let labels = new Uint16Array(FIRST_SLOTS);
  /** How many have each label, and the labels that there are: few. */
  const perLabel = new Uint32Array(1 << 16);
  const seen: number[] = [];
  let size = 0;
  let left = 0;

  /** Where an inode is or would be. They are numbered in sequence: multiplying spreads them (Knuth, TAOCP 3, §6.4). */
  function slotOf(inode: number): number {
    const mask = slots.length - 1;
    let slot = (Math.imul(inode, 0x9e3779b1) >>> 11) & mask;
    while (slots[slot] !== 0 && slots[slot] !== inode) slot = (slot + 1) & mask;
    return slot;
  }

  function put(inode: number, label: number): void {
    const slot = slotOf(inode);
    slots[slot] = inode;
    labels[slot] = label;
  }

  return {
    add(inode, label = 0) {
      if (slots[slotOf(inode)] === inode) return;
      if (size >= most) {
        left++;
        return;
      }
      if (++size * 2 > slots.length) {
        const old = slots;
        const oldLabels = labels;
        slots = new Uint32Array(old.length * 2);
        labels = new Uint16Array(slots.length);
        for (let i = 0; i < old.length; i++) if (old[i] !== 0) put(old[i]!, oldLabels[i]!);
      }
      put(inode, label);
      if (perLabel[label]!++ === 0) seen.push(label);
    },
    has: (inode) => slots[slotOf(inode)] === inode,
    labelOf(inode) {
      const slot = slotOf(inode);
      return slots[slot] === inode ? labels[slot] : undefined;
    },
    size: () => size,
    countWhere(fits) {
      return seen.reduce((sum, label) => (fits(label) ? sum + perLabel[label]! : sum), 0);
    },
    left: () => left,
    clear() {
      slots.fill(0);
      for (const label of seen) perLabel[label] = 0;
      seen.length = 0;
      size = 0;
      left = 0;
    },
  };
}
