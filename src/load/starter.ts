/**
 * Starters: when the engine begins the next attempt. One for each kind of arrival; the engine's loop asks, the starter starts.
 */
import { fillBoundMs } from '../plan/fill-bound.js';
import type { Arrival } from '../plan/plan.js';
import { createPacer, isPaced, type PacedArrival } from './pacer.js';
import type { Recorder } from './recorder.js';
import type { SharedLoad } from './shared.js';

/** Attempts begun in one go before the engine looks at its events again, so that neither starves the other. */
const BURST = 128;

/** What the starters start, of either engine. */
export interface StartedLoad {
  /** Attempts without an outcome yet, and connections that drain. A function, because V8 does not inline an own getter. */
  pending(): number;
  /** Begin the n-th attempt of the load, due at `scheduled`; `started` is now (both CLOCK_MONOTONIC, µs). */
  attempt(n: number, scheduled: number, started: number): void;
}

export interface Starter {
  /**
   * Begin what is due.
   * @param at now, µs
   * @returns when to be called again, µs: not later than `at` when there is more to do at once, Infinity when only an event can
   * make room
   */
  start(at: number): number;
  /** No attempt will be started any more. */
  finished(at: number): boolean;
}

export interface StarterInput {
  readonly connections: StartedLoad;
  readonly recorder: Recorder;
  readonly shared: SharedLoad;
  readonly worker: number;
  readonly workers: number;
  readonly seed: number;
  /** Sockets that this worker may have open at once. */
  readonly budget: number;
  /** Microseconds now. */
  readonly now: () => number;
}

/** The starter of an arrival. @param start the load's beginning, µs */
export function createStarter(arrival: Arrival, start: number, input: StarterInput): Starter {
  if (isPaced(arrival)) return pacedStarter(arrival, start, input);
  if (arrival.shape === 'own') throw new Error('a program that drives itself has no load');
  return arrival.shape === 'fill' ? fillStarter(arrival, input) : holdStarter(arrival, start, input);
}

/** Attempts at scheduled instants: open loop. `start` is the load's beginning, µs. */
function pacedStarter(arrival: PacedArrival, start: number, input: StarterInput): Starter {
  const pacer = createPacer(arrival, input.worker, input.workers, input.seed);
  let n = input.worker;
  let due = start + pacer();
  return {
    start(at) {
      let clock = at;
      for (let burst = 0; due <= clock && burst < BURST; burst++) {
        input.connections.attempt(n, due, clock);
        n += input.workers;
        due = start + pacer();
        clock = input.now();
      }
      return due;
    },
    finished: () => due === Number.POSITIVE_INFINITY,
  };
}

/** As fast as handshakes complete, up to so many attempts or failures, or until its time is over. */
function fillStarter(arrival: Extract<Arrival, { shape: 'fill' }>, input: StarterInput): Starter {
  const { failures } = input.shared;
  const failuresBefore = Atomics.load(failures, 0);
  let n = input.worker;
  let over = false;
  const boundMs = fillBoundMs(arrival);
  let end: number | undefined;
  const limitReached = () =>
    (arrival.attempts !== null && n >= arrival.attempts) ||
    (arrival.failures !== null && Atomics.load(failures, 0) - failuresBefore >= arrival.failures);
  return {
    start(at) {
      end ??= boundMs === null ? Number.POSITIVE_INFINITY : at + boundMs * 1000;
      for (let burst = 0; burst < BURST; burst++) {
        over ||= limitReached() || (end !== Number.POSITIVE_INFINITY && input.now() >= end);
        if (over) return Number.POSITIVE_INFINITY;
        // With a number of attempts to make, those that find no descriptor are shed one by one; without one, a full table
        // would be shed without end.
        if (arrival.attempts === null && input.recorder.open() >= input.budget) {
          over = true;
          return Number.POSITIVE_INFINITY;
        }
        if (input.connections.pending() >= arrival.inFlight) return Number.POSITIVE_INFINITY;
        const clock = input.now();
        input.connections.attempt(n, clock, clock);
        n += input.workers;
      }
      return at;
    },
    finished: () => over,
  };
}

/** Keep so many connections open; when one ends, open another. */
function holdStarter(arrival: Extract<Arrival, { shape: 'hold' }>, start: number, input: StarterInput): Starter {
  const { worker, workers, connections } = input;
  const { open } = input.recorder;
  const target = Math.floor(arrival.connections / workers) + (worker < arrival.connections % workers ? 1 : 0);
  const end = start + arrival.durationMs * 1000;
  /** A slot whose attempt failed is tried again after this long: failures are fast, and a loop of them measures nothing. */
  const RETRY = 10_000;
  let n = worker;
  let notBefore = 0;
  return {
    start(at) {
      if (at >= end) return Number.POSITIVE_INFINITY;
      for (let burst = 0; burst < BURST; burst++) {
        if (open() >= target) return end;
        if (at < notBefore) return Math.min(notBefore, end);
        const before = open();
        const clock = input.now();
        connections.attempt(n, clock, clock);
        n += workers;
        if (open() === before) notBefore = at + RETRY;
      }
      return at;
    },
    finished: (at) => at >= end,
  };
}
