/**
 * What the origin needs whatever it answers: its input, listening sockets, and the loop that accepts connections and follows them.
 */

import type { Transport } from '../../domain/protocol.js';
import type { Target } from '../../domain/target.js';
import { createEpoll, type Epoll } from '../../kernel/epoll.js';
import { EAGAIN, EMFILE, ENFILE, SystemCallError } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../kernel/sockaddr.js';
import type { LoadPlan } from '../../plan/plan.js';
import type { OriginSeen } from '../../results/figures.js';
import { createFdList, longer } from '../socket/fd-list.js';
import type { Certificate } from './certificate.js';
import { createPeerCheck, type PeerCheck } from './sources.js';

/** What of a load its origin must know. */
export type OriginPlan = Pick<
  LoadPlan,
  'close' | 'holdMs' | 'exchange' | 'sink' | 'protocol' | 'body' | 'engine' | 'tls' | 'answerAfterMs'
>;

export interface OriginInput {
  readonly plan: OriginPlan;
  readonly listen: readonly Target[];
  /** Threads that accept, each with a table of descriptors of its own. With TLS there is one. */
  readonly threads: number;
  /** RLIMIT_NOFILE, which bounds such a table. */
  readonly descriptorLimit: number;
  /** With TLS: what the origin shows. */
  readonly certificate?: Certificate;
  /** Where connections are expected from: others are counted apart. Absent: nobody asks. */
  readonly sources?: readonly string[];
  /** Shared memory that several origins count in, and by which all are stopped; absent: one of its own. */
  readonly control?: Int32Array;
}

/** What a thread of the origin is given. */
export interface OriginThreadInput extends OriginInput {
  /** The listening sockets, which its table has too. */
  readonly listeners: readonly number[];
  /** Shared memory: one slot each of CONTROL. */
  readonly control: Int32Array;
}

/** Slots of `control`. */
export const CONTROL = {
  /** Set to 1 to stop. */
  stop: 0,
  /** Connections accepted, or datagrams received. */
  accepted: 1,
  /** Accepts refused for want of descriptors, or datagrams for want of room to wait in. */
  refused: 2,
  /** Requests, or exchanges of bytes, that were answered. */
  requests: 3,
  /** Connections that had one. */
  used: 4,
  /** Connections of which the client's FIN came first, the origin's, or the client's RST. */
  client: 5,
  server: 6,
  reset: 7,
  /** Connections from an address that was not expected. */
  strays: 8,
} as const;
/** Who ended a connection. */
export type Ender = 'client' | 'server' | 'reset';

/** Nothing counted yet. */
export function newControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * Object.keys(CONTROL).length));
}

/** What an origin has counted so far. @param asked whether connections from addresses that were not expected are counted */
export function countsOf(control: Int32Array, asked = false): OriginCounts {
  const { accepted, refused, requests, used, client, server, reset } = CONTROL;
  const [all, c, s, r] = [accepted, client, server, reset].map((slot) => control[slot]!);
  return {
    accepted: all!,
    refused: control[refused]!,
    seen: {
      requests: control[requests]!,
      used: control[used]!,
      closedFirst: { client: c!, server: s!, reset: r!, open: Math.max(0, all! - c! - s! - r!) },
      ...(asked ? { wrongSource: control[CONTROL.strays]! } : {}),
    },
  };
}

interface OriginCounts {
  /** Connections accepted so far, and accepts refused for want of descriptors. */
  readonly accepted: number;
  readonly refused: number;
  readonly seen: OriginSeen;
}

/** More than any accept queue may hold; the kernel lowers it to net.core.somaxconn (listen(2)). */
export const BACKLOG = 0x7fffffff;
/** Descriptors of a thread's table that are not connections. */
const RESERVE = 128;
/** No wait is longer than this, so that a stop is seen, µs. */
const LONGEST_WAIT = 20_000;

/** What a socket can hold of datagrams that nobody has read yet, bytes; the kernel lowers it to net.core.rmem_max. */
const RECEIVE_BUFFER = 8 << 20;

/**
 * Open the listening sockets, or of UDP those that are bound. Throws SystemCallError that names the address.
 * @returns their descriptors
 */
export function listenAll(targets: readonly Target[], transport: Transport = 'tcp'): number[] {
  const udp = transport === 'udp';
  const type = (udp ? libc.SOCK_DGRAM : libc.SOCK_STREAM) | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
  const table = sockaddrTable(targets);
  const one = libc.nativeBuffer(4);
  one.view.setInt32(0, 1, true);
  const size = libc.nativeBuffer(4);
  size.view.setInt32(0, RECEIVE_BUFFER, true);
  return targets.map(({ address, port }, i) => {
    const where = `${address} port ${port}`;
    const fd = libc.socket(table.family, type, 0);
    if (fd < 0) throw new SystemCallError('socket', libc.errno(), where);
    // Of UDP it would let two have one port.
    if (udp) libc.setsockopt(fd, libc.SOL_SOCKET, libc.SO_RCVBUF, size.address, 4);
    else libc.setsockopt(fd, libc.SOL_SOCKET, libc.SO_REUSEADDR, one.address, 4);
    if (libc.bind(fd, sockaddrAt(table, i), table.length) < 0) throw new SystemCallError('bind', libc.errno(), where);
    if (!udp && libc.listen(fd, BACKLOG) < 0) throw new SystemCallError('listen', libc.errno(), where);
    return fd;
  });
}

/** The connections of one thread, by descriptor. */
export interface Connections {
  close(fd: number, ender: Ender): void;
  /** A request, or an exchange, of this connection was answered. */
  answered(fd: number): void;
  /** Call `due` for this connection after the delay. It may wait once at a time. */
  postpone(fd: number): void;
  isPostponed(fd: number): boolean;
}

/** What is done with connections. */
export interface Service {
  /** What epoll watches them for. */
  readonly events: number;
  /** How long a postponed one waits, µs. */
  readonly delay: number;
  /** A new one. @returns false when it was closed */
  begin(fd: number): boolean;
  /** Something came, or there is room to send. */
  proceed(fd: number): void;
  /** A postponed one has waited long enough. */
  due(fd: number): void;
  /** Tables by descriptor take those below a higher number too, from FIRST_ROOM on. */
  grow(descriptors: number): void;
}

/** How long tables by descriptor are at first: a limit may be a million, and what is never used need not be there. */
export const FIRST_ROOM = 4096;

/** Accept connections and follow them until stopped. */
export function serveConnections(input: OriginThreadInput, create: (connections: Connections) => Service): void {
  const { control } = input;
  const epoll = createEpoll(1024);
  const door = createDoor(epoll, input);
  const waiting = createFdList(FIRST_ROOM);
  let isWaiting = new Uint8Array(FIRST_ROOM);
  let dueAt = new Float64Array(FIRST_ROOM);
  let isUsed = new Uint8Array(FIRST_ROOM);
  const peers = input.sources && createPeerCheck(input.sources);

  function unpostpone(fd: number): void {
    waiting.remove(fd);
    isWaiting[fd] = 0;
  }

  const { events, delay, begin, proceed, due, grow } = create({
    close(fd, ender) {
      if (isWaiting[fd] === 1) unpostpone(fd);
      isUsed[fd] = 0;
      Atomics.add(control, CONTROL[ender], 1);
      libc.close(fd);
      door.closed();
    },
    answered(fd) {
      Atomics.add(control, CONTROL.requests, 1);
      if (isUsed[fd] === 0) Atomics.add(control, CONTROL.used, 1);
      isUsed[fd] = 1;
    },
    postpone(fd) {
      isWaiting[fd] = 1;
      dueAt[fd] = libc.monotonicMicros() + delay;
      waiting.append(fd);
    },
    isPostponed: (fd) => isWaiting[fd] === 1,
  });

  function makeRoomFor(fd: number): void {
    const room = 2 * Math.max(isUsed.length, fd);
    isWaiting = longer(isWaiting, room);
    dueAt = longer(dueAt, room);
    isUsed = longer(isUsed, room);
    waiting.grow(room);
    grow(room);
  }

  function acceptAll(listener: number): void {
    while (door.hasRoom()) {
      const fd = acceptOne(listener, control, peers);
      if (fd < 0) return;
      door.opened();
      if (fd >= isUsed.length) makeRoomFor(fd);
      // The client of a churn load has often closed by now: then the connection never enters epoll.
      if (begin(fd)) epoll.add(fd, events);
    }
  }

  while (Atomics.load(control, CONTROL.stop) === 0) {
    while (waiting.head >= 0 && dueAt[waiting.head]! <= libc.monotonicMicros()) {
      const fd = waiting.head;
      unpostpone(fd);
      due(fd);
    }
    const expiry = waiting.head >= 0 ? dueAt[waiting.head]! - libc.monotonicMicros() : LONGEST_WAIT;
    const ready = epoll.wait(Math.min(expiry, LONGEST_WAIT));
    for (let i = 0; i < ready; i++) {
      const fd = epoll.fdAt(i);
      if (door.isListener.has(fd)) acceptAll(fd);
      else proceed(fd);
    }
  }
  epoll.close();
}

/**
 * Watch the listening sockets: while the table of this thread is full, the others accept. Alone, it accepts until the kernel refuses,
 * which is then counted.
 */
function createDoor(epoll: Epoll, { listeners, threads, descriptorLimit }: OriginThreadInput) {
  const room = threads > 1 ? descriptorLimit - RESERVE : Number.POSITIVE_INFINITY;
  const events = threads > 1 ? libc.EPOLLIN | libc.EPOLLEXCLUSIVE : libc.EPOLLIN;
  let open = 0;
  for (const fd of listeners) epoll.add(fd, events);
  return {
    isListener: new Set(listeners),
    /** Whether there is a descriptor for one more connection; to be asked before accepting. */
    hasRoom: () => open < room,
    opened() {
      if (++open === room) for (const fd of listeners) epoll.remove(fd);
    },
    closed() {
      if (open-- === room) for (const fd of listeners) epoll.add(fd, events);
    },
  };
}

/** Take the next connection of a listener. @returns its descriptor, or -1 when there is none, or no descriptor for it */
function acceptOne(listener: number, control: Int32Array, peers: PeerCheck | undefined): number {
  for (;;) {
    peers?.reset();
    const fd = libc.accept4(listener, peers?.sockaddr ?? 0, peers?.length ?? 0, libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC);
    if (fd >= 0) {
      Atomics.add(control, CONTROL.accepted, 1);
      if (peers?.isWrong()) Atomics.add(control, CONTROL.strays, 1);
      return fd;
    }
    const error = libc.errno();
    if (error === EMFILE || error === ENFILE) {
      Atomics.add(control, CONTROL.refused, 1);
      // The queue stays ready while no descriptor is free; without a pause this thread would only spin.
      Atomics.wait(control, CONTROL.stop, 0, 5);
      return -1;
    }
    if (error === EAGAIN) return -1;
    // Anything else is the fault of one connection that is already gone (accept(2)).
  }
}
