/**
 * The comparison of every variant with the baseline: goal, guardrails, verdict. Pure; what is random is seeded by the experiment.
 * Which runs are compared: `compare-on.ts`. At which look: `sequential.ts`. How a variant's word follows: `verdict.ts`.
 */
import { parseMetric } from '../domain/metric.js';
import type { Comparison, Verdict } from '../results/schema.js';
import { type ComparisonInput, compareOn, guardrailsOf } from './compare-on.js';
import { outcomeShift } from './outcome-shift.js';
import { judgedByLooks, lookInProgress } from './sequential.js';
import { judge } from './verdict.js';

/**
 * Compare every variant with the baseline on the goal and the guardrails. A goal on one failing outcome gets `failures.share`
 * as a guardrail by itself. With looks each variant is judged at the look at which it was stopped.
 * @returns variant → verdict, in the profile's order; the baseline has none
 * @throws UnitError when goal or a guardrail is no metric
 */
export function compareArms(input: ComparisonInput): Map<string, Verdict> {
  const { experiment } = input;
  if (experiment.looks) return judgedByLooks(input);
  const metric = parseMetric(experiment.goal);
  const { variants, comparisons } = compareOn(input, { kind: 'fixed', seed: experiment.seed });
  const goals = comparisons(experiment.goal);
  const guards = guardrailsOf(experiment).map(comparisons);
  return new Map(
    variants.map(({ name, countPairs }) => [
      name,
      judge({
        name,
        metric,
        goal: goals.get(name)!.comparison,
        guardrails: guards.map((guard) => guard.get(name)!.comparison),
        shift: outcomeShift(countPairs),
      }),
    ]),
  );
}

/**
 * Compare every variant with the baseline on the goal alone, by the blocks that there are: what is known before all are, and no verdict.
 * @returns variant → comparison, in the profile's order
 * @throws UnitError when the goal is no metric
 */
export function compareGoal(input: ComparisonInput): Map<string, Comparison> {
  const { goal, seed, looks } = input.experiment;
  const { comparisons } = compareOn(input, looks ? lookInProgress(input) : { kind: 'fixed', seed });
  return new Map([...comparisons(goal)].map(([name, { comparison }]) => [name, comparison]));
}
