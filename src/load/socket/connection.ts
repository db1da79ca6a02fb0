/**
 * The life of a connection in the socket engine: socket, options, bind, connect, exchange, hold, close. State lies in arrays
 * indexed by descriptor, so that an attempt allocates nothing.
 */

import type { Phase } from '../../domain/outcome.js';
import type { Epoll } from '../../kernel/epoll.js';
import { EAGAIN, ECONNRESET, EINPROGRESS, EINTR, EMFILE, ENFILE, EPIPE } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import type { SockaddrTable } from '../../kernel/sockaddr.js';
import type { LoadPlan } from '../../plan/plan.js';
import type { Equipment } from '../engine.js';
import type { Followed } from '../event-loop.js';
import { createOpening, NO_ROOM } from '../opening.js';
import { failureSlot, SLOT_TIMEOUT } from '../outcome.js';
import { count } from '../tally.js';
import type { Clocks } from './clocks.js';
import { type Dialogue, DONE, PENDING } from './dialogue.js';
import { createFdList } from './fd-list.js';

const CONNECTING = 1;
const EXCHANGING = 2;
const HELD = 3;
const DRAINING = 4;

const SHUT_WR = 1;

/** Everything is registered once, edge-triggered: no epoll_ctl when a connection changes state. */
const WATCHED = (libc.EPOLLIN | libc.EPOLLOUT | libc.EPOLLRDHUP | libc.EPOLLET) >>> 0;
/** Where all is said: a socket that can be written to is an event of its own at once. */
const ANSWERS = (libc.EPOLLIN | libc.EPOLLRDHUP | libc.EPOLLET) >>> 0;
/** What epoll watches a descriptor for. */
const SOME = 1;
const ALL = 2;
/** A SYN is sent again after a second (TCP_TIMEOUT_INIT), µs; less than that was one SYN, and is not asked about. */
const FIRST_RETRANSMISSION = 900_000;
/** struct tcp_info up to tcpi_total_retrans, which Linux has had since 2.6, and where that is (include/uapi/linux/tcp.h). */
const TCP_INFO_SIZE = 104;
const TOTAL_RETRANS = 100;
/** After this many handshakes in a row that were not complete at once, stop looking (the target is not on this machine). */
const SPECULATION_MISSES = 32;
/** After as many answers that were not there yet, leave so many to epoll before looking again. */
const SPECULATION_PAUSE = 4096;

interface ConnectionsInput extends Omit<Equipment, 'remotes'> {
  readonly plan: LoadPlan;
  /** Several clients' clocks; null: the kernel's own. */
  readonly clocks: Clocks | null;
  readonly remotes: SockaddrTable;
  readonly epoll: Epoll;
  /** What is said on a connection before it counts as ok; null: nothing. */
  readonly dialogue: Dialogue | null;
}

/** The connections of one worker, none yet. */
export function createConnections(input: ConnectionsInput): Followed {
  const { plan, dialer, clocks, picker, remotes, epoll, recorder, dialogue } = input;
  const { tallies, open, opened, closed, ok, failed, shed, synsAgain } = recorder;
  const size = input.descriptors;
  const state = new Uint8Array(size);
  const watched = new Uint8Array(size);
  const scheduledAt = new Float64Array(size);
  const startedAt = new Float64Array(size);
  const connectAt = new Float64Array(size);
  const heldUntil = new Float64Array(size);
  /** Where an attempt wants to go in the end: of a proxy, what it asks for. */
  const destinationOf = new Int32Array(size);
  const waiting = createFdList(size);
  const held = createFdList(size);
  /** Those that were asked since epoll was last waited for, and are not watched yet. */
  const unheard: number[] = [];
  /** Looks in a row that found no answer, and how many are watched now without a look. */
  let unanswered = 0;
  let deaf = 0;

  const timeout = plan.timeoutMs * 1000;
  // With close: server the peer closes after the hold; if it never does, the timeout ends the wait.
  const heldFor =
    // With GET it is the origin that takes its time.
    plan.protocol === 'get'
      ? 0
      : plan.holdMs === null
        ? Number.POSITIVE_INFINITY
        : plan.holdMs * 1000 + (plan.close === 'server' ? timeout : 0);
  const scratch = libc.nativeBuffer(65_536);
  const soError = libc.nativeBuffer(8);
  soError.view.setUint32(4, 4, true);
  const tcpInfo = libc.nativeBuffer(TCP_INFO_SIZE + 4);
  const lingerZero = libc.nativeBuffer(8);
  lingerZero.view.setInt32(0, 1, true);
  const drains = plan.drain && plan.close === 'client';
  /** Its requests fit into any socket's buffer, so that they are sent whole or not at all. */
  const asksFirst = dialogue !== null && plan.protocol !== 'tcp';
  let misses = 0;
  const opening = createOpening({
    type: libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC,
    dialer,
    remotes,
    size,
    connects: true,
    looks: !asksFirst,
    // Nothing is said on it, and it is not held.
    close: dialogue === null && heldFor === 0 && !drains && plan.close !== 'server' ? plan.close : null,
    deferral: clocks,
    datagram: null,
  });

  function attempt(n: number, scheduled: number, started: number): void {
    if (open() >= input.budget) return shed();
    picker.pick(n);
    const looks = misses < SPECULATION_MISSES;
    const error = opening.open(picker, n, looks);
    if (error === NO_ROOM) return shed();
    const { fd, phase } = opening;
    if (fd < 0) {
      // A full descriptor table is the generator's own limit, not an outcome of the target.
      if (error === EMFILE || error === ENFILE) return shed();
      count(tallies.lag, started - scheduled);
      return failed(failureSlot('socket', error), libc.monotonicMicros() - started);
    }
    count(tallies.lag, started - scheduled);
    opened();
    scheduledAt[fd] = scheduled;
    startedAt[fd] = started;
    watched[fd] = 0;
    if (opening.bindMicros >= 0) count(tallies.bind, opening.bindMicros);
    if (error !== 0 && error !== EINPROGRESS) return fail(fd, phase, error);
    connectAt[fd] = opening.connectAt;
    destinationOf[fd] = picker.destination;
    if (error === 0) {
      if (looks) misses = 0;
      if (opening.closed) return isOver(fd, opening.readyAt);
      return established(fd, opening.readyAt >= 0 ? opening.readyAt : libc.monotonicMicros());
    }
    if (looks) {
      if (asksFirst && askAtOnce(fd, opening.readyAt)) return;
      misses++;
    }
    state[fd] = CONNECTING;
    waiting.append(fd);
    watch(fd);
  }

  /** It was connected and closed by the calls that opened it. */
  function isOver(fd: number, at: number): void {
    count(tallies.connect, at - connectAt[fd]!);
    ok(at - scheduledAt[fd]!, at - startedAt[fd]!);
    closed(true);
  }

  /**
   * Within one machine the handshake is over when connect() returns (../opening.ts), and then the request can be sent: one call less
   * than asking first. @param at when connect() was over @returns whether anything came of it
   */
  function askAtOnce(fd: number, at: number): boolean {
    dialogue!.begin(fd, destinationOf[fd]!, at);
    const said = dialogue!.speak(fd);
    if (said === PENDING) return false;
    const error = said === 0 ? 0 : libc.errno();
    if (error !== 0 && error !== ECONNRESET && error !== EPIPE) {
      // The handshake failed. A connection that stood ends by ECONNRESET or EPIPE (net/ipv4/tcp_input.c, tcp_reset()).
      fail(fd, 'connect', error);
      return true;
    }
    misses = 0;
    count(tallies.connect, at - connectAt[fd]!);
    exchange(fd, said);
    return true;
  }

  /** @param said what came of asking */
  function exchange(fd: number, said: number): void {
    if (state[fd] !== CONNECTING) waiting.append(fd);
    state[fd] = EXCHANGING;
    if (said === 0) unheard.push(fd);
    else settle(fd, said);
  }

  function watch(fd: number, events = WATCHED): void {
    if (watched[fd] === ALL || (watched[fd] === SOME && events === ANSWERS)) return;
    if (watched[fd] === SOME) epoll.modify(fd, events);
    else epoll.add(fd, events);
    watched[fd] = events === WATCHED ? ALL : SOME;
  }

  /** Whether a connection took so long that its first SYN was lost, and how many more there were (tcp(7), TCP_INFO). */
  function countSyns(fd: number, took: number): void {
    if (took < FIRST_RETRANSMISSION) return;
    tcpInfo.view.setUint32(TCP_INFO_SIZE, TCP_INFO_SIZE, true);
    if (libc.getsockopt(fd, libc.SOL_TCP, libc.TCP_INFO, tcpInfo.address, tcpInfo.address + TCP_INFO_SIZE) < 0) return;
    const further = tcpInfo.view.getUint32(TOTAL_RETRANS, true);
    if (further > 0) synsAgain(further);
  }

  function established(fd: number, at: number): void {
    const took = at - connectAt[fd]!;
    count(tallies.connect, took);
    countSyns(fd, took);
    if (dialogue === null) return succeed(fd, at);
    dialogue.begin(fd, destinationOf[fd]!, at);
    exchange(fd, dialogue.speak(fd));
  }

  function listen(): boolean {
    let heard = false;
    for (const fd of unheard) {
      if (state[fd] !== EXCHANGING || watched[fd] !== 0) continue;
      if (deaf > 0) {
        deaf--;
        watch(fd, ANSWERS);
        continue;
      }
      const result = dialogue!.proceed(fd);
      settle(fd, result);
      if (result !== PENDING) {
        heard = true;
        unanswered = 0;
      } else if (++unanswered === SPECULATION_MISSES) {
        unanswered = 0;
        deaf = SPECULATION_PAUSE;
      }
    }
    unheard.length = 0;
    return heard;
  }

  function settle(fd: number, result: number): void {
    // What waits here to be sent, or comes to be said later, needs the other event too: rare, as requests are short.
    if (result === PENDING) return watch(fd, dialogue!.hasMore(fd) ? WATCHED : ANSWERS);
    if (result === DONE) return succeed(fd, libc.monotonicMicros());
    const took = libc.monotonicMicros() - startedAt[fd]!;
    abandon(fd);
    failed(result, took);
  }

  function succeed(fd: number, at: number): void {
    unwait(fd);
    ok(at - scheduledAt[fd]!, at - startedAt[fd]!);
    if (heldFor === 0) return closeOne(fd);
    state[fd] = HELD;
    heldUntil[fd] = at + heldFor;
    held.append(fd);
    if (plan.close === 'server') watch(fd, ANSWERS);
  }

  function fail(fd: number, phase: Phase, error: number): void {
    const took = libc.monotonicMicros() - startedAt[fd]!;
    // Closed first: what is open at the first failure does not include the socket that failed.
    abandon(fd);
    failed(failureSlot(phase, error), took);
  }

  function abandon(fd: number): void {
    const established = state[fd] === DRAINING;
    unwait(fd);
    state[fd] = 0;
    libc.close(fd);
    closed(established);
  }

  function unwait(fd: number): void {
    if (state[fd] === CONNECTING || state[fd] === EXCHANGING || state[fd] === DRAINING) waiting.remove(fd);
  }

  function closeOne(fd: number): void {
    if (drains) return beginDrain(fd);
    finallyClose(fd);
  }

  /** From here on the attempt waits, like a handshake, until the peer has closed too or the time is up. */
  function beginDrain(fd: number): void {
    libc.shutdown(fd, SHUT_WR);
    // The queue is in the order of these times.
    startedAt[fd] = libc.monotonicMicros();
    state[fd] = DRAINING;
    waiting.append(fd);
    watch(fd, ANSWERS);
    drained(fd);
  }

  function drained(fd: number): void {
    for (;;) {
      const n = libc.recv(fd, scratch.address, scratch.bytes.length, 0);
      const error = n < 0 ? libc.errno() : 0;
      if (error === EAGAIN) return;
      if (n > 0 || error === EINTR) continue;
      waiting.remove(fd);
      return finallyClose(fd);
    }
  }

  function finallyClose(fd: number): void {
    state[fd] = 0;
    if (plan.close === 'reset') libc.setsockopt(fd, libc.SOL_SOCKET, libc.SO_LINGER, lingerZero.address, 8);
    libc.close(fd);
    closed(true);
  }

  function unhold(fd: number): void {
    held.remove(fd);
    closeOne(fd);
  }

  /** The FIN may come in one event with the last byte of the answer; there is no further event for it. */
  function peerMayHaveClosed(fd: number, events: number): void {
    const isOver = (events & (libc.EPOLLRDHUP | libc.EPOLLHUP | libc.EPOLLERR)) !== 0;
    if (state[fd] === HELD && plan.close === 'server' && isOver) unhold(fd);
  }

  function onEvent(fd: number, events: number): void {
    switch (state[fd]) {
      case CONNECTING: {
        libc.getsockopt(fd, libc.SOL_SOCKET, libc.SO_ERROR, soError.address, soError.address + 4);
        const error = soError.view.getInt32(0, true);
        if (error !== 0) return fail(fd, 'connect', error);
        if ((events & libc.EPOLLOUT) === 0) return;
        established(fd, libc.monotonicMicros());
        return peerMayHaveClosed(fd, events);
      }
      case EXCHANGING:
        settle(fd, dialogue!.proceed(fd));
        return peerMayHaveClosed(fd, events);
      case DRAINING:
        return drained(fd);
      case HELD:
        return peerMayHaveClosed(fd, events);
      default:
      // An event of a descriptor that was closed earlier in the same batch.
    }
  }

  function expire(at: number): number {
    while (waiting.head >= 0 && at - startedAt[waiting.head]! >= timeout) {
      const fd = waiting.head;
      const counted = state[fd] === DRAINING;
      abandon(fd);
      // A connection that only drains has had its outcome.
      if (!counted) failed(SLOT_TIMEOUT, at - startedAt[fd]!);
    }
    while (held.head >= 0 && at >= heldUntil[held.head]!) unhold(held.head);
    const giveUp = waiting.head >= 0 ? startedAt[waiting.head]! + timeout : Number.POSITIVE_INFINITY;
    const release = held.head >= 0 ? heldUntil[held.head]! : Number.POSITIVE_INFINITY;
    return Math.min(giveUp, release);
  }

  return {
    pending: () => waiting.size,
    attempt,
    onEvents(ready) {
      for (let i = 0; i < ready; i++) onEvent(epoll.fdAt(i), epoll.eventsAt(i));
    },
    listen,
    expire,
    closeAll() {
      while (held.head >= 0) unhold(held.head);
      // Held connections that drain have joined these.
      while (waiting.head >= 0) abandon(waiting.head);
    },
  };
}
