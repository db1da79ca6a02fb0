/**
 * The sink: the origin that the load connects to. It accepts and closes as told, with epoll straight through libc, so that it costs
 * less per connection than the client does.
 */
import { createEpoll } from '../../kernel/epoll.js';
import { EAGAIN, EINTR } from '../../kernel/errno.js';
import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  errno,
  MSG_NOSIGNAL,
  nativeBuffer,
  monotonicMicros as now,
  recv,
  send,
  close as sysClose,
} from '../../kernel/libc.js';
import { createFdList } from '../socket/fd-list.js';
import { runHttpSink } from './sink-http.js';
import { acceptOne, createDoor, SINK_CONTROL, type SinkThreadInput } from './sink-listen.js';

const LONGEST_WAIT = 20_000;

/** Serve until stopped. */
export function runSink(input: SinkThreadInput): void {
  const { plan, control } = input;
  const http = plan.protocol === 'get' || plan.engine === 'http';
  if (http) return runHttpSink(input);
  const epoll = createEpoll(1024);
  const door = createDoor(epoll, input);
  const toReceive = new Int32Array(input.descriptorLimit);
  const toSend = new Int32Array(input.descriptorLimit);
  const closeAt = new Float64Array(input.descriptorLimit);
  const held = createFdList(input.descriptorLimit);
  const isHeld = new Uint8Array(input.descriptorLimit);
  const closesFirst = plan.close === 'server';
  const heldFor = plan.holdMs === null ? Number.POSITIVE_INFINITY : plan.holdMs * 1000;
  const scratch = nativeBuffer(Math.max(plan.exchange?.response ?? 0, 65_536));

  function end(fd: number): void {
    if (isHeld[fd] === 1) held.remove(fd);
    isHeld[fd] = 0;
    sysClose(fd);
    door.closed();
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
    while (door.hasRoom()) {
      const fd = acceptOne(listener, control);
      if (fd < 0) return;
      door.opened();
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
      if (door.isListener.has(fd)) acceptAll(fd);
      else serve(fd);
    }
  }
  epoll.close();
}
