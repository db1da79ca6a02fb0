/**
 * What one worker writes down about its attempts.
 */
import { LATENCY_PHASES, type LatencyPhase } from '../domain/metric.js';
import { answerName } from '../domain/outcome.js';
import { createHistograms, type Histograms } from './histogram.js';
import { nameIndexer } from './names.js';
import { FIRST_NAMED, SLOT_OK, SLOT_SHED } from './outcome.js';
import { CONTROL, type SharedLoad, SYN_SLOTS, sum } from './shared.js';
import { count, createTally, settle, type Tally } from './tally.js';

/** How full things were when the first attempt of a wave failed. */
export interface FirstFailure {
  /** Sockets open, over all workers. */
  readonly open: number;
  /** ok attempts of the whole load so far, over all workers. */
  readonly ok: number;
}

/** Its functions need no receiver: V8 keeps an object with getters as a hash table, so the hot loop takes them out of it first. */
export interface Recorder {
  /** Where the engine counts the times of each phase. */
  readonly tallies: Readonly<Record<LatencyPhase, Tally>>;
  /** What the tallies have counted so far. */
  readonly histograms: Histograms;
  /** Most connections (sockets that were established) that this worker had open at once. */
  readonly peakOpen: number;
  /** UDP sockets that got a local port. */
  readonly portsTaken: number;
  /** One entry a wave that had begun; null when no attempt of it failed first in this worker. */
  readonly firstFailures: (FirstFailure | null)[];
  opened(): void;
  /** A UDP socket has its local port. */
  tookPort(): void;
  /** @param established whether its attempt had been ok */
  closed(established: boolean): void;
  open(): number;
  /** @param totalMicros since the scheduled instant @param serviceMicros since the start */
  ok(totalMicros: number, serviceMicros: number): void;
  /** An attempt on a connection of which an earlier attempt was ok. */
  okAgain(totalMicros: number, serviceMicros: number): void;
  /** A connection stood only after so many further SYNs. */
  synsAgain(further: number): void;
  shed(): void;
  failed(slot: number, micros: number): void;
  /** A proxy's answer that was no failure, and how long it took. */
  answered(micros: number): void;
  /** One that was. @returns the slot of its outcome */
  refused(status: number, squidError: string): number;
  /** A reply of SOCKS5 that was a failure, by the name of its outcome. @returns the slot of the outcome */
  replied(outcome: string, reply: string): number;
  beginWave(): void;
}

/** The recorder of one worker, which writes its part of the shared memory. @param worker its place there */
export function createRecorder(shared: SharedLoad, worker: number): Recorder {
  const counters = shared.counters[worker]!;
  const histograms = createHistograms();
  const allOk = () => sum(shared.counters.map((counter) => counter[SLOT_OK]!));
  const tallies = Object.fromEntries(LATENCY_PHASES.map((phase) => [phase, createTally(histograms[phase])])) as Record<
    LatencyPhase,
    Tally
  >;
  const firstFailures: (FirstFailure | null)[] = [];
  const outcomeIndex = nameIndexer(shared.outcomeNames);
  const answerIndex = nameIndexer(shared.answerNames);
  const { responses } = shared;
  const answers = shared.answers[worker]!;
  const syns = shared.syns[worker]!;
  let wave = -1;
  let open = 0;
  let connected = 0;
  let peakOpen = 0;
  let portsTaken = 0;
  return {
    tallies,
    get histograms() {
      for (const phase of LATENCY_PHASES) settle(tallies[phase]);
      return histograms;
    },
    get peakOpen() {
      return peakOpen;
    },
    get portsTaken() {
      return portsTaken;
    },
    firstFailures,
    opened() {
      shared.open[worker] = ++open;
    },
    tookPort() {
      portsTaken++;
    },
    closed(established: boolean) {
      shared.open[worker] = --open;
      if (established) connected--;
    },
    open: () => open,
    ok(totalMicros: number, serviceMicros: number) {
      counters[SLOT_OK]!++;
      if (++connected > peakOpen) peakOpen = connected;
      count(tallies.total, totalMicros);
      count(tallies.service, serviceMicros);
    },
    okAgain(totalMicros: number, serviceMicros: number) {
      counters[SLOT_OK]!++;
      count(tallies.total, totalMicros);
      count(tallies.service, serviceMicros);
    },
    synsAgain(further: number) {
      syns[Math.min(further, SYN_SLOTS - 1)]!++;
    },
    shed() {
      counters[SLOT_SHED]!++;
    },
    failed(slot: number, micros: number) {
      // Taken before the failure is counted: the first reader of the flag sees what was open without it.
      if (Atomics.compareExchange(shared.control, CONTROL.firstFailure + wave, 0, 1) === 0) {
        firstFailures[wave] = { open: sum(shared.open), ok: allOk() };
      }
      counters[slot]!++;
      Atomics.add(shared.failures, 0, 1);
      count(tallies.failed, micros);
    },
    answered(micros: number) {
      responses[2 * worker]! += micros;
      responses[2 * worker + 1]!++;
      count(tallies.response, micros);
    },
    refused(status: number, squidError: string) {
      answers[answerIndex(`${status} ${squidError}`.trimEnd())]!++;
      return FIRST_NAMED + outcomeIndex(answerName(status, squidError));
    },
    replied(outcome: string, reply: string) {
      answers[answerIndex(reply)]!++;
      return FIRST_NAMED + outcomeIndex(outcome);
    },
    beginWave() {
      wave++;
      firstFailures.push(null);
    },
  };
}
