/**
 * From a journal to the results: what was measured, judged. Everything comes from the journal, so that results and reports can be
 * made again at any time.
 */
import { assembleResults } from '../analysis/assemble.js';
import { machineDisagreements } from '../analysis/machines.js';
import { armId } from '../plan/kernels.js';
import type { Results } from '../results/schema.js';
import { expectationsOf } from './expectations.js';
import type { JournalContents } from './journal.js';
import { planRuns } from './order.js';
import { shortagesByKernel } from './shortages.js';

/** Equal journals give equal results, also one that has no end (a crash): it then ends with its last run. */
export function conclude({ begin, runs, observed, machines, ended, damage }: JournalContents<'run'>): Results {
  const { experiment, environment } = begin;
  const { environments, arms } = expectationsOf({ begin, runs, observed });
  const results = assembleResults({
    experiment: { ...experiment, arms: experiment.arms.map((arm) => arms.get(armId(arm))?.seen ?? arm) },
    runs: [...runs],
    observed,
    environment,
    ...(begin.kernels ? { environments: begin.kernels } : {}),
    predictions: new Map([...arms].map(([id, { prediction }]) => [id, prediction])),
    real: (id) => arms.get(id)?.real,
    bounds: (id) => arms.get(id)?.bounds ?? null,
    deterministic: (id) => arms.get(id)?.deterministic ?? false,
    timesToTell: (id) => arms.get(id)?.times ?? [],
    startedAt: begin.startedAt,
    finishedAt: ended?.at ?? lastMoment(begin.startedAt, runs),
    runsPlanned: planRuns(experiment).length,
    command: experiment.extendedFrom ? `${begin.command} --repeat ${experiment.repeat}` : begin.command,
    profileText: begin.profile,
  });
  // What the machine lacked was said before the first run; a reader of the report was not there.
  const lacks = shortagesByKernel(
    experiment,
    (kernel) => environments.get(kernel),
    (arm) => arms.get(arm)!.prediction,
  );
  // Also after a crash, which nobody may have seen.
  const cut = ended === null && damage.length === 0 ? [NO_END] : [];
  const variants = results.variants.map((variant) => {
    const { foreseen } = arms.get(armId(variant))!;
    return { ...variant, ...(foreseen ? { foreseen } : {}) };
  });
  const differing = machineDisagreements(results);
  return {
    ...results,
    ...(machines ? { machines: [...machines].map(([name, environment]) => ({ name, environment })) } : {}),
    variants,
    warnings: [...damage, ...cut, ...differing, ...lacks, ...results.warnings],
  };
}

const NO_END = 'the journal has no end: the command that wrote it was killed, or the end of the file is lost';

/** The end of the load that ended last. ISO 8601. */
function lastMoment(startedAt: string, runs: JournalContents<'run'>['runs']): string {
  const ends = runs.map((run) => Date.parse(run.startedAt) + run.durationMs.load);
  return new Date(Math.max(Date.parse(startedAt), ...ends)).toISOString();
}
