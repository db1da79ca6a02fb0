/**
 * Memory that the agent and its load workers share during a run. Each counter has one writer, so plain stores are
 * enough; what several workers write goes through Atomics.
 */
import { createNameTable, NAME_SLOTS, type NameTable } from './names.js';
import { OUTCOME_SLOTS } from './outcome.js';

/** Slots of `control`. */
export const CONTROL = {
  /** The agent sets it to 1: end the run now. */
  stop: 0,
  /** The agent sets it to 1 when it has taken its last sample: close what is held. */
  release: 1,
  /** Workers that have reached the end of a wave, summed over the waves. */
  waveEnds: 3,
  /** The pool sets it to 1 once `start` is written. */
  go: 4,
  /** The first of one slot per wave: 1 once an attempt of that wave has failed. */
  firstFailure: 8,
} as const;

const MAX_WAVES = 100;
/** More SYNs no kernel sends by default (tcp_syn_retries 6, tcp_syn_linear_timeouts 4); the last slot is for those beyond. */
export const SYN_SLOTS = 16;

export interface SharedLoad {
  readonly control: Int32Array;
  /** [0]: failed attempts of this load's workers, counted for `fill`. */
  readonly failures: Int32Array;
  /** Per worker: one counter an outcome (outcome.ts). */
  readonly counters: readonly Int32Array[];
  /** The names of outcomes that the code does not know beforehand, and of a proxy's answers in full. */
  readonly outcomeNames: NameTable;
  readonly answerNames: NameTable;
  /** Per worker: one counter an answer that was a failure. */
  readonly answers: readonly Int32Array[];
  /** Per worker two values: microseconds that ok answers of a proxy took, and how many there were. */
  readonly responses: Float64Array;
  /** Per worker: connections that stood after one more SYN than the slot's number; those of the first are not counted here. */
  readonly syns: readonly Int32Array[];
  /** Per worker: sockets open now. */
  readonly open: Int32Array;
  /** [0]: CLOCK_MONOTONIC microseconds at which the load starts. */
  readonly start: Float64Array;
}

/** Memory for one run, all zero. @param workers of all loads together */
export function createSharedLoad(workers: number): SharedLoad {
  const ints = (n: number) => new Int32Array(new SharedArrayBuffer(4 * n));
  return {
    control: ints(CONTROL.firstFailure + MAX_WAVES),
    failures: ints(1),
    counters: Array.from({ length: workers }, () => ints(OUTCOME_SLOTS)),
    outcomeNames: createNameTable(),
    answerNames: createNameTable(),
    answers: Array.from({ length: workers }, () => ints(NAME_SLOTS)),
    responses: new Float64Array(new SharedArrayBuffer(16 * workers)),
    syns: Array.from({ length: workers }, () => ints(SYN_SLOTS)),
    open: ints(workers),
    start: new Float64Array(new SharedArrayBuffer(8)),
  };
}

/** The memory of one of several loads that run side by side: its own are only the failures that end it. */
export function ofOneLoad(shared: SharedLoad): SharedLoad {
  return { ...shared, failures: new Int32Array(new SharedArrayBuffer(4)) };
}

/** Sum of a per-worker value. */
export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
