/**
 * What open connections do: a sample of those of one local address, from struct tcp_info (include/uapi/linux/tcp.h, tcp(7)), which a dump of
 * NETLINK_SOCK_DIAG gives on request (INET_DIAG_INFO). The kernel's table is hashed, so its beginning is a sample without an order. It costs
 * about a microsecond a socket, so the dump is given up when the sample is large enough.
 */
import { addressBytes } from '../domain/addresses.js';
import { SystemCallError } from './errno.js';
import { AF_INET } from './libc.js';
import { NETLINK_SOCK_DIAG, openNetlink } from './netlink.js';
import { anyFamilyRequest, TCPDIAG_GETSOCK } from './sock-diag.js';
import type { EphemeralPorts } from './socket-census.js';

/** Of the connections of a sample. A connection is one of these, or busy. */
export interface Activity {
  readonly sampled: number;
  /** Nothing was sent or received for the time that was asked for. */
  readonly idle: number;
  /** The last thing was sent by this side, more than a second ago: they wait for the other side. */
  readonly waiting: number;
  /** The median time without anything sent or received, ms; null: the sample is empty. */
  readonly quietMs: number | null;
}

const ESTABLISHED = 1;
const INET_DIAG_INFO = 2;
/** struct inet_diag_msg, before the attributes. */
const MESSAGE = 72;
/** A server that answers within this is not one that is waited for. */
const WAITING_MS = 1000;
const MOST_SAMPLED = 1000;
/** Sockets that are looked at to find those of the address. */
const MOST_SEEN = 20_000;

/**
 * Sample the open outgoing connections of an address in the network namespace of the calling thread.
 * @param address the local one @param idleMs from when on a connection is idle
 * @throws SystemCallError
 */
export function sampleActivity(address: string, { range }: EphemeralPorts, idleMs: number): Activity {
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  const own = addressBytes(address);
  const quiet: number[] = [];
  let [seen, idle, waiting] = [0, 0, 0];
  try {
    const payload = anyFamilyRequest(1 << ESTABLISHED, 1 << (INET_DIAG_INFO - 1));
    const errno = netlink.dump(TCPDIAG_GETSOCK, payload, (view, from, to) => {
      seen++;
      const port = view.getUint16(from + 4, false);
      if (port >= range.low && port <= range.high && isOf(own, view, from)) {
        const info = attributeAt(view, from + MESSAGE, to, INET_DIAG_INFO);
        if (info !== null) note(view, info.from, info.to);
      }
      return seen < MOST_SEEN && quiet.length < MOST_SAMPLED;
    });
    if (errno !== 0) throw new SystemCallError('sock_diag', errno);
  } finally {
    netlink.close();
  }
  quiet.sort((a, b) => a - b);
  return { sampled: quiet.length, idle, waiting, quietMs: quiet[quiet.length >>> 1] ?? null };

  /** struct tcp_info: last_data_sent at 44, last_data_recv at 52 (ms ago), data_segs_in at 152, data_segs_out at 156 (both Linux 4.6). */
  function note(view: DataView, from: number, to: number): void {
    const sent = view.getUint32(from + 44, true);
    const received = view.getUint32(from + 52, true);
    const counts = to - from >= 160;
    const neverAnswered = counts && view.getUint32(from + 156, true) > 0 && view.getUint32(from + 152, true) === 0;
    quiet.push(Math.min(sent, received));
    if ((sent < received || neverAnswered) && sent >= WAITING_MS) waiting++;
    else if (Math.min(sent, received) >= idleMs) idle++;
  }
}

/** Whether the local address of a message is this one; an IPv6 socket may be connected by IPv4 (RFC 4291 §2.5.5.2). */
function isOf(own: Uint8Array, view: DataView, from: number): boolean {
  const same = (at: number) => own.every((byte, i) => view.getUint8(at + i) === byte);
  if (view.getUint8(from) === AF_INET) return own.length === 4 && same(from + 8);
  if (own.length === 16) return same(from + 8);
  return (
    view.getUint32(from + 8) === 0 &&
    view.getUint32(from + 12) === 0 &&
    view.getUint32(from + 16) === 0xffff &&
    same(from + 20)
  );
}

/** The value of an attribute (struct nlattr); null: it is not there. */
function attributeAt(view: DataView, first: number, end: number, wanted: number): { from: number; to: number } | null {
  for (let at = first; at + 4 <= end; ) {
    const length = view.getUint16(at, true);
    if (length < 4) return null;
    if (view.getUint16(at + 2, true) === wanted) return { from: at + 4, to: at + length };
    at += (length + 3) & ~3;
  }
  return null;
}
