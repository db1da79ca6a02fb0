/**
 * The comparison of every variant with the baseline: goal, guardrails, verdict. Pure; the bootstrap is seeded by the experiment.
 * How one metric is compared: `compare-metric.ts`. How a variant's word follows: `verdict.ts`.
 */

import type { TimeToTell } from '../capacity/sysctl-time.js';
import { failingOutcome, neighbourGuardrails, parseMetric } from '../domain/metric.js';
import type { Experiment } from '../plan/plan.js';
import type { Comparison, Run, Verdict } from '../results/schema.js';
import { compareMetric } from './compare-metric.js';
import { type Engine, withinEngine, withinLoadEngine } from './engines.js';
import { outcomeShift } from './outcome-shift.js';
import { type PairedVariant, pairRuns } from './pairs.js';
import { withinTime } from './too-short.js';
import { type Asked, COUNTS, isUsable, TIMES } from './usable.js';
import { FAILURES, judge } from './verdict.js';

export interface ComparisonInput {
  readonly experiment: Experiment;
  /** Of all arms, in any order; warm-ups, failed and invalid ones may be among them. */
  readonly runs: readonly Run[];
  /** Whether an arm's load is declared to end in the same counts every time. */
  readonly deterministic: (arm: string) => boolean;
  /** What an arm's changes of time-dependent sysctls take to show themselves; absent: none has such. */
  readonly timesToTell?: (arm: string) => readonly TimeToTell[];
  /** What ran an arm's guests; absent where all arms ran alike. */
  readonly engineOf?: (arm: string) => Engine;
}

/**
 * Compare every variant with the baseline on the goal and the guardrails. A goal on one failing outcome gets `failures.share`
 * as a guardrail by itself.
 * @returns variant → verdict, in the profile's order; the baseline has none
 * @throws UnitError when goal or a guardrail is no metric
 */
export function compareArms(input: ComparisonInput): Map<string, Verdict> {
  const { experiment } = input;
  const metric = parseMetric(experiment.goal);
  const guardrails = guardrailsOf(experiment);
  const { variants, comparisons } = compareOn(input);
  const goals = comparisons(experiment.goal);
  const guards = guardrails.map(comparisons);
  return new Map(
    variants.map(({ name, countPairs }) => [
      name,
      judge({
        name,
        metric,
        goal: goals.get(name)!,
        guardrails: guards.map((guard) => guard.get(name)!),
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
  return compareOn(input).comparisons(input.experiment.goal);
}

interface Compared {
  readonly variants: readonly PairedVariant[];
  /** A metric → variant → comparison. */
  readonly comparisons: (metric: string) => Map<string, Comparison>;
}

function compareOn({ experiment, runs, deterministic, engineOf, timesToTell }: ComparisonInput): Compared {
  // Nothing could be run, as on a kernel that lacks what the baseline names.
  if (experiment.arms.length === 0) return { variants: [], comparisons: () => new Map() };
  const baseline = experiment.arms.find((arm) => arm.baseline);
  if (!baseline) throw new Error(`experiment ${experiment.name} has no baseline`);
  const variants = experiment.arms
    .filter((arm) => arm !== baseline)
    .map(({ name }): PairedVariant => {
      const exact = deterministic(baseline.name) && deterministic(name);
      const pair = (asked: Asked) =>
        pairRuns(runs, baseline.name, name, experiment.repeat, (run) => isUsable(run, asked, exact));
      const counts = pair(COUNTS);
      return { name, ...pair(TIMES), countPairs: counts.pairs, countWarnings: counts.warnings, deterministic: exact };
    });
  const loadEngineOf = (arm: string) => experiment.arms.find(({ name }) => name === arm)!.load.engine;
  const within = (comparison: Comparison, name: string) =>
    withinLoadEngine(
      withinEngine(comparison, engineOf?.(baseline.name), engineOf?.(name)),
      baseline.load.engine,
      loadEngineOf(name),
    );
  const told = (comparison: Comparison, name: string) => {
    if (comparison.metric !== experiment.goal) return comparison;
    const arm = experiment.arms.find((each) => each.name === name)!;
    const { countPairs } = variants.find((each) => each.name === name)!;
    return withinTime(comparison, { arm, times: timesToTell?.(name) ?? [], pairs: countPairs });
  };
  return {
    variants,
    comparisons: (metric) =>
      new Map(
        [...compareMetric(metric, variants, experiment.seed)].map(([name, found]) => [
          name,
          told(within(found, name), name),
        ]),
      ),
  };
}

/** The profile's guardrails, each once and without the goal, those of every neighbour, and FAILURES where the goal is a part of them. */
export function guardrailsOf(experiment: Pick<Experiment, 'goal' | 'guardrails' | 'neighbours'>): string[] {
  const neighbours = (experiment.neighbours ?? []).flatMap(({ name }) => neighbourGuardrails(name));
  const names = new Set([...experiment.guardrails, ...neighbours]);
  const goal = parseMetric(experiment.goal);
  // What one load no longer suffers another one may.
  if (failingOutcome(goal) || (goal.scenario !== null && goal.failures !== null)) names.add(FAILURES);
  names.delete(experiment.goal);
  return [...names];
}
