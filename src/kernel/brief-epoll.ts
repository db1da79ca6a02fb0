/**
 * An epoll(7) for descriptors that live for one answer. To be watched costs such a descriptor an epoll_ctl(2), an event and, when it is closed, its way
 * out of the epoll's tree. The answer is mostly there before the next wait is over; so the wait itself looks at it, by ppoll(2), which looks
 * at the epoll by the same call. What has no answer after some waits is left to the epoll, so that many that wait long cost a wait nothing.
 */
import { createEpoll, type Epoll } from './epoll.js';
import { EINTR, SystemCallError } from './errno.js';
import * as libc from './libc.js';

/**
 * Waits that look at a descriptor, after which looking has cost as much as the epoll would have: 0.1 µs a look, an epoll_ctl and what follows from it 1
 * to 2 µs. So nobody pays more than twice the cheaper way, whenever the answer comes.
 */
const LOOKS = 16;
/** Descriptors that one wait looks at; further ones are the epoll's. */
const ROOM = 256;
/** Looks after which it is asked whether they were worth it: an answer in LOOKS. Otherwise so many descriptors are left to the epoll at once. */
const WINDOW = 4096;
const PAUSE = 4096;

export interface BriefEpoll extends Epoll {
  /** Watch a descriptor that will be closed soon. Throws SystemCallError. */
  addBriefly(fd: number, events: number): void;
  /** Before such a descriptor is closed. */
  forget(fd: number): void;
}

/** @param capacity events taken from the epoll at once @param descriptors one more than the highest of those that are watched briefly */
export function createBriefEpoll(capacity: number, descriptors: number): BriefEpoll {
  const epoll = createEpoll(capacity);
  // `struct pollfd`, the first of the epoll: a descriptor, the events asked for (low) and those that came (high).
  const memory = libc.nativeBuffer(8 * (ROOM + 1));
  const polled = new Int32Array(memory.bytes.buffer);
  const looks = new Uint8Array(ROOM + 1);
  /** Where a descriptor is in that array; 0: it is not. */
  const placeOf = new Uint16Array(descriptors);
  const timeout = libc.nativeBuffer(16);
  const timeoutInts = new Int32Array(timeout.bytes.buffer);
  const readyFds = new Int32Array(ROOM);
  const readyEvents = new Int32Array(ROOM);
  let last = 0;
  let ready = 0;
  /** Of this window. */
  let looked = 0;
  let answered = 0;
  let pause = 0;
  polled[0] = epoll.descriptor;
  polled[1] = libc.EPOLLIN;

  function forget(fd: number): void {
    const place = placeOf[fd]!;
    if (place === 0) return;
    placeOf[fd] = 0;
    if (place !== last) {
      const moved = polled[2 * last]!;
      polled[2 * place] = moved;
      polled[2 * place + 1] = polled[2 * last + 1]!;
      looks[place] = looks[last]!;
      placeOf[moved] = place;
    }
    last--;
  }

  /** From the end on, so that what takes the place of one that leaves has had its turn. */
  function sort(): void {
    looked += last;
    for (let place = last; place > 0; place--) {
      const fd = polled[2 * place]!;
      const word = polled[2 * place + 1]!;
      const came = word >>> 16;
      if (came !== 0) {
        readyFds[ready] = fd;
        readyEvents[ready++] = came;
        answered++;
      }
      if (++looks[place]! < LOOKS) continue;
      forget(fd);
      epoll.add(fd, word & 0xffff);
    }
    if (looked < WINDOW) return;
    if (answered * LOOKS < looked) pause = PAUSE;
    looked = 0;
    answered = 0;
  }

  return {
    ...epoll,
    addBriefly(fd, events) {
      if (pause > 0 || last === ROOM) {
        if (pause > 0) pause--;
        return epoll.add(fd, events);
      }
      last++;
      polled[2 * last] = fd;
      polled[2 * last + 1] = events;
      looks[last] = 0;
      placeOf[fd] = last;
    },
    forget,
    wait(micros) {
      ready = 0;
      if (last === 0) return epoll.wait(micros);
      const rest = Math.max(micros, 0);
      const seconds = Math.floor(rest / 1e6);
      timeoutInts[0] = seconds;
      timeoutInts[2] = Math.floor((rest - seconds * 1e6) * 1e3);
      const n = libc.ppoll(memory.address, last + 1, timeout.address, 0);
      if (n < 0) {
        if (libc.errno() !== EINTR) throw new SystemCallError('ppoll', libc.errno());
        return 0;
      }
      const others = polled[1]! >>> 16 !== 0;
      sort();
      return others ? ready + epoll.wait(0) : ready;
    },
    fdAt: (i) => (i < ready ? readyFds[i]! : epoll.fdAt(i - ready)),
    eventsAt: (i) => (i < ready ? readyEvents[i]! : epoll.eventsAt(i - ready)),
  };
}
