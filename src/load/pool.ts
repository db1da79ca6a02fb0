/**
 * The pool of load workers, of one load or of several side by side: starts one thread each, lets them begin at the same instant, and
 * merges what they report.
 */
import { transportOf } from '../domain/protocol.js';
import { monotonicMicros } from '../kernel/libc.js';
import type { Outcomes, Wave } from '../results/schema.js';
import type { EngineInput, EngineReport } from './engine.js';
import { type Histograms, mergeHistograms } from './histogram.js';
import { NAME_SLOTS, namesIn } from './names.js';
import { outcomesOf, totalOf } from './outcome.js';
import type { FirstFailure } from './recorder.js';
import { CONTROL, createSharedLoad, ofOneLoad, type SharedLoad, SYN_SLOTS, sum } from './shared.js';
import { startWork } from './staying.js';
import type { WorkerMessage } from './worker.js';

/** A load. */
type PoolInput = Omit<EngineInput, 'worker' | 'slot' | 'shared'>;

export interface LoadReport {
  readonly outcomes: Outcomes;
  /** Connections of these outcomes that the origin has, where that is not all that it accepted. */
  readonly accepted?: number;
  /** A proxy's answers that were failures, as `503 ERR_CONNECT_FAIL 0`: status and X-Squid-Error → how many. */
  readonly answers: Readonly<Record<string, number>>;
  readonly histograms: Histograms;
  readonly peakOpen: number;
  /** UDP sockets that got a local port; of TCP 0. */
  readonly portsTaken: number;
  /** Connections by the SYN that was answered, the first first; absent: nobody counts. */
  readonly syns?: readonly number[];
  readonly firstFailure: FirstFailure | null;
  readonly waves: readonly Wave[];
  readonly cpu: { readonly user: number; readonly system: number };
  /** Microseconds from the start of the load to when the last of its workers began; absent: there are none. */
  readonly beganAfter?: number;
  /** Seconds from the start of the load to the last outcome. */
  readonly seconds: number;
}

/** Of all loads of a pool together, and of each. */
export interface PoolReport extends LoadReport {
  readonly loads: readonly LoadReport[];
}

export interface Pool {
  readonly shared: SharedLoad;
  /** Let the load begin, `leadMicros` from now. @returns the start, CLOCK_MONOTONIC µs */
  start(leadMicros: number): number;
  /** Outcomes so far. */
  outcomes(): Outcomes;
  /** Answers of a proxy that were no failures so far, and the microseconds that they took together. */
  responses(): { readonly micros: number; readonly count: number };
  /** Every attempt has its outcome; what is held is still open. Rejects when a worker dies. */
  readonly drained: Promise<void>;
  /** End early. Attempts under way get no outcome. */
  stop(): void;
  /** Close what is held and collect the reports. */
  finish(): Promise<PoolReport>;
}

const WORKER = new URL('./worker.js', import.meta.url);

/**
 * Start the workers; resolves when all are ready. Rejects when one cannot start.
 * @param loads one, or several that begin and end together, as one program's: its counters are those of all
 * @param module what they run: worker.ts, or what it was bundled into
 */
export async function createPool(loads: PoolInput | readonly PoolInput[], module = WORKER): Promise<Pool> {
  const inputs = [loads].flat();
  const shared = createSharedLoad(sum(inputs.map(({ plan }) => plan.workers)));
  const { control } = shared;
  let slot = 0;
  const threads = inputs.flatMap((input, load) => {
    const own = ofOneLoad(shared);
    return Array.from({ length: input.plan.workers }, (_, worker) => ({
      load,
      ...startWorker({ ...input, worker, slot: slot++, shared: own }, module),
    }));
  });
  await Promise.all(threads.map((thread) => thread.ready));
  const reports = Promise.all(threads.map((thread) => thread.report));
  // A worker's death is reported by whoever waits; until then it must not count as an unhandled rejection.
  reports.catch(() => {});
  const drained = Promise.all(threads.map((thread) => thread.drained)).then(() => undefined);
  drained.catch(() => {});

  return {
    shared,
    start(leadMicros) {
      shared.start[0] = monotonicMicros() + leadMicros;
      Atomics.store(control, CONTROL.go, 1);
      Atomics.notify(control, CONTROL.go);
      return shared.start[0];
    },
    outcomes: () => outcomesOf(shared.counters, namesIn(shared.outcomeNames)),
    responses: () => ({ micros: everyOther(shared.responses, 0), count: everyOther(shared.responses, 1) }),
    drained,
    stop() {
      Atomics.store(control, CONTROL.stop, 1);
    },
    async finish() {
      Atomics.store(control, CONTROL.release, 1);
      Atomics.notify(control, CONTROL.release);
      const all = await reports;
      const of = (load: number) => (_: unknown, place: number) => threads[place]!.load === load;
      const loads = inputs.map((_, load) => merge(all.filter(of(load)), shared.counters.filter(of(load)), shared));
      const whole = merge(all, shared.counters, shared);
      return { ...whole, syns: synsOf(shared, whole.outcomes.ok ?? 0), loads };
    },
  };
}

interface WorkerThread {
  readonly ready: Promise<void>;
  readonly drained: Promise<void>;
  readonly report: Promise<EngineReport>;
}

/** What a thread has loaded for its load, where it may stay for another: the HTTP client keeps what it knows of a server. */
function kindOf({ plan }: EngineInput): string | null {
  return plan.engine === 'http' ? null : transportOf(plan.protocol);
}

function startWorker(input: EngineInput, module: URL): WorkerThread {
  const thread = startWork(module, kindOf(input), input);
  const died = new Promise<never>((_, reject) => {
    thread.on('error', reject);
    // Its last messages are delivered before this event but handled after it: let them go first.
    thread.on('exit', () =>
      setImmediate(() => reject(new Error(`load worker ${input.worker} ended before it reported`))),
    );
  });
  died.catch(() => {});
  const message = <T extends WorkerMessage['type']>(type: T) =>
    new Promise<Extract<WorkerMessage, { type: T }>>((resolve) => {
      thread.on('message', (posted) => {
        const received = posted as WorkerMessage;
        if (received.type === type) resolve(received as Extract<WorkerMessage, { type: T }>);
      });
    });
  return {
    ready: Promise.race([message('ready').then(() => undefined), died]),
    drained: Promise.race([message('drained').then(() => undefined), died]),
    report: Promise.race([
      message('report').then(({ report }) => {
        thread.done();
        return report;
      }),
      died,
    ]),
  };
}

/** @param counters of those that report */
function merge(reports: readonly EngineReport[], counters: SharedLoad['counters'], shared: SharedLoad): LoadReport {
  const names = namesIn(shared.outcomeNames);
  const waveCount = Math.max(...reports.map((report) => report.waves.length));
  const firstOf = (wave: number) =>
    reports.map((report) => report.waves[wave]?.firstFailure ?? null).find((found) => found !== null) ?? null;
  const waves = Array.from({ length: waveCount }, (_, wave): Wave => {
    const outcomes = outcomesOf(
      reports.flatMap((report) => report.waves[wave]?.counters ?? []),
      names,
    );
    return { attempts: totalOf(outcomes), outcomes, firstFailureAt: firstOf(wave)?.open ?? null };
  });
  return {
    outcomes: outcomesOf(counters, names),
    answers: answersOf(shared),
    histograms: mergeHistograms(reports.map((report) => report.histograms)),
    peakOpen: sum(reports.map((report) => report.peakOpen)),
    portsTaken: sum(reports.map((report) => report.portsTaken)),
    firstFailure: waves.map((_, wave) => firstOf(wave)).find((found) => found !== null) ?? null,
    waves,
    cpu: {
      user: sum(reports.map((report) => report.cpu.user)),
      system: sum(reports.map((report) => report.cpu.system)),
    },
    beganAfter: Math.max(...reports.map((report) => report.beganAfter)),
    seconds: Math.max(...reports.map((report) => report.endedAfter)) / 1e6,
  };
}

/** Of pairs of values, the sum of the firsts or of the seconds. */
function everyOther(values: Float64Array, which: 0 | 1): number {
  return sum(values.filter((_, i) => i % 2 === which));
}

/** @param ok attempts, each of which had a connection that stood */
function synsOf({ syns }: SharedLoad, ok: number): number[] {
  const again = Array.from({ length: SYN_SLOTS }, (_, slot) => sum(syns.map((counters) => counters[slot]!)));
  const all = [Math.max(0, ok - sum(again)), ...again.slice(1)];
  return all.slice(0, all.findLastIndex((count) => count > 0) + 1);
}

function answersOf({ answerNames, answers }: SharedLoad): Record<string, number> {
  const counts = namesIn(answerNames).map((name, i) => [name, sum(answers.map((counters) => counters[i]!))] as const);
  const rest = sum(answers.map((counters) => counters[NAME_SLOTS - 1]!));
  return Object.fromEntries([...counts, ...(rest > 0 ? [['other', rest] as const] : [])]);
}
