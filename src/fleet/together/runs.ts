/**
 * Runs that several machines make at once: prepared, all ready, begun at one instant in each machine's own clock, and added up. They are one
 * run for the statistics.
 */
import { randomBytes } from 'node:crypto';
import type { Measurement } from '../../agent/protocol.js';
import { parseKernelVersion } from '../../capacity/kernel-version.js';
import { predictArm } from '../../capacity/predict.js';
import { messageOf } from '../../domain/error.js';
import { type Elsewhere, type ElsewhereEvents, keepRun } from '../../experiment/blocks.js';
import { runDeadlineMs } from '../../experiment/duration.js';
import type { PlannedRun } from '../../experiment/order.js';
import { measuredRun } from '../../experiment/run-one.js';
import type { Session } from '../../experiment/session.js';
import { monotonicMicros } from '../../kernel/libc.js';
import { armId } from '../../plan/kernels.js';
import type { Arm } from '../../plan/plan.js';
import type { Run } from '../../results/schema.js';
import type { Bus } from '../bus.js';
import { followAgents, type Watch, watchFor } from '../controller/attendance.js';
import { decode, decoded, encode } from '../messages.js';
import { type Answer, answerSchema, liveSchema, type Question } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';
import { type Asked, type ClockAhead, clockAhead } from './clock.js';
import { createMeeting, mergeParts, type Part } from './merge.js';
import { type Partner, partOf } from './partners.js';

export interface TogetherInput {
  readonly bus: Bus;
  /** What the fleet calls it. */
  readonly experiment: string;
  readonly partners: readonly Partner[];
  readonly session: Session<'run'>;
  /** Milliseconds in which all must be ready. */
  readonly readyMs: number;
  /** Whether somebody looks at what goes on, second by second. */
  readonly live: boolean;
}

/** How often the controller says that it is there. */
const BEAT_MS = 500;
/** Questions for the time to each: at least so many, and more until it is known as well as this; but no more after so long. */
const CLOCK_QUESTIONS = 8;
const SURE_MICROS = 500;
const CLOCK_WITHIN_MS = 1_000;
const CLOCK_MS = 2_000;
/** Between the order to begin and the beginning: at least so long, and several times what a message takes. */
const LEAD_MS = 500;
const LEAD_TRIPS = 4;
const SAMPLE_MS = 1_000;
/** An agent in a run of all gives several signs a second (HURRY_MS); one that is silent for so long is lost, and the others are ended. */
const SILENT_MS = 2_500;
/** Without a server for so long: every machine has ended its load by itself. */
const AWAY_MS = 5_000;

/** Makes the runs one after the other, each on all machines. */
export function runsTogether(input: TogetherInput): Elsewhere {
  const { bus, experiment } = input;
  return {
    async make(runs, on, signal) {
      const attendance = await followAgents(bus, SILENT_MS).catch(messageOf);
      if (typeof attendance === 'string') return attendance;
      const watch = watchFor(bus, attendance, AWAY_MS);
      const timer = setInterval(() => bus.say(SUBJECTS.beat(experiment), new Uint8Array()), BEAT_MS);
      try {
        for (const planned of runs) {
          if (signal.aborted) return null;
          on.began(planned);
          const unhear = hearSeconds(input, planned, on);
          const end = await makeOne(input, watch, planned, signal).finally(unhear);
          if ('why' in end) return signal.aborted ? null : end.why;
          on.took(end.run, {});
        }
        return null;
      } finally {
        clearInterval(timer);
        watch.stop();
        attendance.stop();
      }
    },
  };
}

/** Tell what the machines say of a run, each and together. @returns ends it */
function hearSeconds(
  { bus, experiment, partners, session }: TogetherInput,
  planned: PlannedRun,
  on: ElsewhereEvents,
): () => void {
  const meeting = createMeeting(armOf(session, planned), partners);
  return bus.hear(SUBJECTS.live(experiment), (data) => {
    const { run, agent = '', second } = decoded(data, liveSchema) ?? {};
    if (run !== planned.id || second === undefined) return;
    on.heard(planned, second, agent);
    for (const whole of meeting.take(agent, second)) on.heard(planned, whole);
  });
}

function armOf({ contents }: Session<'run'>, planned: PlannedRun): Arm {
  return contents.begin.experiment.arms.find((each) => armId(each) === armId(planned))!;
}

async function makeOne(
  input: TogetherInput,
  watch: Watch,
  planned: PlannedRun,
  signal: AbortSignal,
): Promise<{ readonly run: Run } | { readonly why: string }> {
  const { session, partners } = input;
  const begun = performance.now();
  const arm = armOf(session, planned);
  const key = randomBytes(6).toString('hex');
  // A machine that sets up may be busy; one that is lost meanwhile is named when the time is over.
  const prepared = await Promise.allSettled(partners.map((_, i) => prepare(input, planned, arm, key, i)));
  const late = prepared.flatMap((one, i) =>
    one.status === 'rejected' ? [`${partners[i]!.name}: ${messageOf(one.reason)}`] : [],
  );
  if (late.length > 0) {
    await endAll(input, key);
    return { why: `not all machines were ready for ${planned.id}: ${late.join('; ')}` };
  }
  const clocks = await clocksOf(input).catch(messageOf);
  if (typeof clocks === 'string') {
    await endAll(input, key);
    return { why: `a machine did not say what time it is before ${planned.id}: ${clocks}` };
  }
  const lead = Math.max(LEAD_MS, ...clocks.map(({ tripMicros }) => (LEAD_TRIPS * tripMicros) / 1000));
  const startMicros = monotonicMicros() + lead * 1000;
  const setUp = performance.now();
  const { parts, lost } = await measured(input, watch, key, arm, signal, (i) => startMicros + clocks[i]!.aheadMicros);
  if (parts.length === 0) return { why: `every machine was lost in ${planned.id}: ${lost.join('; ')}` };
  const lateMs = (i: number, { beganMicros = 0 }: Measurement) =>
    (beganMicros - clocks[i]!.aheadMicros - startMicros) / 1000;
  const machines = parts.map(({ i, name, measurement }) => ({
    name,
    attempts: measurement.attempts,
    lateMs: lateMs(i, measurement),
    unsureMs: clocks[i]!.unsureMicros / 1000,
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
  { bus, experiment: name, partners, session, readyMs, live }: TogetherInput,
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
      ...(live ? { live: planned.id } : {}),
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

/**
 * What the clocks of all machines show, and how long the slowest answer of each took. One is asked after the other: answers that come at once
 * wait for each other, and say less.
 */
async function clocksOf({ bus, partners }: TogetherInput): Promise<(ClockAhead & { readonly tripMicros: number })[]> {
  const all = partners.map((): Asked[] => []);
  const isSure = (asked: readonly Asked[]) => clockAhead(asked).unsureMicros <= SURE_MICROS;
  const until = performance.now() + CLOCK_WITHIN_MS;
  for (let round = 0; ; round++) {
    for (const [i, { name }] of partners.entries())
      if (round < CLOCK_QUESTIONS || !isSure(all[i]!)) all[i]!.push(await askTime(bus, name));
    const isOver = performance.now() > until || all.every(isSure);
    if (round + 1 >= CLOCK_QUESTIONS && isOver) break;
  }
  return all.map((asked) => ({
    ...clockAhead(asked),
    tripMicros: Math.max(...asked.map(({ before, after }) => after - before)),
  }));
}

async function askTime(bus: Bus, name: string): Promise<Asked> {
  const before = monotonicMicros();
  const answer = await ask(bus, name, { type: 'clock' }, CLOCK_MS).catch((error: unknown) => {
    throw new Error(`${name}: ${messageOf(error)}`);
  });
  const after = monotonicMicros();
  if (answer.type !== 'clock') throw new Error(`${name} answered ${answer.type} instead of its time`);
  return { before, said: answer.micros, after };
}

/** Let all begin, and wait for what comes of it; when one is lost the others are ended. */
async function measured(
  input: TogetherInput,
  watch: Watch,
  key: string,
  arm: Arm,
  signal: AbortSignal,
  startOf: (i: number) => number,
): Promise<{ readonly parts: readonly (Part & { readonly i: number })[]; readonly lost: readonly string[] }> {
  const { bus, partners, session } = input;
  const most = runDeadlineMs(arm, undefined, session.contents.begin.environment);
  const end = () => void endAll(input, key);
  signal.addEventListener('abort', end);
  const lost: string[] = [];
  const parts: (Part & { readonly i: number })[] = [];
  await Promise.all(
    partners.map(async ({ name, addresses }, i) => {
      const asked = ask(bus, name, { type: 'go', key, atMicros: startOf(i) }, most);
      try {
        const answer = await watch.orGone(name, asked);
        if (answer.type === 'measured') parts.push({ i, name, addresses, measurement: answer.measurement });
        else throw new Error(answer.type === 'failed' ? answer.message : `it answered ${answer.type}`);
      } catch (error) {
        lost.push(`${name} was lost during the run (${messageOf(error)}), and its part of the load with it`);
        end();
      }
    }),
  );
  signal.removeEventListener('abort', end);
  return { parts: parts.sort((a, b) => a.i - b.i), lost };
}

async function endAll({ bus, partners }: TogetherInput, key: string): Promise<void> {
  await Promise.allSettled(partners.map(({ name }) => ask(bus, name, { type: 'end', key }, CLOCK_MS)));
}

async function ask(bus: Bus, agent: string, question: Question, ms: number): Promise<Answer> {
  return decode(await bus.ask(SUBJECTS.ask(agent), encode(question), ms), answerSchema);
}
