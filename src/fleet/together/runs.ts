/**
 * Runs that several machines make at once: prepared, all ready, begun at one instant in each machine's own clock, and added up. They are one
 * run for the statistics.
 */
import { randomBytes } from 'node:crypto';
import type { Measurement } from '../../agent/protocol.js';
import { parseKernelVersion } from '../../capacity/kernel-version.js';
import { predictArm } from '../../capacity/predict.js';
import { messageOf } from '../../domain/error.js';
import { type Elsewhere, keepRun } from '../../experiment/blocks.js';
import { runDeadlineMs } from '../../experiment/duration.js';
import type { PlannedRun } from '../../experiment/order.js';
import { measuredRun } from '../../experiment/run-one.js';
import type { Session } from '../../experiment/session.js';
import { monotonicMicros } from '../../kernel/libc.js';
import { armId } from '../../plan/kernels.js';
import type { Arm } from '../../plan/plan.js';
import type { Run } from '../../results/schema.js';
import type { Bus } from '../bus.js';
import { whoIsThere } from '../controller/roster.js';
import { decode, encode } from '../messages.js';
import { type Answer, answerSchema, type Question } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';
import { mergeParts, type Part } from './merge.js';
import { type Partner, partOf } from './partners.js';

export interface TogetherInput {
  readonly bus: Bus;
  /** What the fleet calls it. */
  readonly experiment: string;
  readonly partners: readonly Partner[];
  readonly session: Session<'run'>;
  /** Milliseconds in which all must be ready. */
  readonly readyMs: number;
  readonly beatMs: number;
}

/** How often the controller says that it is there. */
const BEAT_MS = 500;
/** Of so many questions for the time, the one that was answered fastest counts. */
const CLOCK_QUESTIONS = 8;
const CLOCK_MS = 2_000;
/** Between the order to begin and the beginning: at least so long, and several times what a message takes. */
const LEAD_MS = 500;
const LEAD_TRIPS = 4;
const SAMPLE_MS = 1_000;

/** Makes the runs one after the other, each on all machines. */
export function runsTogether(input: TogetherInput): Elsewhere {
  const { bus, experiment } = input;
  return {
    async make(runs, on, signal) {
      const timer = setInterval(() => bus.say(SUBJECTS.beat(experiment), new Uint8Array()), BEAT_MS);
      try {
        for (const planned of runs) {
          if (signal.aborted) return null;
          on.began(planned);
          const end = await makeOne(input, planned, signal);
          if ('why' in end) return signal.aborted ? null : end.why;
          on.took(end.run, {});
        }
        return null;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

async function makeOne(
  input: TogetherInput,
  planned: PlannedRun,
  signal: AbortSignal,
): Promise<{ readonly run: Run } | { readonly why: string }> {
  const { session, partners } = input;
  const begun = performance.now();
  const arm = session.contents.begin.experiment.arms.find((each) => armId(each) === armId(planned))!;
  const key = randomBytes(6).toString('hex');
  const prepared = await Promise.allSettled(partners.map((_, i) => prepare(input, planned, arm, key, i)));
  const late = prepared.flatMap((one, i) =>
    one.status === 'rejected' ? [`${partners[i]!.name}: ${messageOf(one.reason)}`] : [],
  );
  if (late.length > 0) {
    await endAll(input, key);
    return { why: `not all machines were ready for ${planned.id}: ${late.join('; ')}` };
  }
  const clocks = await Promise.all(partners.map(({ name }) => clockOf(input.bus, name)));
  const lead = Math.max(LEAD_MS, ...clocks.map(({ tripMicros }) => (LEAD_TRIPS * tripMicros) / 1000));
  const startMicros = monotonicMicros() + lead * 1000;
  const setUp = performance.now();
  const { parts, lost } = await measured(input, key, arm, signal, (i) => startMicros + clocks[i]!.aheadMicros);
  if (parts.length === 0) return { why: `every machine was lost in ${planned.id}: ${lost.join('; ')}` };
  const lateMs = (i: number, { beganMicros = 0 }: Measurement) =>
    (beganMicros - clocks[i]!.aheadMicros - startMicros) / 1000;
  const machines = parts.map(({ i, name, measurement }) => ({
    name,
    attempts: measurement.attempts,
    lateMs: lateMs(i, measurement),
  }));
  const skewMs = Math.max(...machines.map(({ lateMs }) => lateMs)) - Math.min(...machines.map(({ lateMs }) => lateMs));
  const merged = mergeParts(arm, parts);
  const outcome = measuredRun(planned, merged, {
    problems: [...lost, ...skewProblems(skewMs, arm)],
    warnings: [],
    durationMs: { setup: setUp - begun, teardown: Math.max(0, performance.now() - setUp - lead - merged.loadMs) },
  });
  const run = { ...outcome.run, together: { skewMs, machines } };
  return { run: keepRun({ ...outcome, run }, session) };
}

function skewProblems(skewMs: number, { load: { lagBudgetMs } }: Arm): string[] {
  if (skewMs <= lagBudgetMs) return [];
  return [`the machines began ${skewMs.toFixed(1)} ms apart, and lagBudget allows ${lagBudgetMs} ms`];
}

/** Rejects where a machine is not ready in time, or refuses. */
async function prepare(
  { bus, experiment: name, partners, session, readyMs }: TogetherInput,
  planned: PlannedRun,
  arm: Arm,
  key: string,
  i: number,
): Promise<void> {
  const partner = partners[i]!;
  const experiment = partOf({ ...session.contents.begin.experiment, arms: [arm] }, partner);
  const { workers } = arm.load;
  const { kernel, hz, defaults } = session.contents.begin.environment;
  const answer = await ask(
    bus,
    partner.name,
    {
      ...{ type: 'prepare', name, key, experiment },
      spec: {
        arm: experiment.arms[0]!,
        seed: planned.seed,
        network: 'external',
        ownNamespace: false,
        spare: predictArm(experiment.arms[0]!, parseKernelVersion(kernel, hz), defaults).spare,
        sampleMs: SAMPLE_MS,
        share: { first: i * workers, of: partners.length * workers },
        gated: true,
      },
    },
    readyMs,
  );
  if (answer.type !== 'ready')
    throw new Error(answer.type === 'failed' ? answer.message : `it answered ${answer.type}`);
}

/** By how much a machine's CLOCK_MONOTONIC is ahead of this one's, from the answer that took the least time: half of it each way. */
async function clockOf(bus: Bus, name: string): Promise<{ readonly aheadMicros: number; readonly tripMicros: number }> {
  let best: { aheadMicros: number; tripMicros: number } | null = null;
  for (let i = 0; i < CLOCK_QUESTIONS; i++) {
    const before = monotonicMicros();
    const answer = await ask(bus, name, { type: 'clock' }, CLOCK_MS);
    const tripMicros = monotonicMicros() - before;
    if (answer.type !== 'clock') throw new Error(`${name} answered ${answer.type} instead of its time`);
    if (best === null || tripMicros < best.tripMicros)
      best = { aheadMicros: answer.micros - (before + tripMicros / 2), tripMicros };
  }
  return best!;
}

/** Let all begin, and wait for what comes of it; when one is lost the others are ended. */
async function measured(
  input: TogetherInput,
  key: string,
  arm: Arm,
  signal: AbortSignal,
  startOf: (i: number) => number,
): Promise<{ readonly parts: readonly (Part & { readonly i: number })[]; readonly lost: readonly string[] }> {
  const { bus, partners, session, beatMs } = input;
  const most = runDeadlineMs(arm, undefined, session.contents.begin.environment);
  const end = () => void endAll(input, key);
  signal.addEventListener('abort', end);
  const waiting = new Set(partners.map(({ name }) => name));
  const gone = watchFor(bus, waiting, beatMs);
  const lost: string[] = [];
  const parts: (Part & { readonly i: number })[] = [];
  await Promise.all(
    partners.map(async ({ name, addresses }, i) => {
      const asked = ask(bus, name, { type: 'go', key, atMicros: startOf(i) }, most);
      asked.catch(() => {});
      try {
        const answer = await Promise.race([asked, gone.of(name)]);
        if (answer.type === 'measured') parts.push({ i, name, addresses, measurement: answer.measurement });
        else throw new Error(answer.type === 'failed' ? answer.message : `it answered ${answer.type}`);
      } catch (error) {
        lost.push(`${name} was lost during the run (${messageOf(error)}), and its part of the load with it`);
        end();
      }
      waiting.delete(name);
    }),
  );
  gone.stop();
  signal.removeEventListener('abort', end);
  return { parts: parts.sort((a, b) => a.i - b.i), lost };
}

/** Notices who gives no more signs of life. */
function watchFor(bus: Bus, waiting: ReadonlySet<string>, beatMs: number) {
  const rejects = new Map<string, (reason: Error) => void>();
  const timer = setInterval(() => {
    if (bus.awayMs() > 0) return;
    whoIsThere(bus).then(
      (seen) => {
        const there = new Set(seen.map(({ state }) => state.name));
        for (const name of waiting) if (!there.has(name)) rejects.get(name)?.(new Error('it gives no sign of life'));
      },
      () => {},
    );
  }, beatMs);
  return {
    of: (name: string) =>
      new Promise<never>((_, reject) => {
        rejects.set(name, reject);
      }),
    stop: () => clearInterval(timer),
  };
}

async function endAll({ bus, partners }: TogetherInput, key: string): Promise<void> {
  await Promise.allSettled(partners.map(({ name }) => ask(bus, name, { type: 'end', key }, CLOCK_MS)));
}

async function ask(bus: Bus, agent: string, question: Question, ms: number): Promise<Answer> {
  return decode(await bus.ask(SUBJECTS.ask(agent), encode(question), ms), answerSchema);
}
