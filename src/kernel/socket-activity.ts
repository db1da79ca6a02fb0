/**
 * What open connections do: those of one local address in a sample (socket-sample.ts), from struct tcp_info (include/uapi/linux/tcp.h, tcp(7)), which
 * NETLINK_SOCK_DIAG gives on request (INET_DIAG_INFO). Each is asked for by its ports and addresses, which the kernel looks up in its table: a few
 * microseconds, and no walk past all others.
 */
import { NETLINK_SOCK_DIAG, openNetlink } from './netlink.js';
import { ONE_SOCKET_BYTES, TCPDIAG_GETSOCK, writeOneSocketRequest } from './sock-diag.js';
import type { SocketSample } from './socket-sample.js';

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

const INET_DIAG_INFO = 2;
const ESTABLISHED = 1;
/** struct inet_diag_msg, before the attributes. */
const MESSAGE = 72;
/** A server that answers within this is not one that is waited for. */
const WAITING_MS = 1000;
/** Shares are then right within three percentage points (95 % of samples). */
const MOST_SAMPLED = 1000;

/**
 * Ask for the open connections of an address in the network namespace of the calling thread. Those that have ended since the sample was taken are left out.
 * @param local number of the address in the sample @param idleMs from when on a connection is idle
 * @throws SystemCallError
 */
export function sampleActivity(sample: SocketSample, local: number, idleMs: number): Activity {
  const requests = new Uint8Array(MOST_SAMPLED * ONE_SOCKET_BYTES);
  let asked = 0;
  sample.forEach(local, MOST_SAMPLED, (family, id) => {
    writeOneSocketRequest(requests, asked++ * ONE_SOCKET_BYTES, family, id, 1 << (INET_DIAG_INFO - 1));
  });
  const quiet: number[] = [];
  let [idle, waiting] = [0, 0];
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  try {
    netlink.askEach(
      TCPDIAG_GETSOCK,
      requests.subarray(0, asked * ONE_SOCKET_BYTES),
      ONE_SOCKET_BYTES,
      (view, from, to) => {
        if (view.getUint8(from + 1) !== ESTABLISHED) return;
        const info = attributeAt(view, from + MESSAGE, to, INET_DIAG_INFO);
        if (info !== null) note(view, info.from, info.to);
      },
    );
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
