/**
 * The comparisons of an experiment: which runs are paired, on which metrics, and what may not be compared. Pure. How one metric is
 * compared: `compare-metric.ts`.
 */
import type { TimeToTell } from '../capacity/sysctl-time.js';
import { failingOutcome, neighbourGuardrails, parseMetric } from '../domain/metric.js';
import type { Experiment } from '../plan/plan.js';
import type { Comparison, Run } from '../results/schema.js';
import { type Concluded, compareMetric, type Judging } from './compare-metric.js';
import { type Engine, withinEngine, withinLoadEngine } from './engines.js';
import { withinLag } from './own-lag.js';
import { lateWarning, type PairedVariant, pairRuns } from './pairs.js';
import { withinTime } from './too-short.js';
import { type Asked, COUNTS, isUsable, TIMES } from './usable.js';
import { FAILURES } from './verdict.js';

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

interface Compared {
  readonly variants: readonly PairedVariant[];
  /** A metric → variant → comparison. */
  readonly comparisons: (metric: string) => Map<string, Concluded>;
}

/**
 * Pair the runs, and compare them.
 * @param judging at which look, or once at the end
 * @throws Error when the experiment has no baseline
 */
export function compareOn(input: ComparisonInput, judging: Judging): Compared {
  const { experiment, runs, deterministic, engineOf, timesToTell } = input;
  // Nothing could be run, as on a kernel that lacks what the baseline names.
  if (experiment.arms.length === 0) return { variants: [], comparisons: () => new Map() };
  const baseline = experiment.arms.find((arm) => arm.baseline);
  if (!baseline) throw new Error(`experiment ${experiment.name} has no baseline`);
  const planned = judging.kind === 'fixed' ? experiment.repeat : judging.look.pairs;
  const variants = experiment.arms
    .filter((arm) => arm !== baseline)
    .map(({ name }): PairedVariant => {
      const exact = deterministic(baseline.name) && deterministic(name);
      const pair = (asked: Asked) => pairRuns(runs, baseline.name, name, planned, (run) => isUsable(run, asked, exact));
      const [counts, times] = [pair(COUNTS), pair(TIMES)];
      const late = times.pairs.length < counts.pairs.length;
      return {
        name,
        pairs: times.pairs,
        warnings: late ? [lateWarning(times.pairs, counts.pairs, planned)] : times.warnings,
        countPairs: counts.pairs,
        countWarnings: counts.warnings,
        deterministic: exact,
      };
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
  const concluded = ({ comparison, settled, futile }: Concluded, name: string): Concluded => {
    const { pairs } = variants.find((each) => each.name === name)!;
    const allowed = withinLag(within(comparison, name), pairs);
    // What two engines measured is not compared, however often they measure it.
    return { comparison: told(allowed, name), settled: settled || allowed !== comparison, futile };
  };
  return {
    variants,
    comparisons: (metric) =>
      new Map([...compareMetric(metric, variants, judging)].map(([name, found]) => [name, concluded(found, name)])),
  };
}

/** The profile's guardrails, each once and without the goal, those of every neighbour, and FAILURES where the goal is a part of them. */
export function guardrailsOf(experiment: Pick<Experiment, 'goal' | 'guardrails' | 'neighbours'>): string[] {
  const neighbours = (experiment.neighbours ?? []).flatMap(({ name, service }) =>
    neighbourGuardrails(name, service !== undefined),
  );
  const names = new Set([...experiment.guardrails, ...neighbours]);
  const goal = parseMetric(experiment.goal);
  // What one load no longer suffers another one may.
  if (failingOutcome(goal) || (goal.scenario !== null && goal.failures !== null)) names.add(FAILURES);
  names.delete(experiment.goal);
  return [...names];
}
