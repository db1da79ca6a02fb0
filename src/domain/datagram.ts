/**
 * How a UDP socket is used: how it knows where its datagrams go, with which options, and by how many attempts. Pure.
 */
import { type Protocol, transportOf } from './protocol.js';
import type { SocketOption } from './strategy.js';

/**
 * `connect`: connect(2) fixes the peer, and send(2) follows. `sendto`: each datagram names where it goes. `none`: nothing is sent, as by a
 * socket that only waits for datagrams.
 */
export const PEERS = ['connect', 'sendto', 'none'] as const;
export type Peer = (typeof PEERS)[number];

/** `each`: a socket for each attempt, as resolvers have for each query. `one`: one for all, as QUIC clients may. */
export const SOCKET_SHARES = ['each', 'one'] as const;
export type SocketShare = (typeof SOCKET_SHARES)[number];

/**
 * With either of these two sockets may have the same address and port (inet_rcv_saddr_equal() and udp_lib_lport_inuse(), net/ipv4/udp.c), and
 * the kernel draws a port without a look at whether it is taken. Measured: SO_REUSEPORT alone does it too, unlike with TCP.
 */
const SHARING: readonly SocketOption[] = ['SO_REUSEADDR', 'SO_REUSEPORT'];

/** How the sockets of a load are used, as far as it decides which ports they take. */
export interface DatagramUse {
  /** Those of the strategy among them. */
  readonly options: readonly SocketOption[];
  readonly peer: Peer;
  readonly sockets: SocketShare;
}

/** Of the ports of a range, those in use from which a search for one of UDP takes ten times as long as in an empty one (measured). */
export const SLOW_SHARE = 0.98;

/** Whether sockets with these options share ports. */
export function sharesPorts(options: readonly SocketOption[]): boolean {
  return options.some((option) => SHARING.includes(option));
}

/** Whether a protocol over UDP has messages of its own, so that a profile says nothing of their bytes. */
export function hasOwnMessages(protocol: Protocol): boolean {
  return transportOf(protocol) === 'udp' && protocol !== 'udp';
}

/** Whether an attempt over UDP is a question that waits for its answer; otherwise it is over when it was sent. */
export function awaitsAnswer({
  protocol,
  exchange,
}: {
  readonly protocol: Protocol;
  readonly exchange: object | null;
}): boolean {
  return protocol !== 'udp' || exchange !== null;
}

/** The bytes that tell which attempt a datagram belongs to: the least that a datagram of the load has. */
export const MARK_BYTES = 12;
/** What a UDP datagram over IPv4 carries at most: 65,535 − 20 (IP) − 8 (UDP). */
export const MOST_DATAGRAM_BYTES = 65_507;
