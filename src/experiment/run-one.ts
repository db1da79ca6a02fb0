/**
 * One run: a fresh lab, the agent's measurement, the lab gone. Whatever goes wrong ends as a failed run, never as an exception,
 * so that one bad run does not lose the others.
 */

import type { Measurement, PHASES, RunSpec } from '../agent/protocol.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { formatDuration, formatLeft } from '../domain/format.js';
import { LABS } from '../domain/lab.js';
import { suspendedMicros } from '../kernel/libc.js';
import type { Lab, LabSession } from '../lab/lab.js';
import type { Arm, Experiment } from '../plan/plan.js';
import type { Environment, Run, Second } from '../results/schema.js';
import { expectedLoadMs, longestDrainMs, neighboursMs, runDeadlineMs } from './duration.js';
import type { PlannedRun } from './order.js';

export interface RunOutcome {
  readonly run: Run;
  /** Phase → encoded histogram; null for a run without a measurement. */
  readonly histograms: Readonly<Record<string, string>> | null;
  /** What the proxy under test was configured with: file name → text. */
  readonly configuration?: Readonly<Record<string, string>>;
}

export interface RunOneInput {
  readonly lab: Lab;
  readonly arm: Arm;
  /** The loads beside it. */
  readonly neighbours?: Experiment['neighbours'];
  readonly planned: PlannedRun;
  readonly network: RunSpec['network'];
  /** Ports in use are compared, so that those which the run before has left always matter. */
  readonly portsMatter?: boolean;
  /** Milliseconds between two samples, where it is known what they are for; absent: short runs are sampled more often. */
  readonly sampleMs?: number;
  /** Count the system calls of its proxy. */
  readonly observe?: RunSpec['observe'];
  readonly signal: AbortSignal;
  /** Milliseconds after which the run is given up, from the agent's hello; otherwise what runDeadlineMs() allows. */
  readonly deadlineMs?: number;
  readonly onSample: (second: Second) => void;
  /** What the run waits for now. */
  readonly onWait?: (what: string) => void;
  /** Microseconds for which this machine has been suspended; tests have a clock of their own. */
  readonly suspended?: () => number;
  /** The load is over, and what comes now disturbs no measurement. */
  readonly onLoadEnd?: () => void;
}

/** After an order to stop, how long the agent may take to hand in what it has. */
const STOP_DEADLINE_MS = 5_000;
/** The same on an emulated CPU, where a busy host makes seconds of what takes milliseconds. */
const EMULATED_STOP_DEADLINE_MS = 20_000;
/** Runs shorter than this are sampled ten times a second or, when even that is few, ten times a run. */
const SHORT_RUN_MS = 5_000;

/** What a run waits for while it is in a phase. */
const WAITS: Readonly<Record<(typeof PHASES)[number], string>> = {
  ports: 'free ports',
  network: 'its addresses and routes',
  origin: 'its origin',
  sysctls: 'its sysctls',
  load: 'its load to end',
  collect: 'its figures',
};

/** Make one run in a fresh lab. Never rejects. */
export async function runOne(input: RunOneInput): Promise<RunOutcome> {
  const begun = performance.now();
  const startedAt = new Date().toISOString();
  let session: LabSession | undefined;
  try {
    input.onWait?.('its lab');
    session = await input.lab.open('run', undefined, input.arm);
    session.send({ type: 'run', spec: specOf(input, session.hello.environment) });
    const { measurement, loadBegan, sleptMs } = await converse(session, input);
    const measured = performance.now();
    await session.close();
    return measuredRun(input.planned, measurement, {
      problems: sleepOf(sleptMs),
      warnings: session.warnings,
      durationMs: {
        ...(session.bootMs === null ? {} : { boot: session.bootMs }),
        setup: loadBegan - begun,
        teardown: performance.now() - measured,
      },
    });
  } catch (error) {
    session?.kill();
    await session?.close().catch(() => {});
    const message = error instanceof Error ? error.message : String(error);
    const { proxy, configuration } = error instanceof RunFailed ? error : {};
    const run = failedRun(input.planned, startedAt, message, session?.stderr() ?? null);
    return {
      run: { ...run, ...(proxy ? { proxy } : {}) },
      histograms: null,
      ...(configuration ? { configuration } : {}),
    };
  }
}

/** A run of what was measured. @param beside what the agent does not know: why it may not be compared, and how long all took */
export function measuredRun(
  planned: PlannedRun,
  { histograms, configured: configuration, interrupted, loadMs, beganMicros: _, ...figures }: Measurement,
  beside: {
    readonly problems: readonly string[];
    readonly warnings: readonly string[];
    readonly durationMs: Omit<Run['durationMs'], 'load'>;
  },
): RunOutcome {
  const problems = [...figures.problems, ...beside.problems, ...(interrupted ? ['interrupted'] : [])];
  const run: Run = {
    ...placeOf(planned),
    ...figures,
    problems,
    warnings: [...beside.warnings, ...figures.warnings],
    status: interrupted ? 'interrupted' : 'ok',
    valid: problems.length === 0,
    durationMs: { ...beside.durationMs, load: loadMs },
    hlog: null,
    stderr: null,
  };
  return { run, histograms, ...(configuration ? { configuration } : {}) };
}

function specOf(input: RunOneInput, { kernel, hz, defaults }: Environment): RunSpec {
  const { arm, neighbours, planned, network, lab, observe, portsMatter = false } = input;
  const { ownNamespace, machine } = LABS[lab.kind];
  const expected = expectedLoadMs(arm);
  const usualMs = expected < SHORT_RUN_MS ? Math.min(Math.max(expected / 10, 25), 100) : 1000;
  return {
    arm,
    ...(neighbours ? { neighbours } : {}),
    seed: planned.seed,
    network,
    ownNamespace,
    ...(machine === 'guest' ? { ownKernel: true } : {}),
    ...(ownNamespace || portsMatter ? {} : { spare: predictArm(arm, parseKernelVersion(kernel, hz), defaults).spare }),
    sampleMs: input.sampleMs ?? usualMs,
    ...(observe ? { observe } : {}),
  };
}

/** The agent says that the run could not be done, and what is known of the proxy under test. */
class RunFailed extends Error {
  readonly proxy: Run['proxy'];
  readonly configuration: RunOutcome['configuration'];
  constructor(message: string, proxy: Run['proxy'], configuration: RunOutcome['configuration']) {
    super(message);
    this.proxy = proxy;
    this.configuration = configuration;
  }
}

/** Follow the agent to its result. Rejects when it fails, dies, or does not answer in time. */
async function converse(
  session: LabSession,
  { arm, neighbours, lab, signal, deadlineMs, onSample, onWait, onLoadEnd, suspended = suspendedMicros }: RunOneInput,
): Promise<{ measurement: Measurement; loadBegan: number; sleptMs: number }> {
  const deadline = createDeadline(session);
  const most =
    deadlineMs ??
    runDeadlineMs(arm, lab.engine, session.hello.environment) +
      longestDrainMs(lab.kind, arm) +
      neighboursMs({ neighbours });
  deadline.set(most, 'the run took longer than its deadline');
  const stop = () => {
    session.send({ type: 'stop' });
    const patience = lab.engine === 'qemu-tcg' ? EMULATED_STOP_DEADLINE_MS : STOP_DEADLINE_MS;
    deadline.set(patience, 'the agent did not end after it was told to stop');
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  let [loadBegan, awake] = [performance.now(), suspended()];
  try {
    for (;;) {
      const event = await session.next();
      switch (event.type) {
        case 'phase':
          onWait?.(event.waiting ?? `${WAITS[event.phase]} (${formatLeft(most)} at most)`);
          if (event.phase === 'load') [loadBegan, awake] = [performance.now(), suspended()];
          if (event.phase === 'collect') onLoadEnd?.();
          break;
        case 'second':
          onSample(event.second);
          break;
        case 'result':
          return { measurement: event.measurement, loadBegan, sleptMs: (suspended() - awake) / 1000 };
        case 'failed':
          throw new RunFailed(event.message, event.proxy, event.configuration);
        case 'hello':
        case 'ready':
        case 'checked':
        case 'restored':
        case 'entry':
          throw new Error(`the agent said ${event.type} during a run`);
      }
    }
  } catch (error) {
    const late = deadline.passed();
    throw late === undefined ? error : new Error(late);
  } finally {
    signal.removeEventListener('abort', stop);
    deadline.cancel();
  }
}

/** Shorter sleeps are within what two readings of a clock differ by. */
const LONGEST_SLEEP_MS = 1_000;

/** Asked here and not in the lab, since the clocks of a guest stand still with this machine. */
function sleepOf(ms: number): string[] {
  if (ms <= LONGEST_SLEEP_MS) return [];
  return [`this machine was suspended for ${formatDuration(Math.round(ms / 100) * 100)} during the run`];
}

/** Kills the agent when the time is up; its death then ends the conversation. */
function createDeadline(session: LabSession) {
  let timer: NodeJS.Timeout | undefined;
  let passed: string | undefined;
  return {
    /** @param ms from now @param reason what the run then failed with */
    set(ms: number, reason: string) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        passed = `${reason} (${Math.round(ms / 1000)} s)`;
        session.kill();
      }, ms);
    },
    passed: () => passed,
    cancel: () => clearTimeout(timer),
  };
}

function placeOf({ seed: _, ...place }: PlannedRun): Omit<PlannedRun, 'seed'> {
  return place;
}

/** A run that measured nothing: every figure empty, and the reason. */
function failedRun(planned: PlannedRun, startedAt: string, message: string, stderr: string | null): Run {
  return {
    ...placeOf(planned),
    status: 'failed',
    valid: false,
    generatorLimited: false,
    problems: [message],
    warnings: [],
    startedAt,
    durationMs: { setup: 0, load: 0, teardown: 0 },
    attempts: 0,
    outcomes: {},
    rates: { scheduled: 0, started: 0, ok: 0 },
    capacity: { tuples: 0, peakOpen: 0, openAtFirstFailure: null, okBeforeFirstFailure: null },
    waves: [],
    latency: {},
    ports: { low: 0, high: 0, reserved: 0, peak: null, peakPerAddress: null, finalStates: null },
    cpu: { perConnection: null, client: { user: 0, system: 0 }, origin: null },
    memory: { peak: 0 },
    counters: {},
    sysctls: {},
    timeline: [],
    origin: null,
    hlog: null,
    stderr: stderr?.trim() ? stderr : null,
  };
}
