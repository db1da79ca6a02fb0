/**
 * Which runs of an experiment are still to be made: those of the blocks up to the next look, and then, look by look, those of the arms that
 * are not settled. Pure: from the journal, so that a session that is resumed stops each arm where one that was never interrupted does.
 */
import type { Decision } from '../analysis/sequential.js';
import { armId } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import { finishedRuns, type JournalContents } from './journal.js';
import { type PlannedRun, planObservations, planRuns } from './order.js';
import { decisionsAt } from './stopping.js';

type Contents = Pick<JournalContents<'run'>, 'begin' | 'runs' | 'observed'>;

/** The blocks between two looks. */
export interface Segment {
  /** Pairs at the look that follows; null: the experiment has no looks. */
  readonly look: number | null;
  readonly runs: readonly PlannedRun[];
}

/** The planned runs from look to look; all in one where there are no looks. */
export function segmentsOf(experiment: Experiment): Segment[] {
  const planned = planRuns(experiment);
  const { looks, warmup } = experiment;
  if (!looks) return [{ look: null, runs: planned }];
  return looks.map((look, i) => {
    const from = i === 0 ? 0 : warmup + looks[i - 1]!;
    return { look, runs: planned.filter(({ block }) => block >= from && block < warmup + look) };
  });
}

/** What a look has settled: id of an arm → why it needs no more runs. */
export type Stopped = ReadonlyMap<string, string>;

/** The arms that need no more runs after a look, by all runs up to there. @param look as of a segment */
export function stoppedAt(contents: Contents, look: number | null): Stopped {
  if (look === null) return new Map();
  return new Map([...decisionsAt(contents, look)].flatMap(whyStopped));
}

function whyStopped([arm, decision]: readonly [string, Decision]): [string, string][] {
  return decision.kind === 'stop' ? [[arm, decision.why]] : [];
}

/**
 * The runs that are missing, in the order in which they are made, and those of the arms that are not stopped by then.
 * @returns `runs`: of the looks that are not reached, all that may still be needed
 */
export function remainingRuns(contents: Contents): { readonly runs: readonly PlannedRun[]; readonly stopped: Stopped } {
  const finished = finishedRuns(contents);
  const runs: PlannedRun[] = [];
  let stopped: Stopped = new Map();
  for (const { look, runs: planned } of segmentsOf(contents.begin.experiment)) {
    runs.push(...planned.filter((run) => !finished.has(run.id) && !stopped.has(armId(run))));
    // What is missing decides, so nothing is known beyond it.
    if (runs.length === 0) stopped = stoppedAt(contents, look);
  }
  return { runs, stopped };
}

/** How many runs are missing, those in which system calls are counted included. */
export function runsLeft(contents: Contents): number {
  const finished = finishedRuns(contents);
  const observations = planObservations(contents.begin.experiment).filter(({ id }) => !finished.has(id));
  return remainingRuns(contents).runs.length + observations.length;
}
