/**
 * The origin of a load over UDP: it sends the mark of each datagram back to where it came from, with as many bytes as an answer has, at once or
 * after a while. A datagram that is to wait waits in native memory, so that nothing is allocated for it.
 */
import { MARK_BYTES } from '../../domain/datagram.js';
import { createEpoll } from '../../kernel/epoll.js';
import { EINTR } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { CONTROL, type OriginThreadInput } from './listen.js';
import { createPeerCheck } from './sources.js';

/** No wait is longer than this, so that a stop is seen, µs. */
const LONGEST_WAIT = 20_000;
/** Datagrams that one event takes from a socket before the others have their turn. */
const AT_ONCE = 256;
/** Datagrams that may wait for their answer at once. */
const WAITING = 1 << 17;
/** sizeof(struct sockaddr_in6), and the mark behind it. */
const SOCKADDR = 28;
const ENTRY = SOCKADDR + MARK_BYTES;
const ROOM = 65_536;

/** Answers that are not due yet, the oldest first; all wait equally long. */
interface Delayed {
  readonly size: number;
  /** When the oldest is due, µs; infinite when there is none. */
  readonly due: number;
  /** @returns false when there is no room */
  append(fd: number, due: number): boolean;
  /** Take the oldest: its sender and mark are then where they were received. @returns the descriptor of its socket */
  shift(): number;
}

/** Serve until stopped. */
export function serveDatagrams(input: OriginThreadInput): void {
  const { plan, control, listeners, sources = [] } = input;
  const answerBytes = plan.exchange?.response ?? 0;
  const waits = (plan.answerAfterMs ?? 0) * 1000;
  const epoll = createEpoll(1024);
  for (const fd of listeners) epoll.add(fd, libc.EPOLLIN);
  const datagram = libc.nativeBuffer(ROOM);
  const peer = createPeerCheck(sources);
  const asked = sources.length > 0;
  const delayed = waits > 0 ? createDelayed(peer.bytes, datagram.bytes) : null;

  function receive(fd: number): void {
    let received = 0;
    let answered = 0;
    for (; received < AT_ONCE; received++) {
      peer.reset();
      const bytes = libc.recvfrom(fd, datagram.address, ROOM, 0, peer.sockaddr, peer.length);
      if (bytes < 0) {
        if (libc.errno() === EINTR) continue;
        break;
      }
      if (asked && peer.isWrong()) Atomics.add(control, CONTROL.strays, 1);
      if (answerBytes === 0 || bytes < MARK_BYTES) continue;
      if (delayed === null) answered += answer(fd);
      else if (!delayed.append(fd, libc.monotonicMicros() + waits)) Atomics.add(control, CONTROL.refused, 1);
    }
    count(received, answered);
  }

  /** @returns 1 when it was sent; what finds no room in the buffer of the socket is lost, as it may be on its way */
  function answer(fd: number): number {
    const length = peer.lengthOf();
    return libc.sendto(fd, datagram.address, answerBytes, 0, peer.sockaddr, length) < 0 ? 0 : 1;
  }

  function count(received: number, answered: number): void {
    if (received > 0) Atomics.add(control, CONTROL.accepted, received);
    if (answered > 0) Atomics.add(control, CONTROL.requests, answered);
  }

  while (Atomics.load(control, CONTROL.stop) === 0) {
    let answered = 0;
    while (delayed !== null && delayed.due <= libc.monotonicMicros()) answered += answer(delayed.shift());
    count(0, answered);
    const left = delayed === null ? LONGEST_WAIT : delayed.due - libc.monotonicMicros();
    const ready = epoll.wait(Math.min(left, LONGEST_WAIT));
    for (let i = 0; i < ready; i++) receive(epoll.fdAt(i));
  }
  epoll.close();
}

/** @param sender the sockaddr of the datagram at hand @param mark its first bytes */
function createDelayed(sender: Uint8Array, mark: Uint8Array): Delayed {
  const entries = new Uint8Array(WAITING * ENTRY);
  const dueAt = new Float64Array(WAITING);
  const fds = new Int32Array(WAITING);
  let first = 0;
  const ring = {
    size: 0,
    due: Number.POSITIVE_INFINITY,
    append(fd: number, due: number): boolean {
      if (ring.size === WAITING) return false;
      const place = (first + ring.size) % WAITING;
      copy(sender, 0, entries, place * ENTRY, SOCKADDR);
      copy(mark, 0, entries, place * ENTRY + SOCKADDR, MARK_BYTES);
      fds[place] = fd;
      dueAt[place] = due;
      if (ring.size++ === 0) ring.due = due;
      return true;
    },
    shift(): number {
      const place = first;
      copy(entries, place * ENTRY, sender, 0, SOCKADDR);
      copy(entries, place * ENTRY + SOCKADDR, mark, 0, MARK_BYTES);
      first = (first + 1) % WAITING;
      ring.due = --ring.size === 0 ? Number.POSITIVE_INFINITY : dueAt[first]!;
      return fds[place]!;
    },
  };
  return ring;
}

/** Bytes one by one: a view of a part would be allocated for each datagram. */
function copy(from: Uint8Array, at: number, to: Uint8Array, where: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) to[where + i] = from[at + i]!;
}
