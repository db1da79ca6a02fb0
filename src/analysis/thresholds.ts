/**
 * The limits that decide the exit code. Pure.
 */
import { parseMetric } from '../domain/metric.js';
import type { Experiment } from '../plan/plan.js';
import type { Run, ThresholdResult } from '../results/schema.js';
import { median } from './statistics.js';
import { comparedRuns } from './usable.js';

/**
 * Hold each threshold against the median of the usable runs of its variant, or of every arm, the baseline included, when it
 * names none. One that names an arm which the experiment lacks (its kernel cannot run it) says nothing. Both ends are inclusive. A threshold without a value does not pass: a limit that was not measured was not kept.
 * @param deterministic whether an arm's load is declared to end in the same counts every time
 * @throws UnitError for an unknown metric
 */
export function evaluateThresholds(
  experiment: Experiment,
  runs: readonly Run[],
  deterministic: (arm: string) => boolean,
): ThresholdResult[] {
  return experiment.thresholds.flatMap((threshold) => {
    const metric = parseMetric(threshold.metric);
    const names = experiment.arms.map((arm) => arm.name);
    const arms = threshold.variant === null ? names : names.filter((name) => name === threshold.variant);
    return arms.map((variant) => {
      const own = runs.filter((run) => run.variant === variant);
      const used = comparedRuns({ runs: own, deterministic: deterministic(variant) }, metric);
      const value = median(used.flatMap((run) => metric.value(run) ?? []));
      return {
        metric: threshold.metric,
        limit: threshold.text,
        variant,
        value,
        passed:
          value !== null &&
          value <= (threshold.max ?? Number.POSITIVE_INFINITY) &&
          value >= (threshold.min ?? Number.NEGATIVE_INFINITY),
      };
    });
  });
}
