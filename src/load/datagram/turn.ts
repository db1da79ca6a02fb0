/**
 * The load's TURN (RFC 8656): an Allocate request without credentials, whose transaction has the mark as its ID, and what the server says to it. An
 * allocation is not refreshed: it ends with its lifetime. Nothing here allocates memory but the name of a failure.
 */
import type { Memory } from './queries.js';

/** Header: type, length, magic cookie, ID of the transaction (RFC 8489, section 5). */
const HEADER = 20;
const COOKIE = 0x2112_a442;
/** Where the ID begins, 12 bytes. */
export const TRANSACTION = 8;
const ALLOCATE = 0x0003;
const ALLOCATED = 0x0103;
const REFUSED = 0x0113;
const REQUESTED_TRANSPORT = 0x0019;
const ERROR_CODE = 0x0009;
const UDP = 17;
export const ALLOCATE_BYTES = HEADER + 8;

/** What is the same in every request. */
export function beginAllocate({ view }: Memory, at: number, worker: number): void {
  view.setUint16(at, ALLOCATE);
  view.setUint16(at + 2, ALLOCATE_BYTES - HEADER);
  view.setUint32(at + 4, COOKIE);
  view.setUint32(at + TRANSACTION + 8, worker);
  view.setUint16(at + HEADER, REQUESTED_TRANSPORT);
  view.setUint16(at + HEADER + 2, 4);
  view.setUint8(at + HEADER + 4, UDP);
}

/** Whether so many bytes are the answer to an Allocate request. */
export function isAllocateAnswer({ view }: Memory, at: number, bytes: number): boolean {
  if (bytes < HEADER || view.getUint32(at + 4) !== COOKIE) return false;
  const type = view.getUint16(at);
  return type === ALLOCATED || type === REFUSED;
}

/** The outcome of such an answer: `turn:508`; empty: there is a relay. */
export function allocateProblem({ view }: Memory, at: number, bytes: number): string {
  if (view.getUint16(at) === ALLOCATED) return '';
  for (let i = HEADER; i + 8 <= bytes; i += 4 + ((view.getUint16(at + i + 2) + 3) & ~3))
    if (view.getUint16(at + i) === ERROR_CODE)
      return `turn:${(view.getUint8(at + i + 6) & 7) * 100 + view.getUint8(at + i + 7)}`;
  return 'turn:500';
}
