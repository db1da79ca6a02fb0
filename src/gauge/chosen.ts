/**
 * How the ports of an address were chosen, read from the ports themselves. Pure.
 *
 * The kernel's search begins with the ports of one parity and takes the other only when those are gone: connect() those of the range's first
 * port (`offset &= ~1U` in __inet_hash_connect(), net/ipv4/inet_hashtables.c), bind() to port 0 the others (`offset |= 1U` in
 * inet_csk_find_open_port(), net/ipv4/inet_connection_sock.c), both since Linux 4.2 (07f4c90062f8). So below half of the range the parity tells
 * which it was, and above it which half is full. With SO_REUSEADDR, which libuv sets and so every program on Node.js, bind() takes the lower half of the
 * range first, all of it, and then the upper (`attempt_half`). Ports that a program names, or a socket with IP_LOCAL_PORT_RANGE since 6.8, show neither.
 */
import type { AddressUse } from '../kernel/socket-census.js';

export type ChosenBy = 'bind' | 'connect';

/** With fewer ports it could be chance: 16 of one parity are one case of 65,536. */
export const FEWEST_CHOSEN = 16;
/** Some ports are taken in other ways. */
const NEARLY_ALL = 0.95;
/** Only connect() lets sockets share a port. */
const SHARED = 1.05;

/**
 * Who chose the ports of an address.
 * @param ports P, of the range without the reserved ones
 * @returns null where the ports do not tell: few, named by a program, chosen in both ways, or nearly all in use
 */
export function chosenBy({ parity, sockets }: Pick<AddressUse, 'parity' | 'sockets'>, ports: number): ChosenBy | null {
  const own = parity.first + parity.other;
  if (own < FEWEST_CHOSEN) return null;
  const half = Math.min(own, Math.floor(ports / 2));
  const byConnect = parity.first >= NEARLY_ALL * half;
  const byBind = parity.other >= NEARLY_ALL * half || isInOrder(parity, ports);
  if (byConnect !== byBind) return byConnect ? 'connect' : 'bind';
  return sockets >= SHARED * own ? 'connect' : null;
}

/** Whether the ports are those that bind() comes to first with SO_REUSEADDR, half by half. Below a quarter of the range it is the order without. */
function isInOrder({ first, other, lower }: AddressUse['parity'], ports: number): boolean {
  const own = first + other;
  const quarter = Math.floor(ports / 4);
  let rest = own;
  let right = 0;
  for (const there of [lower.other, lower.first, other - lower.other, first - lower.first]) {
    const due = Math.min(rest, quarter);
    right += Math.min(due, there);
    rest -= due;
  }
  // Nearly all ports are in every order.
  return own > quarter && own < NEARLY_ALL * ports && right >= NEARLY_ALL * own;
}
