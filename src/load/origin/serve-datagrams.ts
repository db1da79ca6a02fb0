/**
 * The origin of a load over UDP: it sends the mark of each datagram back to where it came from, with as many bytes as an answer has, or the answer
 * to a query of DNS; at once or after a while. Several are received, and answered, by one call. What is to wait waits in memory that is there,
 * so that nothing is allocated for it.
 */
import { MARK_BYTES } from '../../domain/datagram.js';
import { createEpoll } from '../../kernel/epoll.js';
import { EINTR } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { createMessages, type Messages } from '../../kernel/messages.js';
import { answerInPlace, MOST_QUESTION_BYTES } from '../datagram/queries.js';
import { CONTROL, type OriginPlan, type OriginThreadInput } from './listen.js';
import { createPeerCheck } from './sources.js';

/** No wait is longer than this, so that a stop is seen, µs. */
const LONGEST_WAIT = 20_000;
/** Datagrams that one event takes from a socket before the others have their turn. */
const AT_ONCE = 256;
/** Datagrams of one call. */
const BATCH = 32;
/** Datagrams that may wait for their answer at once. */
const WAITING = 1 << 17;
/** sizeof(struct sockaddr_in6). */
const SOCKADDR = 28;
const ROOM = 65_536;

/** What datagrams are answered with. */
interface Responder {
  /** Of a datagram, the first bytes that its answer is made from: those of one that waits are kept. */
  readonly needs: number;
  /** Make of the i-th datagram, of so many bytes, its answer in the same place. @returns its length; 0: there is none */
  answer(i: number, bytes: number): number;
}

function createResponder({ protocol, exchange }: OriginPlan, messages: Messages): Responder {
  if (protocol === 'dns')
    return {
      needs: MOST_QUESTION_BYTES,
      answer: (i, bytes) => answerInPlace(messages.memory, i * messages.room, bytes),
    };
  const length = exchange?.response ?? 0;
  return { needs: MARK_BYTES, answer: (_, bytes) => (bytes < MARK_BYTES ? 0 : length) };
}

/** Answers that are not due yet, the oldest first; all wait equally long. */
interface Delayed {
  readonly size: number;
  /** When the oldest is due, µs; infinite when there is none. */
  readonly due: number;
  /** The socket that the oldest came to. */
  readonly fd: number;
  /** Keep the i-th datagram. @returns false when there is no room */
  append(fd: number, due: number, i: number, bytes: number): boolean;
  /** Take the oldest: its sender and its first bytes are then those of the i-th datagram. @returns how many bytes there are */
  shift(i: number): number;
}

/** Serve until stopped. */
export function serveDatagrams(input: OriginThreadInput): void {
  const { plan, control, listeners, sources = [] } = input;
  const waits = (plan.answerAfterMs ?? 0) * 1000;
  const epoll = createEpoll(1024);
  for (const fd of listeners) epoll.add(fd, libc.EPOLLIN);
  const messages = createMessages(BATCH, ROOM, SOCKADDR);
  messages.keepPeers();
  const responder = createResponder(plan, messages);
  const peer = createPeerCheck(sources);
  const asked = sources.length > 0;
  const delayed = waits > 0 ? createDelayed(messages, responder.needs) : null;

  function receive(fd: number): void {
    let received = 0;
    let answered = 0;
    while (received < AT_ONCE) {
      for (let i = 0; i < BATCH; i++) messages.setLengths(i, ROOM, SOCKADDR);
      const n = libc.recvmmsg(fd, messages.header(0), BATCH, 0, 0);
      if (n < 0) {
        if (libc.errno() === EINTR) continue;
        break;
      }
      received += n;
      if (asked) for (let i = 0; i < n; i++) if (isStray(i)) Atomics.add(control, CONTROL.strays, 1);
      if (delayed === null) answered += answerAll(fd, n);
      else {
        const due = libc.monotonicMicros() + waits;
        for (let i = 0; i < n; i++)
          if (!delayed.append(fd, due, i, messages.received(i))) Atomics.add(control, CONTROL.refused, 1);
      }
      if (n < BATCH) break;
    }
    count(received, answered);
  }

  function isStray(i: number): boolean {
    copy(messages.peers.bytes, i * messages.peerRoom, peer.bytes, 0, SOCKADDR);
    return peer.isWrong();
  }

  /** Answer the first `n` datagrams as they were received. @returns how many answers were sent */
  function answerAll(fd: number, n: number): number {
    let answered = 0;
    let from = 0;
    for (let i = 0; i < n; i++) {
      if (makeAnswer(i, messages.received(i))) continue;
      answered += sendAll(fd, from, i);
      from = i + 1;
    }
    return answered + sendAll(fd, from, n);
  }

  /** @returns false: there is none */
  function makeAnswer(i: number, bytes: number): boolean {
    const length = responder.answer(i, bytes);
    messages.setLengths(i, length, messages.isIpv4(i) ? 16 : SOCKADDR);
    return length > 0;
  }

  /** @returns how many were sent; what finds no room in the buffer of the socket is lost, as it may be on its way */
  function sendAll(fd: number, from: number, to: number): number {
    let all = 0;
    for (let at = from; at < to; ) {
      const sent = libc.sendmmsg(fd, messages.header(at), to - at, 0);
      if (sent > 0) {
        all += sent;
        at += sent;
      } else if (libc.errno() !== EINTR) at++;
    }
    return all;
  }

  function count(received: number, answered: number): void {
    if (received > 0) Atomics.add(control, CONTROL.accepted, received);
    if (answered > 0) Atomics.add(control, CONTROL.requests, answered);
  }

  /** Answer what is due, those of one socket together. */
  function answerDelayed(waiting: Delayed): void {
    let answered = 0;
    let n = 0;
    let from = -1;
    for (const at = libc.monotonicMicros(); waiting.due <= at; ) {
      if (n === BATCH || (n > 0 && waiting.fd !== from)) {
        answered += sendAll(from, 0, n);
        n = 0;
      }
      from = waiting.fd;
      if (makeAnswer(n, waiting.shift(n))) n++;
    }
    if (n > 0) answered += sendAll(from, 0, n);
    count(0, answered);
  }

  while (Atomics.load(control, CONTROL.stop) === 0) {
    if (delayed !== null) answerDelayed(delayed);
    const left = delayed === null ? LONGEST_WAIT : delayed.due - libc.monotonicMicros();
    const ready = epoll.wait(Math.min(left, LONGEST_WAIT));
    for (let i = 0; i < ready; i++) receive(epoll.fdAt(i));
  }
  epoll.close();
}

/** @param needs how many bytes of a datagram are kept. Memory that no entry was written to yet takes none of the machine's */
function createDelayed(messages: Messages, needs: number): Delayed {
  const entryBytes = SOCKADDR + needs;
  const entries = new Uint8Array(WAITING * entryBytes);
  const lengths = new Uint16Array(WAITING);
  const dueAt = new Float64Array(WAITING);
  const fds = new Int32Array(WAITING);
  const { memory, peers, room, peerRoom } = messages;
  let first = 0;
  const ring = {
    size: 0,
    due: Number.POSITIVE_INFINITY,
    fd: -1,
    append(fd: number, due: number, i: number, bytes: number): boolean {
      if (ring.size === WAITING) return false;
      const place = (first + ring.size) % WAITING;
      const kept = Math.min(bytes, needs);
      copy(peers.bytes, i * peerRoom, entries, place * entryBytes, SOCKADDR);
      copy(memory.bytes, i * room, entries, place * entryBytes + SOCKADDR, kept);
      lengths[place] = kept;
      dueAt[place] = due;
      fds[place] = fd;
      if (ring.size++ === 0) showFirst();
      return true;
    },
    shift(i: number): number {
      const place = first;
      copy(entries, place * entryBytes, peers.bytes, i * peerRoom, SOCKADDR);
      copy(entries, place * entryBytes + SOCKADDR, memory.bytes, i * room, lengths[place]!);
      first = (first + 1) % WAITING;
      ring.size--;
      showFirst();
      return lengths[place]!;
    },
  };
  function showFirst(): void {
    ring.due = ring.size === 0 ? Number.POSITIVE_INFINITY : dueAt[first]!;
    ring.fd = fds[first]!;
  }
  return ring;
}

/** Bytes one by one: a view of a part would be allocated for each datagram. */
function copy(from: Uint8Array, at: number, to: Uint8Array, where: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) to[where + i] = from[at + i]!;
}
