/**
 * Several clients behind one address, as a server sees them: connections whose TCP timestamps (RFC 7323) come from clocks that have
 * nothing to do with each other. A socket's clock is the machine's plus an offset of its own, which TCP_TIMESTAMP sets while the
 * socket is in repair mode (TCP_REPAIR, tcp(7); net/ipv4/tcp.c, do_tcp_setsockopt; both since Linux 3.9, with CAP_NET_ADMIN over
 * the network namespace). Since 4.10 connect() gives the offset a value of its own (tcp_v4_connect, secure_tcp_ts_off), so that
 * there it must be set after that and before the SYN:
 *
 *     3.9 …   before connect()
 *     4.10    likewise; connect() leaves the offset alone when it finds an initial sequence number in the socket
 *     4.11 …  connect() that defers the SYN to the first send() (TCP_FASTOPEN_CONNECT without a cookie), then the clock, then a
 *             send() of nothing: the SYN is an ordinary one, without data and without the option of TCP Fast Open
 */
import { release } from 'node:os';
import { atLeast, parseKernelVersion } from '../../capacity/kernel-version.js';
import { SystemCallError } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';

/**
 * Ticks between two neighbours: an hour where the clock ticks each millisecond (since 4.13; before, CONFIG_HZ ticks a second).
 * 500 of them stay below half of the 32 bits, so that «older» has a meaning between any two (RFC 7323, 5.2). Even, because the
 * lowest bit asks for microseconds since 6.7.
 */
export const CLOCK_STEP = 3_600_000;

const TCP_SEND_QUEUE = 2;

export interface Clocks {
  /** Prepare a new socket for attempt n, before its options are set and it is bound. @returns 0 or an errno */
  before(fd: number, n: number): number;
  /**
   * After a connect() that sent nothing: set the clock and let the SYN go. Options that are to outlive it are to be set again:
   * the end of repair mode takes SO_REUSEADDR away.
   * @returns 0 or an errno
   */
  afterDeferred(fd: number, n: number): number;
  /** Let the SYN of a deferred connect() go. @returns EINPROGRESS, or why not; 0 when the handshake is over */
  release(fd: number): number;
  close(): void;
}

/**
 * Clocks for so many clients: attempt n is of client n mod `clients`, whose clock is that many steps behind the first one's.
 * @param family AF_INET or AF_INET6
 * @throws SystemCallError when there is no socket to be had
 */
export function createClocks(clients: number, family: number): Clocks {
  // Never connected, so that its clock is the machine's own.
  const reference = libc.socket(family, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, 0);
  if (reference < 0) throw new SystemCallError('socket', libc.errno(), 'for the clock');
  const value = libc.nativeBuffer(4);
  const size = libc.nativeBuffer(4);
  size.view.setUint32(0, 4, true);
  const set = (fd: number, option: number, wanted: number): number => {
    value.view.setInt32(0, wanted | 0, true);
    return libc.setsockopt(fd, libc.SOL_TCP, option, value.address, 4) < 0 ? libc.errno() : 0;
  };
  const defers = set(reference, libc.TCP_FASTOPEN_CONNECT, 1) === 0;
  const ownSequence = !defers && atLeast(parseKernelVersion(release()), '4.10');

  function setClock(fd: number, n: number, sequence: boolean): number {
    if (libc.getsockopt(reference, libc.SOL_TCP, libc.TCP_TIMESTAMP, value.address, size.address) < 0)
      return libc.errno();
    const wanted = value.view.getInt32(0, true) - (n % clients) * CLOCK_STEP;
    let error = set(fd, libc.TCP_REPAIR, 1);
    if (error !== 0) return error;
    if (sequence) {
      // As RFC 793 has it (3.3): a clock of 4 µs. Never 0, which would mean none.
      const initial = 1 + (Math.floor(libc.monotonicMicros() / 4) % 0xfffffffe);
      error = set(fd, libc.TCP_REPAIR_QUEUE, TCP_SEND_QUEUE) || set(fd, libc.TCP_QUEUE_SEQ, initial);
    }
    error ||= set(fd, libc.TCP_TIMESTAMP, wanted);
    return set(fd, libc.TCP_REPAIR, 0) || error;
  }

  return {
    before(fd, n) {
      if (!defers) return setClock(fd, n, ownSequence);
      // Where the option for one socket is missing (before 4.15), the sysctl net.ipv4.tcp_fastopen = 5 says the same for all.
      set(fd, libc.TCP_FASTOPEN_NO_COOKIE, 1);
      return set(fd, libc.TCP_FASTOPEN_CONNECT, 1);
    },
    afterDeferred: (fd, n) => setClock(fd, n, false),
    release: (fd) => (libc.send(fd, value.address, 0, libc.MSG_NOSIGNAL) < 0 ? libc.errno() : 0),
    close: () => void libc.close(reference),
  };
}
