/**
 * What is said on a connection once it is established: an exchange of bytes, and before it, with a proxy, an HTTP request and its
 * response. State lies in arrays indexed by descriptor; the requests lie ready in native memory.
 */
import { EAGAIN, EINTR } from '../kernel/errno.js';
import { errno, MSG_NOSIGNAL, nativeBuffer, monotonicMicros as now, recv, send } from '../kernel/libc.js';
import { formatTarget } from '../profile/format.js';
import type { LoadPlan, Target } from '../profile/plan.js';
import type { Protocol } from '../profile/subject.js';
import { createHeadParser } from './http-head.js';
import { EOF, failureSlot } from './outcome.js';
import type { Recorder } from './recorder.js';

/** More must come. */
export const PENDING = -2;
/** All was said. */
export const DONE = -1;

export interface Dialogue {
  /** A connection to `destination` was established at `at`, µs. */
  begin(fd: number, destination: number, at: number): void;
  /** Go on as far as the socket lets. @returns PENDING, DONE, or the slot of the outcome when it failed */
  proceed(fd: number): number;
}

export interface DialogueInput {
  readonly plan: Pick<LoadPlan, 'protocol' | 'exchange'>;
  /** Where the requests ask to go. */
  readonly destinations: readonly Target[];
  readonly recorder: Recorder;
  /** Descriptors of the process: 0 … limit−1. */
  readonly descriptorLimit: number;
}

const EPROTO = 71;
const BYTES = 0;
const HEAD = 1;
const BODY = 2;
/** A body without a length ends with the connection. */
const TO_THE_END = -1;

/** @returns null when nothing is said */
export function createDialogue({ plan, destinations, recorder, descriptorLimit }: DialogueInput): Dialogue | null {
  const { protocol, exchange } = plan;
  if (protocol === 'tcp' && exchange === null) return null;
  const requests = requestTable(protocol, destinations);
  const scratch = nativeBuffer(Math.max(exchange?.request ?? 0, 65_536));
  const parser = createHeadParser();
  const stage = new Uint8Array(descriptorLimit);
  const begunAt = new Float64Array(descriptorLimit);
  /** The native address of what is to be sent next, and how much of it. */
  const sending = new Float64Array(descriptorLimit);
  const toSend = new Int32Array(descriptorLimit);
  const toReceive = new Float64Array(descriptorLimit);
  /** Heads that came in pieces: rare, as a head is shorter than a segment. */
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

  /** A head, or a part of one, is at the beginning of the scratch memory. @returns as proceed() */
  function readHead(fd: number, received: number): number {
    let bytes = scratch.bytes;
    let length = received;
    const before = pieces.size > 0 ? pieces.get(fd) : undefined;
    if (before !== undefined) {
      bytes = new Uint8Array(before.length + received);
      bytes.set(before);
      bytes.set(scratch.bytes.subarray(0, received), before.length);
      length = bytes.length;
    }
    const head = parser.parse(bytes, length);
    if (head === 0) {
      pieces.set(fd, bytes.slice(0, length));
      return PENDING;
    }
    if (before !== undefined) pieces.delete(fd);
    // An interim response (1xx) is for requests that ask for it, and these do not.
    if (head < 0 || parser.status < 200) return failure(fd, EPROTO);
    if (parser.status >= 300) return recorder.refused(parser.status, parser.squidError);
    if (protocol === 'connect') {
      // A length or an encoding means nothing here (RFC 9110 §9.3.6).
      recorder.answered(now() - begunAt[fd]!);
      if (exchange === null) return DONE;
      beginExchange(fd);
      toReceive[fd]! -= length - head;
      return 0;
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
      if (stage[fd] === HEAD) {
        const result = readHead(fd, n);
        // A part of a head: there may be more to read at once.
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
      stage[fd] = HEAD;
      sending[fd] = requests.address(destination);
      toSend[fd] = requests.length(destination);
    },
    proceed,
  };
}

/** The text of a request. */
export function requestText(protocol: Exclude<Protocol, 'tcp'>, target: Target): string {
  const authority = formatTarget(target);
  // The connection to the proxy is used once, so that each attempt is one; what the proxy keeps open behind it is its own affair.
  const [line, connection] =
    protocol === 'connect'
      ? [`CONNECT ${authority} HTTP/1.1`, '']
      : [`GET http://${authority}/ HTTP/1.1`, 'Connection: close\r\n'];
  return `${line}\r\nHost: ${authority}\r\nUser-Agent: bindstorm\r\n${connection}\r\n`;
}

/** One request a destination, in native memory. */
function requestTable(protocol: Protocol, destinations: readonly Target[]) {
  if (protocol === 'tcp') return null;
  const texts = destinations.map((target) => new TextEncoder().encode(requestText(protocol, target)));
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
