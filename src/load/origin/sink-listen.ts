/**
 * What every kind of sink needs: its input, listening sockets, and the next connection of one.
 */

import type { Target } from '../../domain/target.js';
import type { Epoll } from '../../kernel/epoll.js';
import { EAGAIN, EMFILE, ENFILE, SystemCallError } from '../../kernel/errno.js';
import {
  accept4,
  bind,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  errno,
  listen,
  nativeBuffer,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
} from '../../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../kernel/sockaddr.js';
import type { LoadPlan } from '../../plan/plan.js';
import type { Certificate } from './certificate.js';

export type SinkPlan = Pick<
  LoadPlan,
  'close' | 'holdMs' | 'exchange' | 'sink' | 'protocol' | 'body' | 'engine' | 'tls'
>;

export interface SinkInput {
  readonly plan: SinkPlan;
  readonly listen: readonly Target[];
  /** Threads that accept, each with a table of descriptors of its own. A sink with TLS has one. */
  readonly threads: number;
  /** RLIMIT_NOFILE, which bounds such a table. */
  readonly descriptorLimit: number;
  /** With TLS: what the origin shows. */
  readonly certificate?: Certificate;
  /** [0]: set to 1 to stop. [1]: connections accepted. [2]: accepts refused for want of descriptors. */
  readonly control: Int32Array;
}

export const SINK_CONTROL = { stop: 0, accepted: 1, refused: 2 } as const;

/** What a thread of a sink is given: the listening sockets, which its table has too. */
export interface SinkThreadInput extends SinkInput {
  readonly listeners: readonly number[];
}

/** More than any accept queue may hold; the kernel lowers it to net.core.somaxconn (listen(2)). */
const BACKLOG = 0x7fffffff;

/** Open the listening sockets. Throws SystemCallError that names the address. @returns their descriptors */
export function listenAll(targets: readonly Target[]): number[] {
  const table = sockaddrTable(targets);
  const one = nativeBuffer(4);
  one.view.setInt32(0, 1, true);
  return targets.map(({ address, port }, i) => {
    const where = `${address} port ${port}`;
    const fd = socket(table.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SystemCallError('socket', errno(), where);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one.address, 4);
    if (bind(fd, sockaddrAt(table, i), table.length) < 0) throw new SystemCallError('bind', errno(), where);
    if (listen(fd, BACKLOG) < 0) throw new SystemCallError('listen', errno(), where);
    return fd;
  });
}

/** Descriptors of a thread's table that are not connections. */
const RESERVE = 128;

/** The listening sockets as one thread watches them: while its table is full, the others accept. */
export interface Door {
  readonly isListener: ReadonlySet<number>;
  /** Whether there is a descriptor for one more connection; to be asked before accepting. */
  hasRoom(): boolean;
  opened(): void;
  closed(): void;
}

/** Begin to watch the listening sockets. Alone, a thread accepts until the kernel refuses, which is then counted. */
export function createDoor(epoll: Epoll, { listeners, threads, descriptorLimit }: SinkThreadInput): Door {
  const room = threads > 1 ? descriptorLimit - RESERVE : Number.POSITIVE_INFINITY;
  const events = threads > 1 ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;
  let open = 0;
  for (const fd of listeners) epoll.add(fd, events);
  return {
    isListener: new Set(listeners),
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
export function acceptOne(listener: number, control: Int32Array): number {
  for (;;) {
    const fd = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Atomics.add(control, SINK_CONTROL.accepted, 1);
      return fd;
    }
    const error = errno();
    if (error === EMFILE || error === ENFILE) {
      Atomics.add(control, SINK_CONTROL.refused, 1);
      // The queue stays ready while no descriptor is free; without a pause this thread would only spin.
      Atomics.wait(control, SINK_CONTROL.stop, 0, 5);
      return -1;
    }
    if (error === EAGAIN) return -1;
    // Anything else is the fault of one connection that is already gone (accept(2)).
  }
}
