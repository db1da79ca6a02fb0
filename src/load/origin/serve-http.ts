/**
 * The origin that answers GET requests (HTTP/1.1). It looks for nothing in a request but its end, answers
 * with a body of a given length, after a time if so told, and keeps the connection open or closes it first.
 */
import { EAGAIN, EINTR } from '../../kernel/errno.js';
import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  errno,
  MSG_MORE,
  MSG_NOSIGNAL,
  nativeBuffer,
  recv,
  send,
} from '../../kernel/libc.js';
import { longer } from '../socket/fd-list.js';
import { type Ender, FIRST_ROOM, type OriginPlan, type OriginThreadInput, serveConnections } from './listen.js';

const CR = 13;
const LF = 10;
/** Bytes of CR LF CR LF that were seen so far. */
const END_OF_HEAD = 4;

/** The whole answer to a request. */
export function responseText({ close, body }: Pick<OriginPlan, 'close' | 'body'>): string {
  const connection = close === 'server' ? 'Connection: close\r\n' : '';
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body}\r\nCache-Control: no-store\r\n${connection}\r\n`;
  return head + 'x'.repeat(body);
}

/** Counts the ends of heads in what came on one connection, in pieces. A GET has no body. */
export function createRequestCounter(): (bytes: Uint8Array, length: number) => number {
  let matched = 0;
  return (bytes, length) => {
    let found = 0;
    for (let i = 0; i < length; i++) {
      matched = nextMatched(matched, bytes[i]!);
      if (matched < END_OF_HEAD) continue;
      found++;
      matched = 0;
    }
    return found;
  };
}

/** How many bytes of CR LF CR LF have come, with one more byte. */
function nextMatched(matched: number, byte: number): number {
  if (byte === (matched % 2 === 0 ? CR : LF)) return matched + 1;
  return byte === CR ? 1 : 0;
}

/** Milliseconds from a request to its answer: with GET the hold is the origin's, with a tunnel the client's. */
export function answerDelayMs({ protocol, holdMs }: Pick<OriginPlan, 'protocol' | 'holdMs'>): number {
  return protocol === 'get' ? (holdMs ?? 0) : 0;
}

/** Serve until stopped. With `close: server` each connection is closed after its first answer, else only when the peer closes. */
export function serveHttp(input: OriginThreadInput): void {
  const { plan } = input;
  const text = new TextEncoder().encode(responseText(plan));
  const response = nativeBuffer(text.length);
  response.bytes.set(text);
  const scratch = nativeBuffer(65_536);
  let seen = new Uint8Array(FIRST_ROOM);
  /** Requests that wait for their answer, the one that is being sent included. */
  let owed = new Int32Array(FIRST_ROOM);
  let toSend = new Int32Array(FIRST_ROOM);
  // So that a proxy that has the last byte has the FIN too, and cannot be the first to close.
  const flags = plan.close === 'server' ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
  const delay = answerDelayMs(plan) * 1000;
  serveConnections(input, (connections) => {
    function end(fd: number, ender: Ender): false {
      connections.close(fd, ender);
      return false;
    }

    function read(fd: number, length: number): void {
      const { bytes } = scratch;
      let matched = seen[fd]!;
      for (let i = 0; i < length; i++) {
        matched = nextMatched(matched, bytes[i]!);
        if (matched === END_OF_HEAD) {
          owed[fd]!++;
          matched = 0;
        }
      }
      seen[fd] = matched;
    }

    /** Send what is owed and due. @returns false when the connection was closed */
    function answer(fd: number): boolean {
      while (owed[fd]! > 0 && !connections.isPostponed(fd)) {
        const n = send(fd, response.address + text.length - toSend[fd]!, toSend[fd]!, flags);
        if (n < 0) {
          const error = errno();
          if (error === EINTR) continue;
          return error === EAGAIN ? true : end(fd, 'reset');
        }
        toSend[fd]! -= n;
        if (toSend[fd]! > 0) continue;
        connections.answered(fd);
        if (plan.close === 'server') return end(fd, 'server');
        owed[fd]!--;
        toSend[fd] = text.length;
        postpone(fd);
      }
      return true;
    }

    /** The next answer takes its time from now on. */
    function postpone(fd: number): void {
      if (delay > 0 && owed[fd]! > 0 && !connections.isPostponed(fd)) connections.postpone(fd);
    }

    /** Count the ends of heads in what came, and answer. A GET has no body. @returns false when the connection was closed */
    function proceed(fd: number): boolean {
      for (;;) {
        const n = recv(fd, scratch.address, scratch.bytes.length, 0);
        if (n === 0) return end(fd, 'client');
        if (n < 0) {
          const error = errno();
          if (error === EINTR) continue;
          return error === EAGAIN ? answer(fd) : end(fd, 'reset');
        }
        const idle = owed[fd] === 0;
        read(fd, n);
        if (idle) postpone(fd);
        if (!answer(fd)) return false;
      }
    }

    return {
      events: (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) >>> 0,
      delay,
      begin(fd) {
        seen[fd] = 0;
        owed[fd] = 0;
        toSend[fd] = text.length;
        return proceed(fd);
      },
      proceed,
      due: answer,
      grow(descriptors) {
        seen = longer(seen, descriptors);
        owed = longer(owed, descriptors);
        toSend = longer(toSend, descriptors);
      },
    };
  });
}
