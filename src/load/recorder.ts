/**
 * What one worker writes down about its attempts.
 */
import { createHistograms, type Histograms, record } from './histogram.js';
import { SLOT_OK, SLOT_SHED } from './outcome.js';
import { CONTROL, type SharedLoad, sum } from './shared.js';

/** How full things were when the first attempt of a wave failed. */
export interface FirstFailure {
  /** Sockets open, over all workers. */
  readonly open: number;
  /** ok attempts of the whole load so far, over all workers. */
  readonly ok: number;
}

export interface Recorder {
  readonly histograms: Histograms;
  /** Most connections (sockets that were established) that this worker had open at once. */
  readonly peakOpen: number;
  /** One entry a wave that had begun; null when no attempt of it failed first in this worker. */
  readonly firstFailures: (FirstFailure | null)[];
  opened(): void;
  /** @param established whether its attempt had been ok */
  closed(established: boolean): void;
  open(): number;
  ok(totalMicros: number): void;
  shed(): void;
  failed(slot: number, micros: number): void;
  beginWave(): void;
}

export function createRecorder(shared: SharedLoad, worker: number): Recorder {
  const counters = shared.counters[worker]!;
  const histograms = createHistograms();
  const allOk = () => sum(shared.counters.map((counter) => counter[SLOT_OK]!));
  let wave = -1;
  let open = 0;
  let connected = 0;
  const recorder = {
    histograms,
    peakOpen: 0,
    firstFailures: [] as (FirstFailure | null)[],
    opened() {
      shared.open[worker] = ++open;
    },
    closed(established: boolean) {
      shared.open[worker] = --open;
      if (established) connected--;
    },
    open: () => open,
    ok(totalMicros: number) {
      counters[SLOT_OK]!++;
      if (++connected > recorder.peakOpen) recorder.peakOpen = connected;
      record(histograms.total, totalMicros);
    },
    shed() {
      counters[SLOT_SHED]!++;
    },
    failed(slot: number, micros: number) {
      // Taken before the failure is counted: the first reader of the flag sees what was open without it.
      if (Atomics.compareExchange(shared.control, CONTROL.firstFailure + wave, 0, 1) === 0) {
        recorder.firstFailures[wave] = { open: sum(shared.open), ok: allOk() };
      }
      counters[slot]!++;
      Atomics.add(shared.control, CONTROL.failures, 1);
      record(histograms.failed, micros);
    },
    beginWave() {
      wave++;
      recorder.firstFailures.push(null);
    },
  };
  return recorder;
}
