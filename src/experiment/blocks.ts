/**
 * The design of `run`: every arm once in each block. Makes the runs one after the other, or side by side where only counts are compared,
 * each in a fresh lab, and puts each on the disk when it is over. Opens no load socket and writes no sysctl.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { naming } from '../machine/write-error.js';
import { armId } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { renderHlog } from '../results/hlog.js';
import type { Run, Second } from '../results/schema.js';
import { finishedRuns } from './journal.js';
import { type PlannedRun, planObservations, planRuns } from './order.js';
import { type Stopped, segmentsOf, stoppedAt } from './remaining.js';
import { type RunOneInput, type RunOutcome, runOne } from './run-one.js';
import type { Session } from './session.js';

export type ExperimentEvent =
  | { readonly type: 'run-start'; readonly planned: PlannedRun; readonly done: number; readonly total: number }
  /** What a run waits for, in words that follow «waiting for». */
  | { readonly type: 'waiting'; readonly planned: PlannedRun; readonly what: string }
  | { readonly type: 'sample'; readonly planned: PlannedRun; readonly second: Second }
  | { readonly type: 'run-end'; readonly run: Run; readonly done: number; readonly total: number }
  /** There are so many pairs, and some arms need no more runs: `stopped` has their ids and why. `total` leaves out what is not made. */
  | {
      readonly type: 'look';
      readonly pairs: number;
      readonly stopped: ReadonlyMap<string, string>;
      readonly total: number;
    }
  /** A run in which a proxy's system calls are counted begins; it is none of the runs above. */
  | { readonly type: 'observe'; readonly planned: PlannedRun };

export interface BlocksInput {
  /** Where runs are made: with several kernels by the kernel's name, else for undefined. */
  readonly placeOf: (kernel: string | undefined) => Pick<RunOneInput, 'lab' | 'network' | 'sampleMs'>;
  /** Runs that are under way at once, where that is not the experiment's to say. */
  readonly atOnce?: number;
  /** false: the system calls of proxies are not counted, in runs of their own. */
  readonly observing?: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ExperimentEvent) => void;
}

export type BlocksEnd =
  | { readonly how: 'complete' }
  | { readonly how: 'interrupted' }
  /** So many runs in a row failed that the rest would only fail too. */
  | { readonly how: 'gave-up'; readonly reason: string };

/** Whether the first run that is still to be made is on this kernel. */
export function isFirstRun(
  kernel: string | undefined,
  experiment: Experiment,
  finished: ReadonlySet<string> = new Set(),
): boolean {
  return planRuns(experiment).find(({ id }) => !finished.has(id))?.kernel === kernel;
}

const FAILURES_IN_A_ROW = 3;

/** The folder of what proxies were configured with, a folder each arm. */
const CONFIGURATION_DIR = 'configuration';

/** The folder of the HdrHistogram logs inside a result folder. */
const HLOG_DIR = 'hlog';

/**
 * Make the runs that are missing in a session, and write its end. An interrupted run is kept for the record, and made again on resume;
 * whatever goes wrong in a run is in its result.
 */
export async function runBlocks(session: Session<'run'>, input: BlocksInput): Promise<BlocksEnd> {
  const { experiment } = session.contents.begin;
  const { placeOf, signal, onEvent } = input;
  const finished = finishedRuns(session.contents);
  const segments = segmentsOf(experiment);
  const made = new Map(session.contents.runs.map((run) => [run.id, run]));
  const soFar = () => ({ ...session.contents, runs: [...made.values()] });
  let stopped: Stopped = new Map();
  /** All runs that have been made, and all that may be. */
  let total = segments.reduce((sum, { runs }) => sum + runs.length, 0);
  let [done, failedInARow] = [0, 0];
  let end: BlocksEnd = { how: 'complete' };
  mkdirSync(join(session.dir, HLOG_DIR), { recursive: true });
  const portsMatter = [experiment.goal, ...experiment.guardrails].some((metric) => metric.startsWith('ports.'));
  const makeOne = async (next: PlannedRun, todo: readonly PlannedRun[], later: readonly PlannedRun[]) => {
    onEvent({ type: 'run-start', planned: next, done, total });
    const outcome = await runOne({
      ...placeOf(next.kernel),
      arm: armOf(experiment, next),
      ...(experiment.neighbours ? { neighbours: experiment.neighbours } : {}),
      planned: next,
      portsMatter,
      signal,
      onSample: (second) => onEvent({ type: 'sample', planned: next, second }),
      onWait: (what) => onEvent({ type: 'waiting', planned: next, what }),
      onLoadEnd: () => {
        const after = todo[0] ?? later[0];
        if (after && !signal.aborted) placeOf(after.kernel).lab.prepare?.();
      },
    });
    const run = keep(outcome, session);
    session.journal.append({ type: 'run', run });
    made.set(run.id, run);
    if (run.status === 'interrupted' || signal.aborted) {
      end = INTERRUPTED;
      return;
    }
    onEvent({ type: 'run-end', run, done: ++done, total });
    failedInARow = run.status === 'failed' ? failedInARow + 1 : 0;
    if (failedInARow === FAILURES_IN_A_ROW && done < total)
      end = { how: 'gave-up', reason: `${FAILURES_IN_A_ROW} runs in a row failed, the last with: ${run.problems[0]}` };
  };
  const lane = async (todo: PlannedRun[], later: readonly PlannedRun[]) => {
    while (end.how === 'complete') {
      if (signal.aborted) end = INTERRUPTED;
      const next = end.how === 'complete' ? todo.shift() : undefined;
      if (next === undefined) return;
      await makeOne(next, todo, later);
    }
  };
  for (const [i, { look, runs }] of segments.entries()) {
    const wanted = runs.filter((run) => !stopped.has(armId(run)));
    const todo = wanted.filter(({ id }) => !finished.has(id));
    done += wanted.length - todo.length;
    const isNews = todo.length > 0;
    const wantedLater = () =>
      segments.slice(i + 1).flatMap((segment) => segment.runs.filter((run) => !stopped.has(armId(run))));
    const later = wantedLater();
    await Promise.all(Array.from({ length: input.atOnce ?? experiment.atOnce ?? 1 }, () => lane(todo, later)));
    if (end.how !== 'complete') break;
    const before = stopped;
    stopped = stoppedAt(soFar(), look);
    total = done + wantedLater().length;
    const fresh = new Map([...stopped].filter(([arm]) => !before.has(arm)));
    if (isNews && look !== null && fresh.size > 0) onEvent({ type: 'look', pairs: look, stopped: fresh, total });
  }
  if (end.how === 'complete' && input.observing !== false) end = await observe(session, finished, input);
  const status = end.how === 'complete' ? 'complete' : 'partial';
  session.journal.append({ type: 'end', at: new Date().toISOString(), status });
  return end;
}

const INTERRUPTED: BlocksEnd = { how: 'interrupted' };

function armOf({ arms }: Experiment, planned: PlannedRun): Arm {
  return arms.find((arm) => armId(arm) === armId(planned))!;
}

/**
 * The runs beside those that are compared, without neighbours: calls are counted by namespace, and theirs would count as the proxy's.
 * One that fails says why nothing was observed, and is no failure of the experiment. */
async function observe(
  { journal, contents }: Session<'run'>,
  finished: ReadonlySet<string>,
  { placeOf, signal, onEvent }: BlocksInput,
): Promise<BlocksEnd> {
  const { experiment } = contents.begin;
  for (const planned of planObservations(experiment)) {
    if (finished.has(planned.id)) continue;
    if (signal.aborted) return INTERRUPTED;
    onEvent({ type: 'observe', planned });
    const arm = armOf(experiment, planned);
    const { run } = await runOne({
      ...placeOf(planned.kernel),
      arm,
      planned,
      signal,
      observe: 'ebpf',
      onSample: () => {},
    });
    journal.append({ type: 'observed', run });
    if (run.status === 'interrupted') return INTERRUPTED;
  }
  return { how: 'complete' };
}

/** Write the run's histograms and its proxy's configuration beside the journal. */
function keep(outcome: RunOutcome, { dir, contents }: Session<'run'>): Run {
  const { histograms } = outcome;
  const run = { ...outcome.run, ...keepConfiguration(outcome, dir) };
  if (histograms === null) return run;
  const hlog = join(HLOG_DIR, `${run.id}.hlog`);
  const text = renderHlog(
    histograms,
    run.startedAt,
    run.durationMs.load,
    `bindstorm ${contents.begin.experiment.name} ${run.id}`,
  );
  naming(join(dir, hlog), () => writeFileSync(join(dir, hlog), text));
  return { ...run, hlog };
}

/** Written once: it is the arm's, the same in each run. */
function keepConfiguration({ run, configuration = {} }: RunOutcome, dir: string): Pick<Run, 'configuration'> {
  const paths = Object.keys(configuration).map((name) => join(CONFIGURATION_DIR, armId(run), name));
  if (paths.length === 0) return {};
  mkdirSync(join(dir, CONFIGURATION_DIR, armId(run)), { recursive: true });
  for (const [i, text] of Object.values(configuration).entries()) {
    const path = join(dir, paths[i]!);
    if (!existsSync(path)) writeFileSync(path, text);
  }
  return { configuration: paths };
}
