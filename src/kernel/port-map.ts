/**
 * Sets of ports in flat memory: one bit a port.
 */

/** Words of a set of ports. */
export const PORT_MAP_WORDS = 65_536 / 32;

/** Put a port into a set. */
export function set(map: Uint32Array, port: number): void {
  map[port >>> 5]! |= 1 << (port & 31);
}

/** Whether a port is in a set. */
export function isSet(map: Uint32Array, port: number): boolean {
  return (map[port >>> 5]! & (1 << (port & 31))) !== 0;
}

/** Ports that are in `own` or in one of the others. */
export function portsIn(own: Uint32Array, others: readonly (Uint32Array | null)[] = []): number {
  let sum = 0;
  for (let i = 0; i < own.length; i++) {
    let word = own[i]!;
    for (const other of others) if (other) word |= other[i]!;
    sum += bitsOf(word);
  }
  return sum;
}

/** Ports of a set that have the parity of `port`. */
export function portsOfParity(map: Uint32Array, port: number): number {
  const mask = port % 2 === 0 ? 0x55555555 : 0xaaaaaaaa;
  let sum = 0;
  for (let i = 0; i < map.length; i++) sum += bitsOf(map[i]! & mask);
  return sum;
}

/** The bits that are set in a word (Warren, Hacker's Delight, 5-1). */
function bitsOf(all: number): number {
  let word = all - ((all >>> 1) & 0x55555555);
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
