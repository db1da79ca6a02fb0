/**
 * The load's DNS: a query whose name is the mark of its attempt, so that no resolver has its answer already, and the answer of the origin, made
 * in place. Both ends know which address a name has. Nothing here allocates.
 *
 *     000004d20000000700000000.bindstorm.example, type A: association, attempt and worker, eight hexadecimal digits each
 *
 * `example` is reserved (RFC 2606); `test` is too, but resolvers answer that themselves (RFC 6761, section 6.2).
 */
import {
  AUTHORITATIVE_ANSWER,
  CLASS_IN,
  DNS_HEADER,
  IS_ANSWER,
  NAME_OF_QUESTION,
  RECURSION_AVAILABLE,
  responseCodeName,
  TTL_SECONDS,
  TYPE_A,
} from '../../domain/dns.js';
import { NO_ADDRESS } from '../../domain/outcome.js';

/** Messages in memory. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const DIGITS = 8;
const LABEL = 3 * DIGITS;
const SUFFIX = Uint8Array.from([9, ...Buffer.from('bindstorm'), 7, ...Buffer.from('example'), 0]);
/** Type and class. */
const KIND = 4;
/** Where the question of a query of the load ends, and the query with it. */
export const QUERY_BYTES = DNS_HEADER + 1 + LABEL + SUFFIX.length + KIND;
/** A record behind the question: pointer, type, class, time to live, length, IPv4 address. */
const RECORD_BYTES = 16;
/** The longest question: a name of 255 bytes. What is behind it, as EDNS, is not looked at. */
export const MOST_QUESTION_BYTES = DNS_HEADER + 255 + KIND;
/** 198.18.0.0/15 is for tests of networks (RFC 2544, appendix C.2.2); nobody connects to these addresses. */
const NET = 0xc612_0000;
const HOSTS = 0x1_ffff;

/** The address that the name of an attempt has. */
function addressOf(attempt: number): number {
  return (NET | (attempt & HOSTS)) >>> 0;
}

/** What does not change from query to query. @param bytes {@link QUERY_BYTES} of them from `at` on */
export function beginQuery({ bytes, view }: Memory, at: number): void {
  // RD: a resolver that is to forward it wants to be asked so.
  view.setUint16(at + 2, 0x0100);
  view.setUint16(at + 4, 1);
  bytes[at + DNS_HEADER] = LABEL;
  bytes.set(SUFFIX, at + DNS_HEADER + 1 + LABEL);
  view.setUint16(at + QUERY_BYTES - KIND, TYPE_A);
  view.setUint16(at + QUERY_BYTES - 2, CLASS_IN);
}

/** Write the mark into a query. */
export function markQuery(
  { bytes, view }: Memory,
  at: number,
  association: number,
  attempt: number,
  worker: number,
): void {
  // Of those that are under way from one socket no two may have the same; each socket that has one query has that of its own.
  view.setUint16(at, attempt & 0xffff);
  const mark = at + DNS_HEADER + 1;
  writeHex(bytes, mark, association);
  writeHex(bytes, mark + DIGITS, attempt);
  writeHex(bytes, mark + 2 * DIGITS, worker);
}

/** Whether `length` bytes from `at` on are the answer to a query of the load. */
export function isAnswer({ bytes }: Memory, at: number, length: number): boolean {
  return length >= QUERY_BYTES && (bytes[at + 2]! & IS_ANSWER) !== 0 && bytes[at + DNS_HEADER] === LABEL;
}

/** A number of the mark of a message: 0 the association, 1 the attempt, 2 the worker. @returns -1 when it is none */
export function markIn({ bytes }: Memory, at: number, nth: 0 | 1 | 2): number {
  return readHex(bytes, at + DNS_HEADER + 1 + nth * DIGITS);
}

/**
 * What is wrong with an answer to an attempt.
 * @returns its outcome: a response code (`dns:SERVFAIL`), or that it does not have the address of the name; empty: nothing
 */
export function answerProblem({ bytes, view }: Memory, at: number, length: number, attempt: number): string {
  const code = bytes[at + 3]! & 0x0f;
  if (code !== 0) return `dns:${responseCodeName(code)}`;
  // The first record is that of the question: it has no alias.
  const right =
    length >= QUERY_BYTES + RECORD_BYTES &&
    view.getUint16(at + 6) > 0 &&
    view.getUint16(at + QUERY_BYTES + 2) === TYPE_A &&
    view.getUint32(at + QUERY_BYTES + RECORD_BYTES - 4) === addressOf(attempt);
  return right ? '' : `dns:${NO_ADDRESS}`;
}

/**
 * Make the answer to the query from `at` on in its place: the address of its name, and that it has nothing of another type. What is not of the
 * load, as a check whether the server is there, has an address too.
 * @param length of the query
 * @returns that of the answer; 0: it is no query, and there is no answer
 */
export function answerInPlace(memory: Memory, at: number, length: number): number {
  const { bytes, view } = memory;
  if (length < DNS_HEADER + 1 + KIND || (bytes[at + 2]! & IS_ANSWER) !== 0 || view.getUint16(at + 4) !== 1) return 0;
  let end = DNS_HEADER;
  while (bytes[at + end]! !== 0) {
    // Longer than 63 is a pointer, of which a question has no use.
    if (bytes[at + end]! > 63) return 0;
    end += bytes[at + end]! + 1;
    if (end >= Math.min(length, MOST_QUESTION_BYTES)) return 0;
  }
  end += 1 + KIND;
  if (end > length) return 0;
  const known = view.getUint16(at + end - KIND) === TYPE_A;
  bytes[at + 2] = AUTHORITATIVE_ANSWER | (bytes[at + 2]! & 0x79);
  bytes[at + 3] = RECURSION_AVAILABLE;
  view.setUint16(at + 6, known ? 1 : 0);
  view.setUint32(at + 8, 0);
  if (!known) return end;
  const record = at + end;
  view.setUint16(record, NAME_OF_QUESTION);
  view.setUint16(record + 2, TYPE_A);
  view.setUint16(record + 4, CLASS_IN);
  view.setUint32(record + 6, TTL_SECONDS);
  view.setUint16(record + 10, 4);
  view.setUint32(record + 12, addressOf(bytes[at + DNS_HEADER] === LABEL ? Math.max(markIn(memory, at, 1), 0) : 0));
  return end + RECORD_BYTES;
}

function writeHex(bytes: Uint8Array, at: number, value: number): void {
  for (let i = DIGITS - 1, rest = value; i >= 0; i--, rest >>>= 4) {
    const digit = rest & 15;
    bytes[at + i] = digit < 10 ? 48 + digit : 87 + digit;
  }
}

/** @returns -1 when it is no number */
function readHex(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + DIGITS; i++) {
    // A resolver may change the case of letters.
    const code = bytes[i]! | 0x20;
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}
