/**
 * The calls that open a socket, prepared once, so that an attempt changes an address or two and makes them all at once (../kernel/call-batch.ts):
 *
 *     socket, setsockopt …, clock, bind, clock, connect, clock
 *
 * and where a handshake within one machine is looked for, in place of the last two
 *
 *     connect, connect, clock, close
 *
 * Within one machine the handshake is over when connect() returns, but a non-blocking socket says EINPROGRESS all the same (inet_stream_connect()).
 * Asking again is cheaper than an epoll_ctl and an epoll_wait. For UDP the last call sends the datagram, in which the attempt is marked before.
 */
import type { Phase } from '../domain/outcome.js';
import { createCallBatch, FIRST } from '../kernel/call-batch.js';
import { EALREADY, EINPROGRESS, ENOPROTOOPT } from '../kernel/errno.js';
import * as libc from '../kernel/libc.js';
import { type SockaddrTable, sockaddrAt } from '../kernel/sockaddr.js';
import type { Picker } from './picker.js';
import { type Dialer, setOptions } from './strategy.js';

/** A descriptor beyond the tables of the load; the socket is closed again. */
export const NO_ROOM = -1;

/** What is done to a socket whose SYN is held back, beside the calls of all. */
interface Deferral {
  /** After socket(). @returns 0 or an errno, as all here */
  before(fd: number, n: number): number;
  /** After a connect() that sent nothing. */
  afterDeferred(fd: number, n: number): number;
  /** Let the SYN go. @returns EINPROGRESS, or why not */
  release(fd: number): number;
}

export interface Opening {
  /**
   * Open a socket as the picker says.
   * @param n the attempt's number
   * @param looks look for a handshake that is over when connect() returns
   * @returns 0: it is connected, or is not to be; EINPROGRESS; NO_ROOM; or the errno of the call that `phase` names
   */
  open(picker: Picker, n: number, looks: boolean): number;
  /** Of the last that was opened; valid also where a later call than socket() failed. */
  readonly fd: number;
  readonly phase: Phase;
  /** How long bind() took, µs; −1: it was not called, or failed. */
  readonly bindMicros: number;
  /** When connect() began, µs. */
  readonly connectAt: number;
  /** When the last connect() was over, µs; −1: none was made. */
  readonly readyAt: number;
  /** When the datagram was handed over, just before sendto(), µs; −1: none was. */
  readonly sentAt: number;
  /** Whether it was closed again, as a connection that is not held is at once. */
  readonly closed: boolean;
}

interface OpeningInput {
  /** SOCK_STREAM or SOCK_DGRAM. */
  readonly type: number;
  readonly dialer: Dialer;
  readonly remotes: SockaddrTable;
  /** One more than the highest descriptor that there may be. */
  readonly size: number;
  /** Whether connect() is called. */
  readonly connects: boolean;
  /** Whether handshakes within one machine are ever looked for. */
  readonly looks: boolean;
  /** How a connection is closed whose handshake was found to be over; null: not here. */
  readonly close: 'client' | 'reset' | null;
  readonly deferral: Deferral | null;
  /** What is sent at the end; null: nothing. */
  readonly datagram: OpeningDatagram | null;
}

/** A datagram in memory, of which a socket that is not connected says where it goes. */
export interface OpeningDatagram {
  readonly memory: libc.NativeBuffer;
  readonly bytes: number;
}

/** Prepare the calls of a strategy. */
export function createOpening(input: OpeningInput): Opening {
  const { dialer, remotes, size, connects, deferral, close, datagram } = input;
  const looks = connects && input.looks;
  const phases: Phase[] = [];
  const batch = createCallBatch(dialer.options.length + 10);
  const of = (phase: Phase, entry: number): number => {
    phases[entry] = phase;
    return entry;
  };

  of('socket', batch.add('socket', [remotes.family, input.type, 0], { most: size - 1 }));
  for (const { level, name, value, optional } of dialer.options)
    of('setsockopt', batch.add('setsockopt', [FIRST, level, name, value, 4], { also: optional ? ENOPROTOOPT : 0 }));
  const before = batch.addClock();
  const bind = dialer.binds ? of('bind', batch.add('bind', [FIRST, 0, dialer.addressLength])) : -1;
  const bound = dialer.binds ? batch.addClock() : before;
  const connect = connects
    ? of('connect', batch.add('connect', [FIRST, 0, remotes.length], { also: EINPROGRESS }))
    : -1;
  const connected = batch.size;
  const again = looks ? of('connect', batch.add('connect', [FIRST, 0, remotes.length])) : -1;
  const ready = connects ? batch.addClock() : -1;
  const linger = libc.nativeBuffer(8);
  linger.view.setInt32(0, 1, true);
  if (looks && close === 'reset')
    of('setsockopt', batch.add('setsockopt', [FIRST, libc.SOL_SOCKET, libc.SO_LINGER, linger, 8]));
  if (looks && close !== null) batch.add('close', [FIRST]);
  const named = datagram !== null && !connects;
  const send =
    datagram === null
      ? -1
      : of('sendto', batch.add('sendto', [FIRST, datagram.memory, datagram.bytes, 0, 0, named ? remotes.length : 0]));
  const end = batch.size;

  const opening = {
    fd: -1,
    phase: 'socket' as Phase,
    bindMicros: -1,
    connectAt: 0,
    readyAt: -1,
    sentAt: -1,
    closed: false,
    open(picker: Picker, n: number, looksNow: boolean): number {
      if (bind >= 0) batch.setArgument(bind, 1, dialer.bindAddress(picker.address, picker.visit));
      if (connect >= 0) {
        const remote = sockaddrAt(remotes, picker.destination);
        batch.setArgument(connect, 1, remote);
        if (again >= 0) batch.setArgument(again, 1, remote);
      }
      if (named) batch.setArgument(send, 4, sockaddrAt(remotes, picker.destination));
      opening.closed = false;
      opening.bindMicros = -1;
      opening.readyAt = -1;
      opening.sentAt = -1;
      const to = looks && !looksNow ? connected : end;
      if (deferral !== null) return openDeferred(deferral, n, to);
      return outcome(batch.run(0, to), to);
    },
  };

  /** What came of the calls up to `to`, of which `ended` was the last, or all were made. */
  function outcome(ended: number, to: number): number {
    opening.fd = batch.result(0);
    if (ended > bound && bind >= 0) opening.bindMicros = batch.micros(bound) - batch.micros(before);
    opening.connectAt = batch.micros(bound);
    if (connects && ended > ready) opening.readyAt = batch.micros(ready);
    if (send >= 0 && ended >= send) opening.sentAt = connects ? opening.readyAt : opening.connectAt;
    // What close(2) returns changes nothing.
    if (ended < to && phases[ended] !== undefined) return failure(ended);
    if (!connects) return 0;
    // Looked for, it is over.
    if (to === end && looks) {
      opening.closed = close !== null;
      return 0;
    }
    return -batch.result(connect);
  }

  function failure(ended: number): number {
    opening.phase = phases[ended]!;
    if (ended === 0 && opening.fd >= 0) {
      libc.close(opening.fd);
      return NO_ROOM;
    }
    const error = -batch.result(ended);
    return ended === again && error === EALREADY ? EINPROGRESS : error;
  }

  function openDeferred({ before: first, afterDeferred, release }: Deferral, n: number, to: number): number {
    const ended = batch.run(0, 1);
    if (ended < 1) return outcome(ended, to);
    const fd = batch.result(0);
    opening.fd = fd;
    opening.phase = 'setsockopt';
    let error = first(fd, n);
    if (error !== 0) return error;
    error = outcome(batch.run(1, connected), connected);
    if (error !== 0 && error !== EINPROGRESS) return error;
    if (error === 0) {
      opening.phase = 'setsockopt';
      error = afterDeferred(fd, n) || setOptions(fd, dialer.options);
      if (error !== 0) return error;
      opening.phase = 'connect';
      error = release(fd);
    }
    if (error === EINPROGRESS && looks && to === end) return outcome(batch.run(connected, to), to);
    opening.readyAt = libc.monotonicMicros();
    return error;
  }

  return opening;
}
