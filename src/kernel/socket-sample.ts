/**
 * A random sample of sockets, taken while the kernel lists them, each kept as what the kernel wants to find it again. The list itself has an order
 * since Linux 6.15: the local port is added to the hash of the rest (inet_ehashfn() in net/ipv4/inet_hashtables.c, commit 9544d60a2605), so that the
 * sockets of one address to one destination stand together, and the beginning of a list may have no other.
 */

/** struct inet_diag_sockid (include/uapi/linux/inet_diag.h): ports, addresses, interface, cookie. */
export const SOCKET_ID_BYTES = 48;
/** In struct inet_diag_msg, after family, state, timer and retransmissions. */
const ID_AT = 4;

export interface SocketSample {
  /** Take a socket, or leave it. @param local number of its local address @param view on the kernel's struct inet_diag_msg, which is at `from` */
  offer(local: number, view: DataView, from: number): void;
  /**
   * Visit the sockets of the sample that have this local address, in the order in which they were listed; `id` is good during the visit.
   * @param most of more than so many, some at equal distances: what was listed first must not be all
   */
  forEach(local: number, most: number, visit: (family: number, id: Uint8Array) => void): void;
  clear(): void;
}

/** 240 kB. Of a namespace with eight addresses that are equally full it has some 250 to 500 of each. */
const MOST = 4096;

/** Numbers of 31 bits: V8 keeps them in a register. */
const ANY_CHANCE = 0x7fffffff;

/** @param most sockets that are kept, 2 or more: of no more that are offered, all */
export function createSocketSample(most = MOST): SocketSample {
  const ids = new Uint8Array(most * SOCKET_ID_BYTES);
  const idWords = new Uint32Array(ids.buffer);
  const locals = new Uint32Array(most);
  const families = new Uint8Array(most);
  /** What chance gave each; those above the limit are left. */
  const chances = new Uint32Array(most);
  let size = 0;
  let limit = ANY_CHANCE;
  let random = 1;

  /** Leave about half, which chance says. */
  function thin(): void {
    while (size === most) {
      limit >>>= 1;
      size = 0;
      for (let at = 0; at < most; at++) {
        if (chances[at]! > limit) continue;
        ids.copyWithin(size * SOCKET_ID_BYTES, at * SOCKET_ID_BYTES, (at + 1) * SOCKET_ID_BYTES);
        locals[size] = locals[at]!;
        families[size] = families[at]!;
        chances[size++] = chances[at]!;
      }
    }
  }

  return {
    offer(local, view, from) {
      // Numerical Recipes, §7.1: it comes to each number once.
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0;
      const chance = random >>> 1;
      if (chance > limit) return;
      const word = (size * SOCKET_ID_BYTES) >>> 2;
      for (let i = 0; i < SOCKET_ID_BYTES >>> 2; i++) idWords[word + i] = view.getUint32(from + ID_AT + 4 * i, true);
      locals[size] = local;
      families[size] = view.getUint8(from);
      chances[size] = chance;
      if (++size === most) thin();
    },
    forEach(local, most, visit) {
      let all = 0;
      for (let at = 0; at < size; at++) if (locals[at] === local) all++;
      const some = Math.min(all, most);
      for (let at = 0, passed = 0, visited = 0; visited < some; at++) {
        if (locals[at] !== local || passed++ !== Math.floor((visited * all) / some)) continue;
        visited++;
        visit(families[at]!, ids.subarray(at * SOCKET_ID_BYTES, (at + 1) * SOCKET_ID_BYTES));
      }
    },
    clear() {
      size = 0;
      limit = ANY_CHANCE;
    },
  };
}
