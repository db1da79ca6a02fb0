/**
 * From a journal to the results: what was measured, judged. Everything comes from the journal, so that results and reports can be
 * made again at any time.
 */
import { assembleResults } from '../analysis/assemble.js';
import { isDeterministic } from '../capacity/deterministic.js';
import { parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import type { Results } from '../results/schema.js';
import type { JournalContents } from './journal.js';
import { planRuns } from './order.js';

/** @param finishedAt ISO 8601, for a journal that has no end (a crash) */
export function conclude({ begin, runs, ended }: JournalContents, finishedAt: string): Results {
  const { experiment, environment } = begin;
  const kernel = parseKernelVersion(environment.kernel);
  const deterministic = new Map(
    experiment.arms.map((arm) => [
      arm.name,
      // On the host other programs hold ports too, and nobody knows how many.
      experiment.lab === 'netns' && isDeterministic(arm, kernel, environment.defaults).deterministic,
    ]),
  );
  return assembleResults({
    experiment,
    runs: [...runs],
    environment,
    predictions: new Map(experiment.arms.map((arm) => [arm.name, predictArm(arm, kernel, environment.defaults)])),
    deterministic: (name) => deterministic.get(name) ?? false,
    startedAt: begin.startedAt,
    finishedAt: ended?.at ?? finishedAt,
    runsPlanned: planRuns(experiment).length,
    command: begin.command,
    profileText: begin.profile,
  });
}
