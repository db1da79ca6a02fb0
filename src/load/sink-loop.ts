/**
 * The sink: the origin that the load connects to. It accepts and closes as told, on one thread, with epoll straight through
 * libc, so that it costs less per connection than the client does. In the listen-only form nobody accepts: the kernel completes
 * the handshakes and keeps the connections in the accept queue, which needs no descriptors.
 */
import { createEpoll } from '../kernel/epoll.js';
import { EAGAIN, EINTR, EMFILE, ENFILE, SystemCallError } from '../kernel/errno.js';
import {
  accept4,
  bind,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  errno,
  listen,
  MSG_NOSIGNAL,
  nativeBuffer,
  monotonicMicros as now,
  recv,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  send,
  setsockopt,
  socket,
  close as sysClose,
} from '../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../kernel/sockaddr.js';
import type { LoadPlan, Target } from '../profile/plan.js';
import { createFdList } from './fd-list.js';

export type SinkPlan = Pick<LoadPlan, 'close' | 'holdMs' | 'exchange' | 'sink'>;

export interface SinkInput {
  readonly plan: SinkPlan;
  readonly listen: readonly Target[];
  readonly descriptorLimit: number;
  /** [0]: set to 1 to stop. [1]: connections accepted. [2]: accepts refused for want of descriptors. */
  readonly control: Int32Array;
}

export const SINK_CONTROL = { stop: 0, accepted: 1, refused: 2 } as const;

const LONGEST_WAIT = 20_000;
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

/** Serve until stopped. `onListening` is called once every address listens. */
export function runSink(input: SinkInput, onListening: () => void): void {
  const { plan, control } = input;
  const listeners = listenAll(input.listen);
  onListening();
  if (plan.sink === 'listen-only') {
    Atomics.wait(control, SINK_CONTROL.stop, 0);
    for (const fd of listeners) sysClose(fd);
    return;
  }
  const epoll = createEpoll(1024);
  const isListener = new Set(listeners);
  for (const fd of listeners) epoll.add(fd, EPOLLIN);
  const toReceive = new Int32Array(input.descriptorLimit);
  const toSend = new Int32Array(input.descriptorLimit);
  const closeAt = new Float64Array(input.descriptorLimit);
  const held = createFdList(input.descriptorLimit);
  const isHeld = new Uint8Array(input.descriptorLimit);
  const closesFirst = plan.close === 'server';
  const heldFor = plan.holdMs === null ? Number.POSITIVE_INFINITY : plan.holdMs * 1000;
  const scratch = nativeBuffer(Math.max(plan.exchange?.response ?? 0, 65_536));
  const type = SOCK_NONBLOCK | SOCK_CLOEXEC;

  function end(fd: number): void {
    if (isHeld[fd] === 1) held.remove(fd);
    isHeld[fd] = 0;
    sysClose(fd);
  }

  /** The connection's own work is done; now it waits for whoever closes. @returns false when it was closed */
  function finish(fd: number): boolean {
    if (!closesFirst) return true;
    if (heldFor === 0) {
      end(fd);
      return false;
    }
    isHeld[fd] = 1;
    closeAt[fd] = now() + heldFor;
    held.append(fd);
    return true;
  }

  /** Read, answer, see the end. @returns false when the connection was closed */
  function serve(fd: number): boolean {
    for (;;) {
      if (toReceive[fd]! <= 0 && toSend[fd]! > 0) {
        const n = send(fd, scratch.address, toSend[fd]!, MSG_NOSIGNAL);
        if (n < 0) {
          const error = errno();
          if (error === EINTR) continue;
          if (error === EAGAIN) return true;
          end(fd);
          return false;
        }
        toSend[fd]! -= n;
        if (toSend[fd]! > 0) continue;
        if (!finish(fd)) return false;
      }
      const n = recv(fd, scratch.address, 65_536, 0);
      if (n > 0) {
        toReceive[fd]! -= n;
        continue;
      }
      const error = n < 0 ? errno() : 0;
      if (error === EINTR) continue;
      if (error === EAGAIN) return true;
      end(fd);
      return false;
    }
  }

  function acceptAll(listener: number): void {
    for (;;) {
      const fd = accept4(listener, 0, 0, type);
      if (fd < 0) {
        const error = errno();
        if (error === EMFILE || error === ENFILE) {
          control[SINK_CONTROL.refused]!++;
          // The queue stays ready while no descriptor is free; without a pause this thread would only spin.
          Atomics.wait(control, SINK_CONTROL.stop, 0, 5);
          return;
        }
        if (error === EAGAIN) return;
        // Anything else is the fault of one connection that is already gone (accept(2)).
        continue;
      }
      control[SINK_CONTROL.accepted]!++;
      toReceive[fd] = plan.exchange?.request ?? 0;
      toSend[fd] = plan.exchange?.response ?? 0;
      if (plan.exchange === null && !finish(fd)) continue;
      // The client of a churn load has often closed by now: then the connection never enters epoll.
      if (!serve(fd)) continue;
      epoll.add(fd, (EPOLLIN | EPOLLRDHUP | EPOLLET | (plan.exchange ? EPOLLOUT : 0)) >>> 0);
    }
  }

  while (Atomics.load(control, SINK_CONTROL.stop) === 0) {
    while (held.head >= 0 && closeAt[held.head]! <= now()) end(held.head);
    const expiry = held.head >= 0 ? closeAt[held.head]! - now() : LONGEST_WAIT;
    const ready = epoll.wait(Math.min(expiry, LONGEST_WAIT));
    for (let i = 0; i < ready; i++) {
      const fd = epoll.fdAt(i);
      if (isListener.has(fd)) acceptAll(fd);
      else serve(fd);
    }
  }
  for (const fd of listeners) sysClose(fd);
  epoll.close();
}
