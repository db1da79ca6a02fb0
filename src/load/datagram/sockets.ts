/**
 * The sockets of associations: one each, or one for all of a local address. Both make a socket as the strategy says (../strategy.ts) and
 * say which call failed; neither allocates anything for an attempt.
 */
import type { Phase } from '../../domain/outcome.js';
import * as libc from '../../kernel/libc.js';
import { type SockaddrTable, sockaddrAt } from '../../kernel/sockaddr.js';
import type { LoadPlan } from '../../plan/plan.js';
import type { Picker } from '../picker.js';
import type { Dialer } from '../strategy.js';

/** Where the sockets of associations come from. An association is an index below `size`. */
export interface Sockets {
  /** A new association. @returns its index; NO_SOCKET with an errno, or NO_ROOM: the tables hold no more */
  take(): number;
  /** The descriptor of an association; -1 while it has none. */
  fdOf(association: number): number;
  /**
   * Bind and connect its socket as the picker says. `bindMicros` and `connectMicros` then tell how long the calls took; -1: none was made.
   * @returns 0, or the errno of the call that `phase` names
   */
  open(association: number, picker: Picker): number;
  readonly phase: Phase;
  readonly bindMicros: number;
  readonly connectMicros: number;
  /** When connect() was over, µs; -1: it was not called. */
  readonly readyAt: number;
  /** Whether the socket of an association has a local port, so that EAGAIN of sendto() is not the want of one. */
  hasPort(association: number): boolean;
  /** Its first datagram was sent. */
  sent(association: number): void;
  /** It is over. */
  release(association: number): void;
  /** Close what outlives associations. */
  close(): void;
}

interface SocketsInput {
  readonly plan: Pick<LoadPlan, 'peer'>;
  readonly dialer: Dialer;
  readonly remotes: SockaddrTable;
  /** Associations that there may be at once: descriptors of the process. */
  readonly size: number;
}

/** What socket(2) returns when it fails. */
export const NO_SOCKET = -1;
export const NO_ROOM = -2;

const TYPE = libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;

/** A socket for each association, whose index is its descriptor. */
export function ownSockets({ plan, dialer, remotes, size }: SocketsInput): Sockets {
  const connects = plan.peer !== 'sendto' && plan.peer !== 'none';
  const sockets = {
    phase: 'socket' as Phase,
    bindMicros: -1,
    connectMicros: -1,
    readyAt: -1,
    take() {
      const fd = libc.socket(remotes.family, TYPE, 0);
      if (fd < size) return fd;
      libc.close(fd);
      return NO_ROOM;
    },
    fdOf: (association: number) => association,
    open(fd: number, picker: Picker): number {
      sockets.bindMicros = -1;
      sockets.connectMicros = -1;
      sockets.readyAt = -1;
      sockets.phase = 'setsockopt';
      const optionError = dialer.setOptions(fd);
      if (optionError !== 0) return optionError;
      let at = libc.monotonicMicros();
      const local = dialer.bindAddress(picker.address, picker.visit);
      if (local !== 0) {
        sockets.phase = 'bind';
        if (libc.bind(fd, local, dialer.addressLength) < 0) return libc.errno();
        const bound = libc.monotonicMicros();
        sockets.bindMicros = bound - at;
        at = bound;
      }
      if (!connects) return 0;
      sockets.phase = 'connect';
      if (libc.connect(fd, sockaddrAt(remotes, picker.destination), remotes.length) < 0) return libc.errno();
      sockets.readyAt = libc.monotonicMicros();
      sockets.connectMicros = sockets.readyAt - at;
      return 0;
    },
    // It has sent nothing yet, so that its buffer is empty.
    hasPort: () => false,
    sent() {},
    release: (fd: number) => void libc.close(fd),
    close() {},
  };
  return sockets;
}

/** One socket for all associations of a local address, made by the first of them. @param addresses how many there are */
export function sharedSockets({ dialer, remotes, size }: SocketsInput, addresses: number): Sockets {
  const fds = new Int32Array(addresses).fill(-1);
  const ported = new Uint8Array(addresses);
  const addressOf = new Int32Array(size);
  // A stack of indexes that are free.
  const free = Int32Array.from({ length: size }, (_, i) => size - 1 - i);
  let left = size;

  /** @returns 0 or the errno of the call that `sockets.phase` names */
  function make(address: number, visit: number): number {
    sockets.phase = 'socket';
    const fd = libc.socket(remotes.family, TYPE, 0);
    if (fd < 0) return libc.errno();
    const local = dialer.bindAddress(address, visit);
    sockets.phase = 'setsockopt';
    let error = dialer.setOptions(fd);
    if (error === 0 && local !== 0) {
      const at = libc.monotonicMicros();
      sockets.phase = 'bind';
      error = libc.bind(fd, local, dialer.addressLength) < 0 ? libc.errno() : 0;
      sockets.bindMicros = libc.monotonicMicros() - at;
    }
    if (error !== 0) libc.close(fd);
    else {
      fds[address] = fd;
      ported[address] = 0;
    }
    return error;
  }

  const sockets = {
    phase: 'socket' as Phase,
    bindMicros: -1,
    connectMicros: -1,
    readyAt: -1,
    take: () => (left === 0 ? NO_ROOM : free[--left]!),
    fdOf: (association: number) => fds[addressOf[association]!]!,
    open(association: number, { address, visit }: Picker): number {
      addressOf[association] = address;
      sockets.bindMicros = -1;
      return fds[address]! >= 0 ? 0 : make(address, visit);
    },
    hasPort: (association: number) => ported[addressOf[association]!] === 1,
    sent(association: number) {
      ported[addressOf[association]!] = 1;
    },
    release(association: number) {
      free[left++] = association;
    },
    close() {
      for (const [address, fd] of fds.entries()) {
        if (fd >= 0) libc.close(fd);
        fds[address] = -1;
      }
    },
  };
  return sockets;
}
