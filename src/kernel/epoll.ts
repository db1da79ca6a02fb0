/**
 * epoll(7) with preallocated events, and waits exact to the microsecond.
 */
import { EINTR, SystemCallError } from './errno.js';
import * as libc from './libc.js';

/** `struct epoll_event` is packed on x86-64 only (include/uapi/linux/eventpoll.h). */
const EVENT_SIZE = process.arch === 'x64' ? 12 : 16;
const DATA_OFFSET = process.arch === 'x64' ? 4 : 8;
const EPOLL_CLOEXEC = 0o2000000;
const POLLIN = 1;

export interface Epoll {
  /** Events that are taken from the kernel at once: after as many there may be more. */
  readonly capacity: number;
  /** Its own, which can be polled. */
  readonly descriptor: number;
  /** Watch a descriptor. Throws SystemCallError. */
  add(fd: number, events: number): void;
  modify(fd: number, events: number): void;
  remove(fd: number): void;
  /**
   * Wait until something is ready or the time is up. Microseconds; 0 only looks.
   * @returns how many events are ready; read them with `fdAt` and `eventsAt`
   */
  wait(micros: number): number;
  fdAt(i: number): number;
  eventsAt(i: number): number;
  close(): void;
}

/** @param capacity events taken from the kernel at once */
export function createEpoll(capacity: number): Epoll {
  const epfd = libc.epollCreate1(EPOLL_CLOEXEC);
  if (epfd < 0) throw new SystemCallError('epoll_create1', libc.errno());
  const ready = libc.nativeBuffer(EVENT_SIZE * capacity);
  const one = libc.nativeBuffer(16);
  const pollfd = libc.nativeBuffer(8);
  const timeout = libc.nativeBuffer(16);
  const timeoutView = new Int32Array(timeout.bytes.buffer);
  pollfd.view.setInt32(0, epfd, true);
  pollfd.view.setInt16(4, POLLIN, true);

  const control = (op: number, fd: number, events: number): void => {
    one.view.setUint32(0, events, true);
    one.view.setInt32(DATA_OFFSET, fd, true);
    if (libc.epollCtl(epfd, op, fd, one.address) < 0) throw new SystemCallError('epoll_ctl', libc.errno(), `fd ${fd}`);
  };
  const take = (): number => {
    const n = libc.epollWait(epfd, ready.address, capacity, 0);
    if (n < 0 && libc.errno() !== EINTR) throw new SystemCallError('epoll_wait', libc.errno());
    return Math.max(n, 0);
  };
  return {
    capacity,
    descriptor: epfd,
    add: (fd, events) => control(libc.EPOLL_CTL_ADD, fd, events),
    modify: (fd, events) => control(libc.EPOLL_CTL_MOD, fd, events),
    remove: (fd) => control(libc.EPOLL_CTL_DEL, fd, 0),
    wait(micros) {
      if (micros < 1) return take();
      // epoll_wait counts in milliseconds and epoll_pwait2 needs kernel 5.11 and a new libc. An epoll descriptor can itself
      // be polled, and ppoll has had nanoseconds since 2.6.16.
      const seconds = Math.floor(micros / 1e6);
      timeoutView[0] = seconds;
      timeoutView[2] = Math.floor((micros - seconds * 1e6) * 1e3);
      const n = libc.ppoll(pollfd.address, 1, timeout.address, 0);
      if (n < 0 && libc.errno() !== EINTR) throw new SystemCallError('ppoll', libc.errno());
      return n > 0 ? take() : 0;
    },
    fdAt: (i) => ready.view.getInt32(i * EVENT_SIZE + DATA_OFFSET, true),
    eventsAt: (i) => ready.view.getUint32(i * EVENT_SIZE, true),
    close: () => void libc.close(epfd),
  };
}
