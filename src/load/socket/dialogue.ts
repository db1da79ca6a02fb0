/**
 * What is said on a connection once it is established: an exchange of bytes, and before it, with a proxy, an HTTP request and its
 * response, or the dialogue of SOCKS5. State lies in arrays indexed by descriptor; the requests lie ready in native memory.
 */

import { formatTarget } from '../../domain/format.js';
import type { Protocol } from '../../domain/protocol.js';
import {
  connectRequest,
  GREETING,
  NO_AUTHENTICATION,
  NO_METHOD,
  parseMethod,
  parseReply,
  replyName,
  SUCCEEDED,
} from '../../domain/socks.js';
import type { Target } from '../../domain/target.js';
import { EAGAIN, EINTR } from '../../kernel/errno.js';
import { errno, MSG_NOSIGNAL, nativeBuffer, monotonicMicros as now, recv, send } from '../../kernel/libc.js';
import type { LoadPlan } from '../../plan/plan.js';
import { EOF, failureSlot } from '../outcome.js';
import type { Recorder } from '../recorder.js';
import { createHeadParser } from './http-head.js';

/** More must come. */
export const PENDING = -2;
/** All was said. */
export const DONE = -1;

export interface Dialogue {
  /** A connection to `destination` was established at `at`, µs. */
  begin(fd: number, destination: number, at: number): void;
  /** Send what is to be sent, for what was just begun has no answer yet. @returns 0: all of it, PENDING, or the slot of the outcome */
  speak(fd: number): number;
  /** Whether something is still to be sent. */
  hasMore(fd: number): boolean;
  /** Go on as far as the socket lets. @returns PENDING, DONE, or the slot of the outcome when it failed */
  proceed(fd: number): number;
}

interface DialogueInput {
  readonly plan: Pick<LoadPlan, 'protocol' | 'exchange'>;
  /** Where the requests ask to go. */
  readonly destinations: readonly Target[];
  readonly recorder: Recorder;
  /** The proxy speaks for the destinations itself, so that a GET is as to an origin. */
  readonly reverse?: boolean;
  /** One more than the highest descriptor. */
  readonly descriptors: number;
}

const EPROTO = 71;
const BYTES = 0;
const HEAD = 1;
const BODY = 2;
const METHOD = 3;
const REPLY = 4;
/** A body without a length ends with the connection. */
const TO_THE_END = -1;

/** @returns null when nothing is said */
export function createDialogue(input: DialogueInput): Dialogue | null {
  const { plan, destinations, recorder, descriptors } = input;
  const { protocol, exchange } = plan;
  if (protocol === 'tcp' && exchange === null) return null;
  const requests = requestTable(protocol, destinations, input.reverse ?? false);
  const greeting = nativeBuffer(GREETING.length);
  greeting.bytes.set(GREETING);
  /** Of those that speak SOCKS5, whose request comes second. */
  const destinationOf = new Int32Array(protocol === 'socks5' ? descriptors : 0);
  const scratch = nativeBuffer(Math.max(exchange?.request ?? 0, 65_536));
  const parser = createHeadParser();
  const stage = new Uint8Array(descriptors);
  const begunAt = new Float64Array(descriptors);
  /** The native address of what is to be sent next, and how much of it. */
  const sending = new Float64Array(descriptors);
  const toSend = new Int32Array(descriptors);
  const toReceive = new Float64Array(descriptors);
  /** Heads and replies that came in pieces: rare, as they are shorter than a segment. */
  const pieces = new Map<number, Uint8Array>();

  function beginExchange(fd: number): void {
    stage[fd] = BYTES;
    sending[fd] = scratch.address;
    toSend[fd] = exchange?.request ?? 0;
    toReceive[fd] = exchange?.response ?? 0;
  }

  /** @returns 0 when all is sent, PENDING, or the slot of a failure */
  function sendAll(fd: number): number {
    while (toSend[fd]! > 0) {
      const n = send(fd, sending[fd]!, toSend[fd]!, MSG_NOSIGNAL);
      if (n < 0) {
        const error = errno();
        if (error === EAGAIN) return PENDING;
        if (error === EINTR) continue;
        return failure(fd, error);
      }
      toSend[fd]! -= n;
      sending[fd]! += n;
    }
    return 0;
  }

  function failure(fd: number, error: number): number {
    if (pieces.size > 0) pieces.delete(fd);
    return failureSlot(stage[fd] === BYTES ? 'exchange' : 'response', error);
  }

  /** What gather() found: the scratch memory or, of what came in pieces, memory of its own. */
  let gathered = scratch.bytes;

  /** What came so far of a head or a reply, of which the last part is at the beginning of the scratch memory. @returns its length */
  function gather(fd: number, received: number): number {
    // No view of the scratch memory: this is done for every answer, and nearly every one comes whole.
    gathered = scratch.bytes;
    const before = pieces.size > 0 ? pieces.get(fd) : undefined;
    if (before === undefined) return received;
    pieces.delete(fd);
    gathered = new Uint8Array(before.length + received);
    gathered.set(before);
    gathered.set(scratch.bytes.subarray(0, received), before.length);
    return gathered.length;
  }

  /** @returns PENDING: more must come */
  function keep(fd: number, length: number): number {
    pieces.set(fd, gathered.slice(0, length));
    return PENDING;
  }

  /** The tunnel is there, and `early` bytes of what is said in it. @returns as proceed(), or 0: go on */
  function tunnelled(fd: number, early: number): number {
    recorder.answered(now() - begunAt[fd]!);
    if (exchange === null) return DONE;
    beginExchange(fd);
    toReceive[fd]! -= early;
    return 0;
  }

  /** @returns as tunnelled() */
  function readMethod(fd: number, received: number): number {
    const all = gather(fd, received);
    const bytes = gathered.subarray(0, all);
    const length = parseMethod(bytes);
    if (length === 0) return keep(fd, all);
    // Nothing is said before the request.
    if (length < 0 || all > length) return failure(fd, EPROTO);
    if (bytes[1] !== NO_AUTHENTICATION) return recorder.replied(NO_METHOD, `method ${bytes[1]}`);
    stage[fd] = REPLY;
    sending[fd] = requests!.address(destinationOf[fd]!);
    toSend[fd] = requests!.length(destinationOf[fd]!);
    return 0;
  }

  /** @returns as tunnelled() */
  function readReply(fd: number, received: number): number {
    const all = gather(fd, received);
    const bytes = gathered.subarray(0, all);
    const length = parseReply(bytes);
    if (length === 0) return keep(fd, all);
    if (length < 0) return failure(fd, EPROTO);
    const reply = bytes[1]!;
    if (reply !== SUCCEEDED) return recorder.replied(replyName(reply), `reply ${reply}`);
    return tunnelled(fd, all - length);
  }

  /** @returns as tunnelled() */
  function readHead(fd: number, received: number): number {
    const length = gather(fd, received);
    const head = parser.parse(gathered, length);
    if (head === 0) return keep(fd, length);
    // An interim response (1xx) is for requests that ask for it, and these do not.
    if (head < 0 || parser.status < 200) return failure(fd, EPROTO);
    if (parser.status >= 300) return recorder.refused(parser.status, parser.squidError);
    if (protocol === 'connect') {
      // A length or an encoding means nothing here (RFC 9110 §9.3.6).
      return tunnelled(fd, length - head);
    }
    // The lab's own origin gives a length; a proxy that makes chunks of it asks for the HTTP engine.
    if (parser.encoded) return failure(fd, EPROTO);
    stage[fd] = BODY;
    if (parser.contentLength < 0) {
      toReceive[fd] = TO_THE_END;
      return 0;
    }
    toReceive[fd] = parser.contentLength - (length - head);
    return toReceive[fd]! <= 0 ? answeredInFull(fd) : 0;
  }

  function answeredInFull(fd: number): number {
    recorder.answered(now() - begunAt[fd]!);
    return DONE;
  }

  /** By stage: those of what comes in a form. */
  const readers: Readonly<Record<number, (fd: number, received: number) => number>> = {
    [HEAD]: readHead,
    [METHOD]: readMethod,
    [REPLY]: readReply,
  };

  function proceed(fd: number): number {
    for (;;) {
      const sent = sendAll(fd);
      if (sent !== 0) return sent;
      const n = recv(fd, scratch.address, scratch.bytes.length, 0);
      if (n < 0) {
        const error = errno();
        if (error === EAGAIN) return PENDING;
        if (error === EINTR) continue;
        return failure(fd, error);
      }
      if (n === 0) {
        if (stage[fd] === BODY && toReceive[fd] === TO_THE_END) return answeredInFull(fd);
        return failure(fd, EOF);
      }
      const reader = readers[stage[fd]!];
      if (reader !== undefined) {
        const result = reader(fd, n);
        // A part: there may be more to read at once.
        if (result === PENDING || result === 0) continue;
        return result;
      }
      if (toReceive[fd] === TO_THE_END) continue;
      toReceive[fd]! -= n;
      if (toReceive[fd]! <= 0) return stage[fd] === BODY ? answeredInFull(fd) : DONE;
    }
  }

  return {
    begin(fd, destination, at) {
      if (requests === null) return beginExchange(fd);
      if (pieces.size > 0) pieces.delete(fd);
      begunAt[fd] = at;
      if (protocol === 'socks5') {
        destinationOf[fd] = destination;
        stage[fd] = METHOD;
        sending[fd] = greeting.address;
        toSend[fd] = GREETING.length;
        return;
      }
      stage[fd] = HEAD;
      sending[fd] = requests.address(destination);
      toSend[fd] = requests.length(destination);
    },
    speak: sendAll,
    hasMore: (fd) => toSend[fd]! > 0,
    proceed,
  };
}

/** The text of a request. @param reverse whether it goes to a reverse proxy, which is asked as an origin is */
function requestText(protocol: 'connect' | 'get', target: Target, reverse = false): string {
  const authority = formatTarget(target);
  // The connection to the proxy is used once, so that each attempt is one; what the proxy keeps open behind it is its own affair.
  const [line, connection] =
    protocol === 'connect'
      ? [`CONNECT ${authority} HTTP/1.1`, '']
      : [`GET ${reverse ? '' : `http://${authority}`}/ HTTP/1.1`, 'Connection: close\r\n'];
  return `${line}\r\nHost: ${authority}\r\nUser-Agent: bindstorm\r\n${connection}\r\n`;
}

/** One request a destination, in native memory. */
function requestTable(protocol: Protocol, destinations: readonly Target[], reverse: boolean) {
  if (protocol === 'tcp' || protocol === 'udp' || protocol === 'dns' || protocol === 'turn') return null;
  const texts = destinations.map((target) =>
    protocol === 'socks5' ? connectRequest(target) : new TextEncoder().encode(requestText(protocol, target, reverse)),
  );
  const memory = nativeBuffer(texts.reduce((sum, text) => sum + text.length, 0));
  const starts: number[] = [];
  let at = 0;
  for (const text of texts) {
    memory.bytes.set(text, at);
    starts.push(at);
    at += text.length;
  }
  return {
    address: (destination: number) => memory.address + starts[destination]!,
    length: (destination: number) => texts[destination]!.length,
  };
}
