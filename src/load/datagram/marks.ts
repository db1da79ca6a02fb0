/**
 * The mark that each datagram of the load begins with, and that the origin sends back: which association it belongs to. By it the load knows
 * an answer that came to the wrong socket.
 *
 *     bytes 0–3  the association: an index of this worker's tables
 *     bytes 4–7  the attempt: its number in the whole load, so that an answer to an earlier one is not taken for it
 *     bytes 8–11 the worker
 */
import { MARK_BYTES } from '../../domain/datagram.js';
import { type NativeBuffer, nativeBuffer } from '../../kernel/libc.js';
import type { LoadPlan } from '../../plan/plan.js';

/** Larger than any datagram. */
const ROOM = 65_536;

/** One datagram to be sent and one that was received, in memory that C sees. */
export interface Marks {
  /** What is sent: its native address and its bytes. */
  readonly request: number;
  readonly requestBytes: number;
  /** Where what comes is to be written, and how much room there is. */
  readonly answer: number;
  readonly room: number;
  /** Mark the datagram to be sent. */
  mark(association: number, attempt: number): void;
  /** The association of what was received. @param bytes how much that was @returns -1 when it is not this worker's */
  association(bytes: number): number;
  /** The attempt of what was received. */
  attempt(): number;
}

/** @param worker its place among those of all loads */
export function createMarks(exchange: LoadPlan['exchange'], worker: number): Marks {
  const out: NativeBuffer = nativeBuffer(Math.max(exchange?.request ?? 0, MARK_BYTES));
  const into: NativeBuffer = nativeBuffer(ROOM);
  out.view.setUint32(8, worker, true);
  return {
    request: out.address,
    requestBytes: Math.max(exchange?.request ?? 0, MARK_BYTES),
    answer: into.address,
    room: ROOM,
    mark(association, attempt) {
      out.view.setUint32(0, association, true);
      out.view.setUint32(4, attempt >>> 0, true);
    },
    association: (bytes) =>
      bytes >= MARK_BYTES && into.view.getUint32(8, true) === worker ? into.view.getUint32(0, true) : -1,
    attempt: () => into.view.getUint32(4, true),
  };
}
