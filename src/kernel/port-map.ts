/**
 * Sets of ports in flat memory: one bit a port.
 */

import type { PortRange } from '../domain/units.js';

/** How many ports have the parity of the range's first port, and how many the other; and of those in the lower half of the range. */
export interface PortParity {
  readonly first: number;
  readonly other: number;
  readonly lower: { readonly first: number; readonly other: number };
}

/** Words of a set of ports. */
export const PORT_MAP_WORDS = 65_536 / 32;

/** Put a port into a set. */
export function set(map: Uint32Array, port: number): void {
  map[port >>> 5]! |= 1 << (port & 31);
}

/** Put all ports of a range into a set, or take them out, a word of 32 at a time. */
export function setRange(map: Uint32Array, { low, high }: PortRange, there: boolean): void {
  for (let word = low >>> 5; word <= high >>> 5; word++) {
    const first = word === low >>> 5 ? low & 31 : 0;
    const last = word === high >>> 5 ? high & 31 : 31;
    const mask = (0xffffffff >>> (31 - (last - first))) << first;
    if (there) map[word]! |= mask;
    else map[word]! &= ~mask;
  }
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

/** Ports of a set that have the parity of `port`. @param end only those below */
function portsOfParity(map: Uint32Array, port: number, end = 65_536): number {
  const mask = port % 2 === 0 ? 0x55555555 : 0xaaaaaaaa;
  let sum = 0;
  for (let i = 0; i < end >>> 5; i++) sum += bitsOf(map[i]! & mask);
  if ((end & 31) !== 0) sum += bitsOf(map[end >>> 5]! & mask & ((1 << (end & 31)) - 1));
  return sum;
}

/** Of the ports of a set that are in a range. */
export function parityOf(own: Uint32Array, { low, high }: PortRange): PortParity {
  // As inet_csk_find_open_port() halves it (net/ipv4/inet_connection_sock.c).
  const middle = low + (((high + 1 - low) >>> 2) << 1);
  const of = (end?: number) => ({ first: portsOfParity(own, low, end), other: portsOfParity(own, low + 1, end) });
  return { ...of(), lower: of(middle) };
}

/** The bits that are set in a word (Warren, Hacker's Delight, 5-1). */
function bitsOf(all: number): number {
  let word = all - ((all >>> 1) & 0x55555555);
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
