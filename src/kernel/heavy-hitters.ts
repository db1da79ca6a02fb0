/**
 * How often each key occurs, for the keys that occur most, in bounded memory: exact as long as there are no more different keys
 * than the limit; beyond, the summary of Misra and Gries ("Finding repeated elements", 1982), emptied by halves.
 */
import { createWordTable } from './word-table.js';

interface HeavyHitters {
  /** The key to count: fill in all of it before each {@link HeavyHitters.add}. */
  readonly key: Uint32Array;
  /** @param times how often it has occurred, 1 or more */
  add(times: number): void;
  /** The keys that are left, in no order. Each count is at most {@link HeavyHitters.missed} below the truth, never above. */
  forEach(visit: (count: number, wordOf: (word: number) => number) => void): void;
  /** By how much counts may be too low, and how often a key may have occurred that is not there. 0: every count is exact. */
  missed(): number;
  clear(): void;
}

/**
 * @param width 32-bit words a key
 * @param limit different keys that are kept
 */
export function createHeavyHitters(width: number, limit: number): HeavyHitters {
  const key = new Uint32Array(width);
  let table = createWordTable(width, key);
  let spare = createWordTable(width, key);
  let counts = new Uint32Array(limit + 1);
  let spareCounts = new Uint32Array(limit + 1);
  let missed = 0;

  /** Take the median count off every key and forget those that have none left: at least half of them. */
  function thin(): void {
    const size = table.size();
    const median = counts.slice(0, size).sort()[size >>> 1]!;
    missed += median;
    spare.clear();
    spareCounts.fill(0);
    for (let entry = 0; entry < size; entry++) {
      if (counts[entry]! <= median) continue;
      for (let word = 0; word < width; word++) key[word] = table.wordOf(entry, word);
      spareCounts[spare.entry()] = counts[entry]! - median;
    }
    [table, spare] = [spare, table];
    [counts, spareCounts] = [spareCounts, counts];
  }

  return {
    key,
    add(times) {
      counts[table.entry()]! += times;
      if (table.size() > limit) thin();
    },
    forEach(visit) {
      for (let entry = 0; entry < table.size(); entry++) visit(counts[entry]!, (word) => table.wordOf(entry, word));
    },
    missed: () => missed,
    clear() {
      table.clear();
      counts.fill(0);
      missed = 0;
    },
  };
}
