/**
 * The controller: makes the runs of an experiment one after the other, each in a fresh lab, and puts each on the disk before the
 * next begins. It opens no load socket and writes no sysctl.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { armId } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import { renderHlog } from '../results/hlog.js';
import type { Run, Second } from '../results/schema.js';
import type { Journal } from './journal.js';
import { type PlannedRun, planObservations } from './order.js';
import { type RunOneInput, type RunOutcome, runOne } from './run-one.js';

export type ExperimentEvent =
  | { readonly type: 'run-start'; readonly planned: PlannedRun; readonly done: number; readonly total: number }
  | { readonly type: 'sample'; readonly planned: PlannedRun; readonly second: Second }
  | { readonly type: 'run-end'; readonly run: Run; readonly done: number; readonly total: number }
  /** A run in which a proxy's system calls are counted begins; it is none of the runs above. */
  | { readonly type: 'observe'; readonly planned: PlannedRun };

export interface ConductInput {
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

export type ConductEnd =
  | { readonly how: 'complete' }
  | { readonly how: 'interrupted' }
  /** So many runs in a row failed that the rest would only fail too. */
  | { readonly how: 'gave-up'; readonly reason: string };

const FAILURES_IN_A_ROW = 3;

/** The folder of the HdrHistogram logs inside a result folder. */
const HLOG_DIR = 'hlog';

export async function conduct(input: ConductInput): Promise<ConductEnd> {
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
async function observe(input: ConductInput): Promise<ConductEnd> {
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

/** Write the run's histograms beside the journal. */
function keep({ run, histograms }: RunOutcome, { dir, experiment }: ConductInput): Run {
  if (histograms === null) return run;
  const hlog = join(HLOG_DIR, `${run.id}.hlog`);
  writeFileSync(
    join(dir, hlog),
    renderHlog(histograms, run.startedAt, run.durationMs.load, `bindstorm ${experiment.name} ${run.id}`),
  );
  return { ...run, hlog };
}
