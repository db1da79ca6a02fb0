/**
 * The limits that decide the exit code. Pure.
 */
import { parseMetric } from '../domain/metric.js';
import type { Experiment, Threshold } from '../plan/plan.js';
import type { Run, ThresholdResult } from '../results/schema.js';
import { boundedMedian } from './lower-bound.js';
import { moderate, moderatedInterval } from './moderated.js';
import { median } from './statistics.js';
import { type ArmRuns, comparedRuns } from './usable.js';

/**
 * Hold each threshold against the median of the usable runs of its variant, or of every arm, the baseline included, when it
 * names none. One that names an arm which the experiment lacks (its kernel cannot run it) says nothing. Both ends are inclusive. A threshold
 * without a value does not pass: a limit that was not measured was not kept. Nor was an upper limit on a value that may be higher in truth.
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
      const { value, atLeast } = boundedMedian(metric, used);
      const highest = atLeast ? Number.POSITIVE_INFINITY : value;
      return {
        metric: threshold.metric,
        limit: threshold.text,
        variant,
        value,
        ...(atLeast ? { atLeast } : {}),
        passed:
          value !== null &&
          highest !== null &&
          highest <= (threshold.max ?? Number.POSITIVE_INFINITY) &&
          value >= (threshold.min ?? Number.NEGATIVE_INFINITY),
      };
    });
  });
}

/** The spread of a value that is believed, in margins. */
const LEAST_SPREAD = 0.1;

/**
 * Whether more runs of an arm would hardly change what is said of a limit: the interval of its mean has the limit outside. Counts that the
 * kernel's rules decide need two runs that agree. Of a metric that no run has a value of, two runs say so.
 * @param level the chance that the interval misses, each side
 * @throws UnitError for an unknown metric
 */
export function isThresholdSettled(threshold: Threshold, arm: ArmRuns, level: number): boolean {
  const metric = parseMetric(threshold.metric);
  const used = comparedRuns(arm, metric);
  const values = used.flatMap((run) => metric.value(run) ?? []);
  if (used.length < 2 || values.length === 1) return false;
  if (values.length === 0) return true;
  if (metric.exact && arm.deterministic === true && new Set(values).size === 1) return true;
  if (level <= 0) return false;
  const least = LEAST_SPREAD * metric.margin(median(values) ?? 0);
  const [summary] = moderate([values]);
  const [low, high] = moderatedInterval(summary!, least, 2 * level);
  return [threshold.max, threshold.min].every((limit) => limit === null || low > limit || high < limit);
}
