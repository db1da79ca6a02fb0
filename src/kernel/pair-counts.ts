/**
 * How many sockets each pair of a local address and a destination has, for the pairs that have most, in bounded memory
 * (heavy-hitters.ts). Most sockets of a machine are of few pairs, so those of IPv4 are first counted in a small table that looks at
 * no more than one place, and what that holds is handed on when another pair needs the place.
 */
import { createHeavyHitters } from './heavy-hitters.js';

export interface PairCounts {
  /**
   * Count a socket of IPv4.
   * @param local number of its local address
   * @param port of the destination
   * @param address of the destination, as the little-endian word of the kernel's message
   */
  addV4(local: number, port: number, address: number): void;
  /** Count a socket whose destination's address is the four words at `from` of the kernel's message. */
  addV6(local: number, port: number, view: DataView, from: number): void;
  /** The pairs that are left, in no order. Counts are at most {@link PairCounts.missed} below the truth, never above. */
  forEach(visit: (sockets: number, local: number, port: number, wordOf: (word: number) => number) => void): void;
  /** By how much counts may be too low. 0: every count is exact. */
  missed(): number;
  clear(): void;
}

/** The third word of ::ffff:0:0/96, as a little-endian reader sees it (RFC 4291 §2.5.5.2). */
export const MAPPED = 0xffff0000;
const BITS = 12;
/** Words of a place: local address, port, address, and how many; none: the place is free. */
const PLACE = 4;

/** @param limit pairs that are counted apart */
export function createPairCounts(limit: number): PairCounts {
  /** Local address (its number), remote port, remote address. */
  const hitters = createHeavyHitters(6, limit);
  const recent = new Uint32Array(PLACE << BITS);
  /** The places that are not free. */
  const filled = new Uint32Array(1 << BITS);
  let held = 0;

  function handOn(at: number): void {
    const { key } = hitters;
    key[0] = recent[at]!;
    key[1] = recent[at + 1]!;
    key[2] = 0;
    key[3] = 0;
    key[4] = MAPPED;
    key[5] = recent[at + 2]!;
    hitters.add(recent[at + 3]!);
    recent[at + 3] = 0;
  }

  function handOnAll(): void {
    for (let i = 0; i < held; i++) handOn(filled[i]!);
    held = 0;
  }

  return {
    addV4(local, port, address) {
      // Multiplying spreads numbers that differ in few bits (Knuth, TAOCP 3, §6.4); the upper bits depend on all others.
      const hash = Math.imul(Math.imul(address ^ (port << 16) ^ port, 0x85ebca6b) ^ local, 0x9e3779b1);
      const at = (hash >>> (32 - BITS)) * PLACE;
      const isFree = recent[at + 3] === 0;
      if (isFree || recent[at] !== local || recent[at + 1] !== port || recent[at + 2] !== address) {
        if (isFree) filled[held++] = at;
        else handOn(at);
        recent[at] = local;
        recent[at + 1] = port;
        recent[at + 2] = address;
      }
      recent[at + 3]!++;
    },
    addV6(local, port, view, from) {
      const { key } = hitters;
      key[0] = local;
      key[1] = port;
      for (let i = 0; i < 4; i++) key[2 + i] = view.getUint32(from + 4 * i, true);
      hitters.add(1);
    },
    forEach(visit) {
      handOnAll();
      hitters.forEach((sockets, wordOf) => {
        visit(sockets, wordOf(0), wordOf(1), (word) => wordOf(2 + word));
      });
    },
    missed() {
      handOnAll();
      return hitters.missed();
    },
    clear() {
      recent.fill(0);
      held = 0;
      hitters.clear();
    },
  };
}
