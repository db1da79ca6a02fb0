/**
 * The mark that each datagram of the load has, and that its answer brings back: which association it belongs to. By it the load knows
 * an answer that came to the wrong socket. Of DNS it is the name that is asked for (queries.ts), of TURN the ID of the transaction (turn.ts); else
 * the origin sends it back:
 *
 *     bytes 0–3  the association: an index of this worker's tables
 *     bytes 4–7  the attempt: its number in the whole load, so that an answer to an earlier one is not taken for it
 *     bytes 8–11 the worker
 */
import { MARK_BYTES } from '../../domain/datagram.js';
import type { LoadPlan } from '../../plan/plan.js';
import { answerProblem, beginQuery, isAnswer, type Memory, markIn, markQuery, QUERY_BYTES } from './queries.js';
import { ALLOCATE_BYTES, allocateProblem, beginAllocate, isAllocateAnswer, TRANSACTION } from './turn.js';

/** Of DNS over UDP without EDNS (RFC 1035, section 2.3.4), and more than a TURN server says. */
const LONGEST_ANSWER = 512;

/** How datagrams are marked, and what an answer says. All work on memory that C sees, from a place `at` on. */
export interface Marks {
  /** Bytes of a datagram that is sent. */
  readonly requestBytes: number;
  /** The longest answer that is expected; of a longer one no more is received. */
  readonly answerBytes: number;
  /** Write what is the same in every datagram. */
  begin(memory: Memory, at: number): void;
  /** Mark the datagram to be sent. */
  mark(memory: Memory, at: number, association: number, attempt: number): void;
  /** The association of what was received. @param bytes how much that was @returns -1 when it is not this worker's */
  association(memory: Memory, at: number, bytes: number): number;
  /** The attempt of what was received. */
  attempt(memory: Memory, at: number): number;
  /** The outcome of an answer that is a failure, as `dns:SERVFAIL`; empty: it is none. */
  problem(memory: Memory, at: number, bytes: number): string;
}

/** @param worker its place among those of all loads */
export function createMarks({ protocol, exchange }: Pick<LoadPlan, 'protocol' | 'exchange'>, worker: number): Marks {
  switch (protocol) {
    case 'dns':
      return dnsMarks(worker);
    case 'turn':
      return turnMarks(worker);
    default:
      return plainMarks(exchange, worker);
  }
}

function plainMarks(exchange: LoadPlan['exchange'], worker: number): Marks {
  return {
    requestBytes: Math.max(exchange?.request ?? 0, MARK_BYTES),
    answerBytes: Math.max(exchange?.response ?? 0, MARK_BYTES),
    begin: ({ view }, at) => view.setUint32(at + 8, worker, true),
    mark({ view }, at, association, attempt) {
      view.setUint32(at, association, true);
      view.setUint32(at + 4, attempt >>> 0, true);
    },
    association: ({ view }, at, bytes) =>
      bytes >= MARK_BYTES && view.getUint32(at + 8, true) === worker ? view.getUint32(at, true) : -1,
    attempt: ({ view }, at) => view.getUint32(at + 4, true),
    problem: () => '',
  };
}

function dnsMarks(worker: number): Marks {
  return {
    requestBytes: QUERY_BYTES,
    answerBytes: LONGEST_ANSWER,
    begin: beginQuery,
    mark: (memory, at, association, attempt) => markQuery(memory, at, association, attempt, worker),
    association: (memory, at, bytes) =>
      isAnswer(memory, at, bytes) && markIn(memory, at, 2) === worker ? markIn(memory, at, 0) : -1,
    attempt: (memory, at) => markIn(memory, at, 1),
    problem: (memory, at, bytes) => answerProblem(memory, at, bytes, markIn(memory, at, 1)),
  };
}

function turnMarks(worker: number): Marks {
  return {
    requestBytes: ALLOCATE_BYTES,
    answerBytes: LONGEST_ANSWER,
    begin: (memory, at) => beginAllocate(memory, at, worker),
    mark({ view }, at, association, attempt) {
      view.setUint32(at + TRANSACTION, association);
      view.setUint32(at + TRANSACTION + 4, attempt >>> 0);
    },
    association: (memory, at, bytes) =>
      isAllocateAnswer(memory, at, bytes) && memory.view.getUint32(at + TRANSACTION + 8) === worker
        ? memory.view.getUint32(at + TRANSACTION)
        : -1,
    attempt: ({ view }, at) => view.getUint32(at + TRANSACTION + 4),
    problem: allocateProblem,
  };
}
