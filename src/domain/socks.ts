/**
 * The client's side of SOCKS5 (RFC 1928), as far as CONNECT without authentication needs it. Strict. Pure.
 */
import ipaddr from 'ipaddr.js';
import { SOCKS_NO_METHOD, SOCKS_REPLIES } from './outcome.js';
import type { Target } from './target.js';

const VERSION = 5;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
export const NO_AUTHENTICATION = 0;
export const SUCCEEDED = 0;

/** Version, one method, which is none. */
export const GREETING = Uint8Array.of(VERSION, 1, NO_AUTHENTICATION);

/** The outcome when the server wants another method (X'FF', or one that was not offered). */
export const NO_METHOD = `socks:${SOCKS_NO_METHOD}`;

/** The outcome of a reply: `socks:network-unreachable`; `socks:reply-9` for those that RFC 1928 leaves unassigned. */
export function replyName(reply: number): string {
  return `socks:${SOCKS_REPLIES[reply] ?? `reply-${reply}`}`;
}

/** The request to be connected to an address. */
export function connectRequest({ address, port }: Target): Uint8Array {
  const bytes = ipaddr.parse(address).toByteArray();
  return Uint8Array.of(VERSION, CONNECT, 0, bytes.length === 4 ? IPV4 : IPV6, ...bytes, port >> 8, port & 255);
}

/** @returns the length of the server's choice of a method, 0 when more must come, -1 when it is none */
export function parseMethod(bytes: Uint8Array): number {
  if (bytes.length > 0 && bytes[0] !== VERSION) return -1;
  return bytes.length < 2 ? 0 : 2;
}

/** @returns the length of the reply at the beginning of the bytes, 0 when more must come, -1 when it is none */
export function parseReply(bytes: Uint8Array): number {
  const [version, , reserved, type, first] = bytes;
  if (version !== undefined && version !== VERSION) return -1;
  if (reserved !== undefined && reserved !== 0) return -1;
  if (type === undefined) return 0;
  const length = lengthOf(type, first);
  if (length === undefined) return type === NAME ? 0 : -1;
  return bytes.length < length ? 0 : length;
}

/** Version, reply, reserved, type, address, port. @param first the first byte of the address, which is a name's length */
function lengthOf(type: number, first: number | undefined): number | undefined {
  if (type === IPV4) return 4 + 4 + 2;
  if (type === IPV6) return 4 + 16 + 2;
  return type === NAME && first !== undefined ? 4 + 1 + first + 2 : undefined;
}
