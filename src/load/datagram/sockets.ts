/**
 * The sockets of associations: one each, or one for all of a local address. Both make a socket as the strategy says (../strategy.ts) and
 * say which call failed; neither allocates anything for an attempt.
 */
import type { Phase } from '../../domain/outcome.js';
import { createCallBatch } from '../../kernel/call-batch.js';
import * as libc from '../../kernel/libc.js';
import type { SockaddrTable } from '../../kernel/sockaddr.js';
import type { LoadPlan } from '../../plan/plan.js';
import { createOpening, NO_ROOM, type OpeningDatagram } from '../opening.js';
import type { Picker } from '../picker.js';
import { type Dialer, setOptions } from '../strategy.js';

/** Where the sockets of associations come from. An association is an index below `size`. */
export interface Sockets {
  /**
   * A new association, its socket bound and connected as the picker says. `bindMicros` and `connectMicros` then tell how long the calls took; -1: none
   * was made. `error` is 0, or the errno of the call that `phase` names.
   * @returns its index; NO_SOCKET: socket(2) failed; or NO_ROOM: the tables hold no more
   */
  take(picker: Picker): number;
  readonly error: number;
  /** The descriptor of an association; -1 while it has none. */
  fdOf(association: number): number;
  readonly phase: Phase;
  readonly bindMicros: number;
  readonly connectMicros: number;
  /** When connect() was over, µs; -1: it was not called. */
  readonly readyAt: number;
  /** When its datagram was handed over by take(), µs; -1: it was not. */
  readonly sentAt: number;
  /** Whether the socket of an association has a local port, so that EAGAIN of sendto() is not the want of one. */
  hasPort(association: number): boolean;
  /** Its first datagram was sent. */
  sent(association: number): void;
  /** It is over. */
  release(association: number): void;
  /** Close those that were released, before anything is waited for. */
  settle(): void;
  /** Close what outlives associations. */
  close(): void;
}

interface SocketsInput {
  readonly plan: Pick<LoadPlan, 'peer'>;
  readonly dialer: Dialer;
  /** What a socket of its own sends as soon as it can; null: nothing, or later. */
  readonly datagram: OpeningDatagram | null;
  readonly remotes: SockaddrTable;
  /** Associations that there may be at once: descriptors of the process. */
  readonly size: number;
}

/** No association, since socket(2) failed. */
export const NO_SOCKET = -2;

const TYPE = libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
/** Sockets that are closed by one batch. */
const CLOSED_AT_ONCE = 64;

/** A socket for each association, whose index is its descriptor. */
export function ownSockets({ plan, dialer, datagram, remotes, size }: SocketsInput): Sockets {
  const connects = plan.peer !== 'sendto' && plan.peer !== 'none';
  const opening = createOpening({
    type: TYPE,
    dialer,
    remotes,
    size,
    connects,
    looks: false,
    close: null,
    deferral: null,
    datagram,
  });
  const closing = createCallBatch(CLOSED_AT_ONCE);
  while (closing.size < CLOSED_AT_ONCE) closing.add('close', [0]);
  let toClose = 0;

  const sockets = {
    phase: 'socket' as Phase,
    error: 0,
    bindMicros: -1,
    connectMicros: -1,
    readyAt: -1,
    sentAt: -1,
    take(picker: Picker): number {
      sockets.settle();
      const error = opening.open(picker, 0, false);
      if (error === NO_ROOM) return NO_ROOM;
      sockets.error = error;
      if (error !== 0) sockets.phase = opening.phase;
      const { fd, readyAt } = opening;
      if (fd < 0) return NO_SOCKET;
      sockets.bindMicros = opening.bindMicros;
      sockets.readyAt = readyAt;
      sockets.sentAt = opening.sentAt;
      sockets.connectMicros = readyAt < 0 ? -1 : readyAt - opening.connectAt;
      return fd;
    },
    fdOf: (association: number) => association,
    // It has sent nothing yet, so that its buffer is empty.
    hasPort: () => false,
    sent() {},
    release(fd: number) {
      closing.setArgument(toClose++, 0, fd);
      if (toClose === CLOSED_AT_ONCE) sockets.settle();
    },
    settle() {
      // One that cannot be closed keeps no other open.
      for (let from = 0; from < toClose; from++) from = closing.run(from, toClose);
      toClose = 0;
    },
    close: () => sockets.settle(),
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
    let error = setOptions(fd, dialer.options);
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
    error: 0,
    bindMicros: -1,
    connectMicros: -1,
    readyAt: -1,
    sentAt: -1,
    take({ address, visit }: Picker): number {
      if (left === 0) return NO_ROOM;
      const association = free[--left]!;
      addressOf[association] = address;
      sockets.bindMicros = -1;
      sockets.error = fds[address]! >= 0 ? 0 : make(address, visit);
      return association;
    },
    fdOf: (association: number) => fds[addressOf[association]!]!,
    hasPort: (association: number) => ported[addressOf[association]!] === 1,
    sent(association: number) {
      ported[addressOf[association]!] = 1;
    },
    release(association: number) {
      free[left++] = association;
    },
    settle() {},
    close() {
      for (const [address, fd] of fds.entries()) {
        if (fd >= 0) libc.close(fd);
        fds[address] = -1;
      }
    },
  };
  return sockets;
}
