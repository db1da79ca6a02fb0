/**
 * A hash table whose keys are a fixed number of 32-bit words, in flat memory: a million look-ups make no garbage. Linear probing,
 * at most half full; entries are numbered from 0 in the order in which they came.
 */

interface WordTable {
  /** The key to look for: fill it in, then call {@link WordTable.entry}. */
  readonly key: Uint32Array;
  /** Entries so far. */
  size(): number;
  /** The number of the entry with this key; one that is not there yet is added. */
  entry(): number;
  /** The `word`-th word of an entry's key. */
  wordOf(entry: number, word: number): number;
  clear(): void;
}

const FIRST_SLOTS = 256;

/**
 * @param width words a key, at least 1
 * @param key where the caller writes keys; several tables may share one
 */
export function createWordTable(width: number, key = new Uint32Array(width)): WordTable {
  /** Entry + 1, or 0 where a slot is free. */
  let slots = new Uint32Array(FIRST_SLOTS);
  let keys = new Uint32Array((FIRST_SLOTS / 2) * width);
  let size = 0;

  function slotOf(words: Uint32Array, from: number): number {
    // The finalizer of MurmurHash3 (Austin Appleby, public domain) over the words: ports and addresses differ in few bits.
    let hash = 0x9e3779b9;
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ words[from + i]!, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
    return hash & (slots.length - 1);
  }

  function same(entry: number): boolean {
    const from = entry * width;
    for (let i = 0; i < width; i++) if (keys[from + i] !== key[i]) return false;
    return true;
  }

  function grow(): void {
    slots = new Uint32Array(slots.length * 2);
    const wider = new Uint32Array((slots.length / 2) * width);
    wider.set(keys);
    keys = wider;
    for (let entry = 0; entry < size; entry++) {
      let slot = slotOf(keys, entry * width);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = entry + 1;
    }
  }

  return {
    key,
    size: () => size,
    entry() {
      let slot = slotOf(key, 0);
      for (let found = slots[slot]!; found !== 0; found = slots[slot]!) {
        if (same(found - 1)) return found - 1;
        slot = (slot + 1) & (slots.length - 1);
      }
      keys.set(key, size * width);
      slots[slot] = ++size;
      if (size * 2 >= slots.length) grow();
      return size - 1;
    },
    wordOf: (entry, word) => keys[entry * width + word]!,
    clear() {
      slots.fill(0);
      size = 0;
    },
  };
}
