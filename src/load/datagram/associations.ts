/**
 * The life of an association in the datagram engine: socket, options, bind, connect, a datagram and its answer, hold, close. State lies in
 * arrays indexed by association, so that an attempt allocates nothing.
 */

import { awaitsAnswer, sharesPorts } from '../../domain/datagram.js';
import type { Phase } from '../../domain/outcome.js';
import { optionsOf } from '../../domain/strategy.js';
import type { BriefEpoll } from '../../kernel/brief-epoll.js';
import { createCallBatch } from '../../kernel/call-batch.js';
import { EAGAIN, EINTR, EMFILE, ENFILE, ENOBUFS } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { createMessages, type Messages } from '../../kernel/messages.js';
import { type SockaddrTable, sockaddrAt } from '../../kernel/sockaddr.js';
import type { LoadPlan } from '../../plan/plan.js';
import type { Equipment } from '../engine.js';
import type { Followed } from '../event-loop.js';
import { NO_ROOM } from '../opening.js';
import { failureSlot, SLOT_NO_ANSWER, SLOT_STOLEN } from '../outcome.js';
import { createFdList } from '../socket/fd-list.js';
import { count } from '../tally.js';
import type { Marks } from './marks.js';
import { NO_SOCKET, type Sockets } from './sockets.js';

const WAITING = 1;
const HELD = 2;
/** Its answer went astray, which a program does not know: it waits on, and keeps its socket. */
const ASTRAY = 3;

/** Datagrams that one event takes from a socket, so that a busy one does not keep the others waiting; epoll tells of the rest again. */
const AT_ONCE = 256;
/** Datagrams of one call, where attempts share a socket: the first of them waits so long for the last, some 30 µs. */
export const BATCH = 32;
/** Sockets of their own that are looked into by one batch of calls. */
const HEARD_AT_ONCE = 64;

/** What an association does, as its plan says. */
interface Shape {
  /** One socket for all of a local address. */
  readonly one: boolean;
  /** Each datagram names where it goes. */
  readonly unconnected: boolean;
  readonly answers: boolean;
  readonly sends: boolean;
  /** Its socket has a local port in the end: one that is only bound may have put it off. */
  readonly takesPort: boolean;
  /** Answers to other attempts may come to a socket that has its own already, or has not sent yet. */
  readonly shared: boolean;
}

/** What every association of a plan does. */
export function shapeOf(plan: LoadPlan): Shape {
  const one = plan.sockets === 'one';
  const unconnected = one || plan.peer === 'sendto';
  const options = optionsOf(plan.strategy, plan.socketOptions);
  const answers = awaitsAnswer(plan);
  const sends = plan.peer !== 'none' && (unconnected || answers);
  return {
    one,
    unconnected,
    answers,
    sends,
    takesPort: sends || plan.peer === 'connect' || !options.includes('IP_BIND_ADDRESS_NO_PORT'),
    shared: one || sharesPorts(options),
  };
}

interface AssociationsInput extends Omit<Equipment, 'remotes' | 'dialer'> {
  readonly plan: LoadPlan;
  readonly remotes: SockaddrTable;
  readonly epoll: BriefEpoll;
  readonly marks: Marks;
  readonly shape: Shape;
  /** The datagrams that are sent, of which the marks are yet to be written. */
  readonly out: Messages;
  readonly sockets: Sockets;
}

/** The associations of one worker, none yet. */
export function createAssociations(input: AssociationsInput): Followed {
  const { plan, picker, remotes, epoll, recorder, marks, out, sockets, descriptors: size } = input;
  const { one, unconnected, answers, sends, takesPort, shared } = input.shape;
  const { tallies, open, opened, closed, ok, failed, shed, answered } = recorder;
  const state = new Uint8Array(size);
  /** By descriptor. */
  const watched = new Uint8Array(size);
  const attemptOf = new Uint32Array(size);
  const scheduledAt = new Float64Array(size);
  const startedAt = new Float64Array(size);
  const sentAt = new Float64Array(size);
  const heldUntil = new Float64Array(size);
  const waiting = createFdList(size);
  const held = createFdList(size);
  /** Of a socket that many share: those whose datagrams are to leave by the next call, and from which socket. */
  const posted = new Int32Array(BATCH);
  let toPost = 0;
  let postFrom = -1;
  /** Of those that wait, how many have their outcome. */
  let astray = 0;

  const timeout = plan.timeoutMs * 1000;
  const heldFor = plan.holdMs === null ? Number.POSITIVE_INFINITY : plan.holdMs * 1000;
  const into = createMessages(one ? BATCH : HEARD_AT_ONCE, marks.answerBytes, 0);
  /** Of sockets that are an attempt's own. */
  const hearing = createCallBatch(HEARD_AT_ONCE);
  for (let i = 0; i < HEARD_AT_ONCE && !one; i++)
    hearing.add('recv', [0, into.memory.address + i * into.room, marks.answerBytes, 0, 0, 0], { also: EAGAIN });
  const heard = new Int32Array(HEARD_AT_ONCE);

  function attempt(n: number, scheduled: number, started: number): void {
    if (open() >= input.budget) return shed();
    picker.pick(n);
    // What comes to a socket of its own is its own, whose number nobody knows yet.
    if (sends && !shared) marks.mark(out.memory, 0, 0, n);
    const association = sockets.take(picker);
    if (association === NO_SOCKET) return refused(scheduled, started);
    if (association === NO_ROOM) return shed();
    count(tallies.lag, started - scheduled);
    opened();
    state[association] = 0;
    attemptOf[association] = n;
    scheduledAt[association] = scheduled;
    startedAt[association] = started;
    const { error } = sockets;
    if (sockets.bindMicros >= 0) count(tallies.bind, sockets.bindMicros);
    if (error !== 0) return fail(association, sockets.phase, error);
    if (sockets.connectMicros >= 0) count(tallies.connect, sockets.connectMicros);
    if (answers && shared) watch(association);
    if (one) return post(association, n);
    if (sockets.sentAt >= 0) sentAt[association] = sockets.sentAt;
    else if (sends) {
      // With connect() it is the instant at which that was over.
      sentAt[association] = sockets.readyAt >= 0 ? sockets.readyAt : libc.monotonicMicros();
      const sendError = send(association, n);
      if (sendError !== 0) return fail(association, 'sendto', sendError);
    }
    if (takesPort) recorder.tookPort();
    if (!answers) return succeed(association, libc.monotonicMicros());
    state[association] = WAITING;
    waiting.append(association);
    if (!shared) watchBriefly(association);
  }

  /** No socket. A full table of descriptors is the generator's own limit, not an outcome of the target. */
  function refused(scheduled: number, started: number): void {
    const { error } = sockets;
    if (error === EMFILE || error === ENFILE) return shed();
    count(tallies.lag, started - scheduled);
    opened();
    closed(false);
    failed(failureSlot('socket', error), libc.monotonicMicros() - started);
  }

  /** From the socket of this attempt. @returns 0 or an errno */
  function send(fd: number, n: number): number {
    marks.mark(out.memory, 0, fd, n);
    const { address } = out.memory;
    for (;;) {
      const sent = unconnected
        ? libc.sendto(fd, address, marks.requestBytes, 0, sockaddrAt(remotes, picker.destination), remotes.length)
        : libc.send(fd, address, marks.requestBytes, 0);
      if (sent >= 0) return 0;
      const error = libc.errno();
      if (error !== EINTR) return error;
    }
  }

  /** From a socket that others send from too: with theirs, by one call. */
  function post(association: number, n: number): void {
    const fd = sockets.fdOf(association);
    if (toPost === BATCH || fd !== postFrom) deliver();
    postFrom = fd;
    marks.mark(out.memory, toPost * out.room, association, n);
    out.setPeer(toPost, sockaddrAt(remotes, picker.destination));
    posted[toPost++] = association;
    state[association] = WAITING;
    waiting.append(association);
  }

  /** Send what was posted. */
  function deliver(): void {
    const at = toPost > 0 ? libc.monotonicMicros() : 0;
    for (let from = 0; from < toPost; ) {
      const sent = libc.sendmmsg(postFrom, out.header(from), toPost - from, 0);
      if (sent > 0) {
        for (const end = from + sent; from < end; from++) delivered(posted[from]!, at);
        continue;
      }
      const error = libc.errno();
      if (error === EINTR) continue;
      const association = posted[from++]!;
      // Of a socket that has its port EAGAIN is a full buffer.
      fail(association, 'sendto', error === EAGAIN && sockets.hasPort(association) ? ENOBUFS : error);
    }
    toPost = 0;
  }

  function delivered(association: number, at: number): void {
    sentAt[association] = at;
    if (!sockets.hasPort(association)) recorder.tookPort();
    sockets.sent(association);
    if (!answers) succeed(association, at);
  }

  function watch(association: number): void {
    const fd = sockets.fdOf(association);
    if (watched[fd] === 1) return;
    epoll.add(fd, libc.EPOLLIN);
    watched[fd] = 1;
  }

  /** For the one answer of a socket that is this attempt's, after which it is closed. */
  function watchBriefly(fd: number): void {
    epoll.addBriefly(fd, libc.EPOLLIN);
    watched[fd] = 1;
  }

  function listen(): boolean {
    if (!one) return false;
    deliver();
    // What has come meanwhile is taken without asking epoll.
    return answers && postFrom >= 0 && waiting.size > astray && receiveMany(postFrom) > 0;
  }

  /** Take what has come to a socket that many attempts share. @returns how many datagrams that was */
  function receiveMany(fd: number): number {
    let all = 0;
    while (all < AT_ONCE) {
      const received = libc.recvmmsg(fd, into.header(0), BATCH, 0, 0);
      // Nothing is there; or an ICMP error, which is not known to be of one of them.
      if (received < 0) return all;
      const at = libc.monotonicMicros();
      for (let i = 0; i < received; i++) take(fd, i * into.room, into.received(i), at);
      all += received;
      if (received < BATCH) return all;
    }
    return all;
  }

  /** Take what has come to the socket of an attempt, which may be the answers to others'. */
  function receive(fd: number): void {
    for (let i = 0; i < AT_ONCE; i++) {
      const bytes = libc.recv(fd, into.memory.address, marks.answerBytes, 0);
      if (bytes < 0) {
        const error = libc.errno();
        if (error === EINTR) continue;
        if (error !== EAGAIN) refuse(fd, error);
        return;
      }
      take(fd, 0, bytes, libc.monotonicMicros());
      // A held one may get those of others.
      if (state[fd] === 0) return;
    }
  }

  /** Take what has come to sockets that are an attempt's own: a datagram each, by one batch of calls for many. */
  function hearOwn(ready: number): void {
    // It was there when the wait was over, so that one reading of the clock is right for all, and better than a later one.
    const at = ready > 0 ? libc.monotonicMicros() : 0;
    for (let i = 0; i < ready; ) {
      let asked = 0;
      for (; i < ready && asked < HEARD_AT_ONCE; i++) {
        const fd = epoll.fdAt(i);
        if (watched[fd] !== 1) continue;
        heard[asked] = fd;
        hearing.setArgument(asked++, 0, fd);
      }
      for (let from = 0; from < asked; ) {
        const ended = hearing.run(from, asked);
        for (; from < ended; from++) {
          const bytes = hearing.result(from);
          if (bytes >= 0) take(heard[from]!, from * into.room, bytes, at);
        }
        if (ended < asked) refuse(heard[from]!, -hearing.result(from++));
      }
    }
  }

  /** A connected socket is told of an ICMP error. */
  function refuse(fd: number, error: number): void {
    if (error !== EINTR && state[fd] === WAITING) fail(fd, 'answer', error);
  }

  /** What came to a socket, and when. @param place where it is in memory */
  function take(fd: number, place: number, bytes: number, at: number): void {
    const marked = marks.association(into.memory, place, bytes);
    const association = shared || marked < 0 ? marked : fd;
    // Not of this worker, or the answer to an attempt that is over.
    if (association < 0 || association >= size) return;
    if (state[association] !== WAITING || attemptOf[association] !== marks.attempt(into.memory, place)) return;
    if (sockets.fdOf(association) !== fd) return goAstray(association);
    const problem = marks.problem(into.memory, place, bytes);
    if (problem !== '') return lose(association, recorder.replied(problem, problem.slice(problem.indexOf(':') + 1)));
    answered(at - sentAt[association]!);
    succeed(association, at);
  }

  function goAstray(association: number): void {
    state[association] = ASTRAY;
    astray++;
    failed(SLOT_STOLEN, libc.monotonicMicros() - startedAt[association]!);
  }

  function succeed(association: number, at: number): void {
    if (state[association] === WAITING) waiting.remove(association);
    ok(at - scheduledAt[association]!, at - startedAt[association]!);
    if (heldFor === 0) return release(association, true);
    if (!shared) epoll.forget(association);
    state[association] = HELD;
    heldUntil[association] = at + heldFor;
    held.append(association);
  }

  function fail(association: number, phase: Phase, error: number): void {
    lose(association, failureSlot(phase, error));
  }

  function lose(association: number, slot: number): void {
    const took = libc.monotonicMicros() - startedAt[association]!;
    if (state[association] === WAITING) waiting.remove(association);
    // Released first: what is open at the first failure does not include what failed.
    release(association, false);
    failed(slot, took);
  }

  function release(association: number, established: boolean): void {
    state[association] = 0;
    if (!one) watched[association] = 0;
    if (!shared) epoll.forget(association);
    sockets.release(association);
    closed(established);
  }

  function expire(at: number): number {
    while (waiting.head >= 0 && at - startedAt[waiting.head]! >= timeout) {
      if (state[waiting.head] === WAITING) lose(waiting.head, SLOT_NO_ANSWER);
      else forget(waiting.head);
    }
    while (held.head >= 0 && at >= heldUntil[held.head]!) unhold(held.head);
    sockets.settle();
    const giveUp = waiting.head >= 0 ? startedAt[waiting.head]! + timeout : Number.POSITIVE_INFINITY;
    const end = held.head >= 0 ? heldUntil[held.head]! : Number.POSITIVE_INFINITY;
    return Math.min(giveUp, end);
  }

  /** Give up an association whose outcome is counted, or is not to be. */
  function forget(association: number): void {
    if (state[association] === ASTRAY) astray--;
    waiting.remove(association);
    release(association, false);
  }

  function unhold(association: number): void {
    held.remove(association);
    release(association, true);
  }

  return {
    pending: () => waiting.size - astray,
    attempt,
    onEvents(ready) {
      if (!shared) return hearOwn(ready);
      for (let i = 0; i < ready; i++) {
        const fd = epoll.fdAt(i);
        // Not of a descriptor that was closed earlier in the same batch, or was opened again since.
        if (watched[fd] !== 1) continue;
        if (one) receiveMany(fd);
        else receive(fd);
      }
    },
    listen,
    expire,
    closeAll() {
      while (held.head >= 0) unhold(held.head);
      while (waiting.head >= 0) forget(waiting.head);
      watched.fill(0);
      toPost = 0;
      postFrom = -1;
      sockets.close();
    },
  };
}
