/**
 * What a reader must know of the experiment as a whole before the verdicts. Pure.
 */
import { parseMetric } from '../domain/metric.js';
import type { Comparison, Run, Verdict } from '../results/schema.js';
import { counted, formatValue, listed } from './format.js';
import { firstClaim } from './looks.js';
import { smallestPairs } from './statistics.js';
import type { SummaryInput } from './summary.js';
import { COUNTS, isUsable } from './usable.js';
import { isAboutFailures } from './verdict.js';

/** One sentence for each thing that limits what the results can say; none when there is nothing. */
export function experimentWarnings({ experiment, runs, verdicts, deterministic }: SummaryInput): string[] {
  return [
    ...tooFewPairs(experiment, [...verdicts.values()]),
    ...looks(experiment, [...verdicts.values()]),
    ...leftOut(runs),
    ...nothingToFix(experiment, runs, deterministic),
    ...generatorLimited({ experiment, runs, deterministic }),
    ...shed(runs),
    ...loadEngines(experiment),
  ];
}

/** Which claims are out of reach whatever the runs say. */
function tooFewPairs(experiment: SummaryInput['experiment'], verdicts: readonly Verdict[]): string[] {
  const { repeat } = experiment;
  const families = new Map<string, Comparison[]>();
  for (const { goal, guardrails } of verdicts) {
    for (const comparison of [goal, ...guardrails])
      families.set(comparison.metric, [...(families.get(comparison.metric) ?? []), comparison]);
  }
  const warnings: string[] = [];
  const noisy = [...families]
    .map(([metric, family]) => ({ metric, size: family.filter((comparison) => comparison.kind === 'noisy').length }))
    .filter(({ size }) => size > 0)
    .map(({ metric, size }) => ({ metric, size, least: leastPairs(experiment, metric, size) }))
    .filter(({ least }) => repeat < least);
  if (noisy.length > 0) {
    const largest = Math.max(...noisy.map(({ size }) => size));
    const least = Math.max(...noisy.map((each) => each.least));
    warnings.push(
      `repeat is ${repeat}: with ${counted(largest, 'variant')} a verdict of better or worse on ${listed(noisy.map(({ metric }) => metric))} takes at least ${least} pairs; add pairs with --resume FOLDER --repeat ${least}`,
    );
  }
  const exact = [...families.values()].flat().some((comparison) => comparison.kind === 'exact');
  if (exact && repeat < 2)
    warnings.push(
      'repeat is 1: one run of each arm cannot show that the runs repeat exactly; add pairs with --resume FOLDER --repeat 2',
    );
  return warnings;
}

/** The least pairs with which a variant can be called better or worse by a metric. @param family variants that vary by it */
function leastPairs({ looks, repeat }: SummaryInput['experiment'], metric: string, family: number): number {
  return looks ? firstClaim(parseMetric(metric), repeat) : smallestPairs(family);
}

/** An extension is a second look: free where the first could not decide anything, and otherwise another chance to err. */
function looks(experiment: SummaryInput['experiment'], verdicts: readonly Verdict[]): string[] {
  const { repeat, extendedFrom = [] } = experiment;
  const noisy = verdicts
    .flatMap(({ goal, guardrails }) => [goal, ...guardrails])
    .filter(({ kind }) => kind === 'noisy');
  const family = (metric: string) => noisy.filter((comparison) => comparison.metric === metric).length;
  const least = Math.min(...noisy.map(({ metric }) => leastPairs(experiment, metric, family(metric))));
  const early = extendedFrom.filter((pairs) => pairs >= least);
  if (early.length === 0) return [];
  return [
    `it was extended from ${listed(early.map(String))} to ${repeat} pairs after results could be seen that could already decide: each part errs with up to 5 % on its own, so a claim by metrics that vary has up to ${5 * (early.length + 1)} % to be false`,
  ];
}

function leftOut(runs: readonly Run[]): string[] {
  const measured = runs.filter((run) => !run.warmup);
  // Those that are late and nothing else have a sentence of their own.
  const out = measured.filter((run) => !isUsable(run, COUNTS, true));
  if (out.length === 0) return [];
  const reasons = out.map((run) => {
    const why = run.status === 'ok' ? run.problems[0] : run.status;
    return `${run.id} (${why ?? 'invalid'})`;
  });
  return [`${out.length} of ${counted(measured.length, 'run')} left out of every comparison: ${some(reasons)}`];
}

function nothingToFix(
  experiment: SummaryInput['experiment'],
  runs: readonly Run[],
  deterministic: SummaryInput['deterministic'],
): string[] {
  const goal = parseMetric(experiment.goal);
  const baseline = experiment.arms.find((arm) => arm.baseline)?.name;
  const measured = runs.filter((run) => run.variant === baseline && isUsable(run, goal, deterministic(run.variant)));
  if (measured.length === 0 || !isAboutFailures(goal)) return [];
  if (measured.some((run) => (goal.value(run) ?? 0) > 0)) return [];
  return [
    `${experiment.goal} was 0 in every run of the baseline, so no variant can improve it: raise the load, or narrow the ports, until the baseline fails`,
  ];
}

/** The p99 of the start lag, above the arm's budget: the load was not the one that the profile asks for. */
function generatorLimited({
  experiment,
  runs,
  deterministic,
}: Pick<SummaryInput, 'experiment' | 'runs' | 'deterministic'>): string[] {
  const late = runs.filter((run) => !run.warmup && run.generatorLimited);
  if (late.length === 0) return [];
  const worst = Math.max(...late.map((run) => run.latency.lag?.p99 ?? 0));
  const goal = parseMetric(experiment.goal);
  const stands = late.every((run) => isUsable(run, goal, deterministic(run.variant)));
  const verdicts = stands ? `Verdicts by ${experiment.goal} do not depend on the pace and use these runs too. ` : '';
  return [
    `the generator limited ${counted(late.length, 'run')} (${some(late.map((run) => run.id))}): the p99 of the start lag reached ${formatValue('microseconds', worst)}, above load.lagBudget. ${verdicts}Their times, and counts that depend on the pace, are left out; lower the rate, add workers, or run on a quieter machine`,
  ];
}

function loadEngines({ arms }: SummaryInput['experiment']): string[] {
  const own = arms.find((arm) => arm.baseline)?.load.engine;
  const others = arms.filter(({ load }) => own !== undefined && load.engine !== own).map(({ name }) => name);
  if (others.length === 0) return [];
  return [
    `${listed(others)} and the baseline have different engines (load.engine), whose times are not alike: only counts are compared between them`,
  ];
}

function shed(runs: readonly Run[]): string[] {
  const shares = runs
    .filter((run) => !run.warmup && run.attempts > 0)
    .map((run) => (run.outcomes.shed ?? 0) / run.attempts)
    .filter((share) => share > 0);
  if (shares.length === 0) return [];
  return [
    `in ${counted(shares.length, 'run')} attempts were shed (never started), up to ${formatValue('share', Math.max(...shares))} of them: they are neither ok nor failures; raise load.maxInFlight or the limit of open files`,
  ];
}

/** The first few of a long list. */
function some(words: readonly string[]): string {
  return words.length <= 5 ? listed(words) : `${words.slice(0, 4).join(', ')} and ${words.length - 4} more`;
}
