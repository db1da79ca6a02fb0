/**
 * Netlink sockets (netlink(7)): requests with an acknowledgement, and dumps. Messages are built and read in plain buffers.
 */

import { EAGAIN, EINTR, ENOBUFS, SystemCallError } from './errno.js';
import * as libc from './libc.js';

export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_NETFILTER = 12;

const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER = 16;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

type OnMessage = (view: DataView, from: number, to: number) => unknown;

export interface Netlink {
  /** Send a request and wait for its acknowledgement. @returns 0 or the errno of the refusal */
  request(type: number, flags: number, payload: Uint8Array): number;
  /**
   * Send messages as one, as nfnetlink takes a transaction: one of them with NLM_F_ACK, after those whose refusal is to be told.
   * @returns 0 or the errno of the first that was refused
   */
  transaction(messages: readonly NetlinkMessage[]): number;
  /**
   * Ask for a dump. `onMessage` gets a view of the receive buffer and where a message's payload begins and ends; the view is
   * overwritten afterwards. When it returns false the rest is not read, and nothing but {@link Netlink.close} may follow. @returns 0 or an errno
   */
  dump(type: number, payload: Uint8Array, onMessage: OnMessage): number;
  /**
   * Ask questions that have one answer each, or a refusal. `onMessage` gets the answers, in order, as those of a dump; refusals are passed over.
   * @param payloads one behind the other @param each length of one, a multiple of 4 bytes
   * @throws SystemCallError when they cannot be asked
   */
  askEach(type: number, payloads: Uint8Array, each: number, onMessage: OnMessage): void;
  close(): void;
}

/** Answers of a kilobyte each, which count for three in the kernel: no more than what a socket may queue unless somebody has lowered it. */
const ASKED_AT_ONCE = 32;

/** Open a netlink socket in the network namespace of the calling thread. Throws SystemCallError. */
export function openNetlink(protocol: number): Netlink {
  const fd = libc.socket(libc.AF_NETLINK, libc.SOCK_RAW | libc.SOCK_CLOEXEC, protocol);
  if (fd < 0) throw new SystemCallError('socket', libc.errno(), `AF_NETLINK ${protocol}`);
  const local = libc.nativeBuffer(12);
  local.view.setUint16(0, libc.AF_NETLINK, true);
  if (libc.bind(fd, local.address, 12) < 0) throw new SystemCallError('bind', libc.errno(), 'AF_NETLINK');
  const size = libc.nativeBuffer(4);
  size.view.setInt32(0, 1 << 20, true);
  libc.setsockopt(fd, libc.SOL_SOCKET, libc.SO_RCVBUF, size.address, 4);
  // The kernel fills dumps in pieces of at most 32 kB (net/netlink/af_netlink.c, netlink_dump), one recv each.
  const incoming = libc.nativeBuffer(1 << 16);
  let sequence = 0;

  function transmit(...messages: readonly NetlinkMessage[]): void {
    sequence++;
    const bytes = concat(...messages.map(withHeader));
    const buffer = libc.nativeBuffer(bytes.length);
    buffer.bytes.set(bytes);
    send(buffer.address, bytes.length);
  }

  function send(address: number, length: number): void {
    if (libc.send(fd, address, length, 0) < 0) throw new SystemCallError('send', libc.errno(), 'netlink');
  }

  /** The message with its header, padded to 4 bytes. */
  function withHeader({ type, flags, payload }: NetlinkMessage): Uint8Array {
    const length = HEADER + payload.length;
    const bytes = new Uint8Array((length + 3) & ~3);
    writeHeader(new DataView(bytes.buffer), 0, { type, flags, length });
    bytes.set(payload, HEADER);
    return bytes;
  }

  /** struct nlmsghdr. @param length of the message with it, bytes */
  function writeHeader(view: DataView, at: number, of: { type: number; flags: number; length: number }): void {
    view.setUint32(at, of.length, true);
    view.setUint16(at + 4, of.type, true);
    view.setUint16(at + 6, of.flags | NLM_F_REQUEST, true);
    view.setUint32(at + 8, sequence, true);
  }

  /** Read until the request's end. @returns 0 or an errno */
  function receive(onMessage: OnMessage): number {
    for (;;) {
      const n = libc.recv(fd, incoming.address, incoming.bytes.length, 0);
      if (n < 0) {
        const error = libc.errno();
        if (error === EINTR) continue;
        return error;
      }
      for (let at = 0; at + HEADER <= n; ) {
        const length = incoming.view.getUint32(at, true);
        const type = incoming.view.getUint16(at + 4, true);
        if (length < HEADER || at + length > n) break;
        if (incoming.view.getUint32(at + 8, true) === sequence) {
          if (type === NLMSG_ERROR) return -incoming.view.getInt32(at + HEADER, true);
          if (type === NLMSG_DONE) return 0;
          if (onMessage(incoming.view, at + HEADER, at + length) === false) return 0;
        }
        at += (length + 3) & ~3;
      }
    }
  }

  /** Read what there is: the kernel has answered when the question is sent. An answer that found no room is missing, and not waited for. */
  function receiveAnswers(onMessage: OnMessage): void {
    for (;;) {
      const n = libc.recv(fd, incoming.address, incoming.bytes.length, libc.MSG_DONTWAIT);
      if (n < 0) {
        const error = libc.errno();
        if (error === EAGAIN) return;
        if (error === EINTR || error === ENOBUFS) continue;
        throw new SystemCallError('recv', error, 'netlink');
      }
      for (let at = 0; at + HEADER <= n; ) {
        const length = incoming.view.getUint32(at, true);
        if (length < HEADER || at + length > n) break;
        const isAnswer = incoming.view.getUint16(at + 4, true) !== NLMSG_ERROR;
        if (isAnswer && incoming.view.getUint32(at + 8, true) === sequence)
          onMessage(incoming.view, at + HEADER, at + length);
        at += (length + 3) & ~3;
      }
    }
  }

  return {
    request(type, flags, payload) {
      transmit({ type, flags: flags | NLM_F_ACK, payload });
      return receive(() => {});
    },
    transaction(messages) {
      transmit(...messages);
      return receive(() => {});
    },
    dump(type, payload, onMessage) {
      transmit({ type, flags: NLM_F_DUMP, payload });
      return receive(onMessage);
    },
    askEach(type, payloads, each, onMessage) {
      const length = HEADER + each;
      const questions = libc.nativeBuffer(ASKED_AT_ONCE * length);
      for (let first = 0; first < payloads.length; first += ASKED_AT_ONCE * each) {
        const some = payloads.subarray(first, first + ASKED_AT_ONCE * each);
        sequence++;
        for (let at = 0, question = 0; at < some.length; at += each, question += length) {
          writeHeader(questions.view, question, { type, flags: 0, length });
          questions.bytes.set(some.subarray(at, at + each), question + HEADER);
        }
        send(questions.address, (some.length / each) * length);
        receiveAnswers(onMessage);
      }
    },
    close: () => void libc.close(fd),
  };
}

/** A netlink attribute (struct nlattr), padded to 4 bytes. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((4 + value.length + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

/** The parts in one array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** Little-endian 32-bit words. */
export function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** A NUL-terminated text. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}
