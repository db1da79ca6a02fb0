/**
 * Whether a record of a journal can belong to what the journal began with: a run of an arm that is there, once, with counts that add up.
 * Pure.
 */
import { remembered } from '../domain/remembered.js';
import { armId } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import { countsProblem } from '../results/consistent.js';
import type { Run } from '../results/schema.js';
import type { SearchTry } from '../results/search.js';
import type { JournalBegin, JournalEntry } from './journal-entry.js';
import { planObservations, planRuns } from './order.js';

/** What the journal has so far, by the ids of runs and of arms. */
interface SoFar {
  readonly runs: ReadonlyMap<string, Run>;
  readonly observed: ReadonlyMap<string, Run>;
  readonly steps: ReadonlyMap<string, readonly SearchTry[]>;
}

/** @returns why an entry cannot be believed; null: it can */
export function entryProblem(
  entry: JournalEntry,
  begin: JournalBegin,
  { runs, observed, steps }: SoFar,
): string | null {
  switch (entry.type) {
    case 'begin':
      return 'the journal begins a second time here';
    case 'run':
    case 'observed': {
      if (begin.kind !== 'run') return `a run (${entry.run.id}) is here, where none is made`;
      const isRun = entry.type === 'run';
      const { id, status } = entry.run;
      const before = (isRun ? runs : observed).get(id);
      // An interrupted run is made again, and a failed one is on resume.
      const done = before && (isRun ? before.status === 'ok' : before.status !== 'interrupted');
      if (done) return `run ${id} is here a second time (${status}), although it was finished`;
      return runProblem(entry.run, begin.experiment, isRun) ?? null;
    }
    case 'step':
      if (begin.kind !== 'search') return `a step (${entry.step.id}) is here, where none is made`;
      return stepProblem(entry.arm, entry.step, begin.experiment, steps);
    case 'extend':
      if (begin.kind !== 'run') return 'it is extended here, where there are no pairs';
      return entry.repeat > begin.experiment.repeat
        ? null
        : `it is extended to ${entry.repeat} pairs here, and had ${begin.experiment.repeat}`;
    case 'machine':
    case 'resume':
    case 'end':
      return null;
  }
}

function runProblem(run: Run, experiment: Experiment, isRun: boolean): string | null {
  const planned = plannedIn(experiment)[isRun ? 'runs' : 'observed'].get(run.id);
  if (planned === undefined) return `the experiment has no run ${run.id}`;
  for (const key of ['variant', 'kernel', 'block', 'warmup'] as const)
    if (planned[key] !== run[key]) return `run ${run.id} has ${key} ${run[key]}, and is of ${key} ${planned[key]}`;
  const problem = countsProblem(run);
  return problem === null ? null : `run ${run.id}: ${problem}`;
}

/** Each line asks, and an experiment has up to thousands of runs. */
const plannedIn = remembered((experiment: Experiment) => {
  const byId = (planned: ReturnType<typeof planRuns>) => new Map(planned.map((run) => [run.id, run]));
  return { runs: byId(planRuns(experiment)), observed: byId(planObservations(experiment)) };
});

function stepProblem(arm: string, step: SearchTry, experiment: Experiment, steps: SoFar['steps']): string | null {
  const { id, outcomes, failures } = step;
  if (!experiment.arms.some((each) => armId(each) === arm)) return `the experiment has no arm ${arm}`;
  if (steps.get(arm)?.some((before) => before.id === id)) return `step ${id} is here a second time`;
  const attempts = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const share = attempts === 0 ? 0 : 1 - (outcomes.ok ?? 0) / attempts;
  return Math.abs(share - failures) < 1e-9
    ? null
    : `step ${id}: failures are ${failures}, and by its outcomes ${share}`;
}
