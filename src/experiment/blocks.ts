/**
 * The design of `run`: every arm once in each block. Makes the runs one after the other, each in a fresh lab, and puts each on the disk
 * before the next begins. Opens no load socket and writes no sysctl.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interruptible } from '../machine/interrupts.js';
import { naming } from '../machine/write-error.js';
import { armId } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import { renderHlog } from '../results/hlog.js';
import type { Run, Second } from '../results/schema.js';
import { finishedRuns, type Journal, type JournalContents } from './journal.js';
import type { Note } from './labs.js';
import { type PlannedRun, planObservations, planRuns } from './order.js';
import { type Places, placeFor } from './places.js';
import { type RunOneInput, type RunOutcome, runOne } from './run-one.js';
import type { Session } from './session.js';

export type ExperimentEvent =
  | { readonly type: 'run-start'; readonly planned: PlannedRun; readonly done: number; readonly total: number }
  | { readonly type: 'sample'; readonly planned: PlannedRun; readonly second: Second }
  | { readonly type: 'run-end'; readonly run: Run; readonly done: number; readonly total: number }
  /** A run in which a proxy's system calls are counted begins; it is none of the runs above. */
  | { readonly type: 'observe'; readonly planned: PlannedRun };

export interface BlocksInput {
  readonly experiment: Experiment;
  /** Where runs are made: with several kernels by the kernel's name, else for undefined. */
  readonly placeOf: (kernel: string | undefined) => Pick<RunOneInput, 'lab' | 'network'>;
  /** The result folder. */
  readonly dir: string;
  readonly journal: Journal;
  /** All runs, in order. */
  readonly planned: readonly PlannedRun[];
  /** Ids of the runs that an earlier call has finished. */
  readonly finished: ReadonlySet<string>;
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

/** How many runs are missing, those in which system calls are counted included. */
export function runsLeft(contents: JournalContents<'run'>): number {
  const { experiment } = contents.begin;
  return planRuns(experiment).length + planObservations(experiment).length - finishedRuns(contents).size;
}

/** Make the runs that are missing in a session, until the first interrupt. */
export async function finishBlocks(
  { dir, journal, contents }: Session<'run'>,
  places: Places,
  { note, onEvent }: { readonly note: Note; readonly onEvent: BlocksInput['onEvent'] },
): Promise<BlocksEnd> {
  const { experiment } = contents.begin;
  const end = await interruptible(note, (signal) =>
    runBlocks({
      experiment,
      placeOf: (kernel) => placeFor(places, kernel),
      dir,
      journal,
      planned: planRuns(experiment),
      finished: finishedRuns(contents),
      signal,
      onEvent,
    }),
  );
  const status = end.how === 'complete' ? 'complete' : 'partial';
  journal.append({ type: 'end', at: new Date().toISOString(), status });
  return end;
}

const FAILURES_IN_A_ROW = 3;

/** The folder of what proxies were configured with, a folder each arm. */
const CONFIGURATION_DIR = 'configuration';

/** The folder of the HdrHistogram logs inside a result folder. */
const HLOG_DIR = 'hlog';

/** Make the runs of an experiment that are missing. Whatever goes wrong in a run is in its result. */
export async function runBlocks(input: BlocksInput): Promise<BlocksEnd> {
  const { experiment, planned, signal, onEvent, journal } = input;
  const total = planned.length;
  const todo = planned.filter(({ id }) => !input.finished.has(id));
  let done = total - todo.length;
  let failedInARow = 0;
  mkdirSync(join(input.dir, HLOG_DIR), { recursive: true });
  for (const [i, next] of todo.entries()) {
    const after = todo[i + 1];
    if (signal.aborted) return { how: 'interrupted' };
    const arm = experiment.arms.find((candidate) => armId(candidate) === armId(next))!;
    onEvent({ type: 'run-start', planned: next, done, total });
    const outcome = await runOne({
      ...input.placeOf(next.kernel),
      arm,
      ...(experiment.neighbours ? { neighbours: experiment.neighbours } : {}),
      planned: next,
      signal,
      onSample: (second) => onEvent({ type: 'sample', planned: next, second }),
      onLoadEnd: () => after && !signal.aborted && input.placeOf(after.kernel).lab.prepare?.(),
    });
    const run = keep(outcome, input);
    // An interrupted run is kept for the record, and made again on resume.
    journal.append({ type: 'run', run });
    if (run.status === 'interrupted' || signal.aborted) return { how: 'interrupted' };
    done++;
    onEvent({ type: 'run-end', run, done, total });
    failedInARow = run.status === 'failed' ? failedInARow + 1 : 0;
    if (failedInARow === FAILURES_IN_A_ROW && done < total) {
      return { how: 'gave-up', reason: `${FAILURES_IN_A_ROW} runs in a row failed, the last with: ${run.problems[0]}` };
    }
  }
  return input.observing === false ? { how: 'complete' } : observe(input);
}

/**
 * The runs beside those that are compared, without neighbours: calls are counted by namespace, and theirs would count as the proxy's.
 * One that fails says why nothing was observed, and is no failure of the experiment. */
async function observe(input: BlocksInput): Promise<BlocksEnd> {
  const { experiment, signal, journal } = input;
  for (const planned of planObservations(experiment)) {
    if (input.finished.has(planned.id)) continue;
    if (signal.aborted) return { how: 'interrupted' };
    input.onEvent({ type: 'observe', planned });
    const arm = experiment.arms.find((candidate) => armId(candidate) === armId(planned))!;
    const place = input.placeOf(planned.kernel);
    const { run } = await runOne({ ...place, arm, planned, signal, observe: 'ebpf', onSample: () => {} });
    journal.append({ type: 'observed', run });
    if (run.status === 'interrupted') return { how: 'interrupted' };
  }
  return { how: 'complete' };
}

/** Write the run's histograms and its proxy's configuration beside the journal. */
function keep(outcome: RunOutcome, { dir, experiment }: BlocksInput): Run {
  const { histograms } = outcome;
  const run = { ...outcome.run, ...keepConfiguration(outcome, dir) };
  if (histograms === null) return run;
  const hlog = join(HLOG_DIR, `${run.id}.hlog`);
  const text = renderHlog(histograms, run.startedAt, run.durationMs.load, `bindstorm ${experiment.name} ${run.id}`);
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
