/**
 * The one sentence at the top of a report, for a reader who knows neither the tool nor the statistics. Pure.
 */

import { failingOutcome, parseMetric } from '../domain/metric.js';
import { failureCount, isFailure, isPortShortage } from '../domain/outcome.js';
import { own } from '../domain/own.js';
import type { Experiment } from '../plan/plan.js';
import type { Comparison, Run, Verdict } from '../results/schema.js';
import { formatBound, formatValue, listed } from './format.js';
import { boundedMedian } from './lower-bound.js';
import { medianShare } from './outcome-shift.js';
import { median } from './statistics.js';
import { comparedRuns } from './usable.js';
import { FAILURES, isAboutFailures, namesOf, starvedNeighbours } from './verdict.js';

export interface SummaryInput {
  readonly experiment: Experiment;
  readonly runs: readonly Run[];
  /** Variant → verdict, as `compareArms` gives it. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Whether an arm's load is declared to end in the same counts every time. */
  readonly deterministic: (arm: string) => boolean;
  /** Runs in which the calls of a proxy were counted; compared with nothing. */
  readonly observed?: readonly Run[];
}

/** Which arms could not be run, as of a mistake in them; what failed in the baseline and how often; what each variant did about it. */
export function summarise(input: SummaryInput): string {
  const failed = failedArms(input.runs);
  const verdicts = new Map([...input.verdicts].filter(([variant]) => !failed.has(variant)));
  return [
    ...[...failed].map(([arm, why]) => `${arm} could not be run: ${why}.`),
    compared({ ...input, verdicts }),
  ].join(' ');
}

/** Arms of which every run failed, and why the first one did. */
function failedArms(runs: readonly Run[]): Map<string, string> {
  const ran = new Set(runs.flatMap(({ status, variant }) => (status === 'failed' ? [] : [variant])));
  const failed = runs.filter(({ variant }) => !ran.has(variant)).reverse();
  return new Map(
    failed.flatMap(({ variant, problems: [why] }) => (why ? [[variant, why.replace(/\.$/, '')] as const] : [])),
  );
}

function compared(input: SummaryInput): string {
  const { experiment, runs, verdicts, deterministic } = input;
  if (experiment.arms.length === 0) return 'Nothing could be run: the kernel lacks what the baseline names.';
  const goal = parseMetric(experiment.goal);
  const baselineName = experiment.arms.find((arm) => arm.baseline)?.name ?? '';
  const usable = (arm: string) =>
    comparedRuns({ runs: runs.filter(({ variant }) => variant === arm), deterministic: deterministic(arm) }, goal);
  const baseline = usable(baselineName);
  if (baseline.length === 0)
    return 'No run of the baseline can be compared, so nothing can be said about the variants.';
  const observed = (input.observed ?? []).filter((run) => run.variant === baselineName);
  const judged = [...verdicts];
  if (isAboutFailures(goal)) {
    const one = failingOutcome(goal);
    const name = one ?? mostFrequentFailure(baseline);
    const share = one === undefined ? failureShare(baseline) : medianShare(baseline, one);
    if (baseline.every((run) => (goal.value(run) ?? 0) === 0)) {
      const what = one === undefined ? 'No attempt failed' : `No attempt failed with ${one}`;
      const harm = judged.filter(([, verdict]) => verdict.verdict === 'worse').map(([variant]) => variant);
      return `${what} in the baseline, so there was nothing to fix${harm.length > 0 ? `, and ${listed(harm)} made things worse` : ''}.`;
    }
    const parts = partsOf(judged, (variant, { goal: told }) => failureEffect(usable(variant), told));
    const outcome = parts.length === 0 ? '' : `: ${listed(parts)}`;
    return `In the baseline ${formatValue('share', share)} of connection attempts failed${reasonOf(name, [...baseline, ...observed])}${outcome}.`;
  }
  const { value, atLeast } = boundedMedian(goal, baseline);
  const was = value === null ? 'not measured' : formatBound(goal.unit, value, atLeast);
  const parts = partsOf(judged, (_, { goal: { unit, variant, atLeast: bound } }) =>
    variant === null ? 'improved it' : `brought it to ${formatBound(unit, variant, bound?.variant)}`,
  );
  return `In the baseline ${goal.label} was ${was}: ${listed(parts)}.`;
}

/**
 * Group variants by what they did, most useful first; `effect` says what a variant that helped did.
 */
function partsOf(
  judged: readonly (readonly [string, Verdict])[],
  effect: (variant: string, verdict: Verdict) => string,
): string[] {
  const groups = new Map<string, string[]>();
  const add = (effectText: string, variant: string) =>
    groups.set(effectText, [...(groups.get(effectText) ?? []), variant]);
  const order: Verdict['verdict'][] = ['better', 'no difference', 'worse', 'not enough evidence'];
  for (const word of order) {
    for (const [variant, verdict] of judged.filter((entry) => entry[1].verdict === word)) {
      switch (word) {
        case 'better':
          add(effect(variant, verdict) + priceOf(verdict), variant);
          break;
        case 'no difference':
          add(
            verdict.goal.verdict === 'better' ? 'only moved the failure to another call' : 'made no difference',
            variant,
          );
          break;
        case 'worse':
          add(harmOf(verdict), variant);
          break;
        case 'not enough evidence':
          add('could not be decided', variant);
      }
    }
  }
  return [...groups].map(([text, variants]) => `${listed(variants)} ${text}`);
}

function harmOf({ goal, guardrails }: Verdict): string {
  const starved = starvedNeighbours(guardrails);
  if (starved.length === 0) return 'made things worse';
  return `${goal.verdict === 'better' ? 'fixed the load, but ' : ''}starved ${namesOf(starved)}`;
}

/** @param goal where it is the share of all failures, its figure is that of the table: of the runs that were compared */
function failureEffect(own: readonly Run[], goal: Comparison): string {
  if (own.every((run) => failureCount(run.outcomes) === 0)) return 'ended it';
  const share = (goal.metric === FAILURES ? goal.variant : null) ?? failureShare(own);
  return share === 0 ? 'all but ended it' : `reduced failures to ${formatValue('share', share)}`;
}

/** ` (but latency.total.p99 rose from 1.20 ms to 4.00 ms)`. */
function priceOf({ guardrails }: Verdict): string {
  const worse = guardrails.filter((comparison) => comparison.verdict === 'worse' && comparison.metric !== FAILURES);
  if (worse.length === 0) return '';
  const prices = worse.map(
    ({ metric, unit, baseline, variant, atLeast }) =>
      `${parseMetric(metric).label} went from ${formatBound(unit, baseline ?? 0, atLeast?.baseline)} to ${formatBound(unit, variant ?? 0, atLeast?.variant)}`,
  );
  return ` (but ${listed(prices)})`;
}

function reasonOf(outcome: string, runs: readonly Run[]): string {
  if (isPortShortage(outcome)) return ` because no local port was free (${outcome})`;
  const behind = shortageBehind(runs);
  return behind === undefined
    ? ` (${outcome})`
    : ` because no local port was free (${behind}, which answered ${outcome})`;
}

/**
 * What a proxy met when its clients were refused, as the kernel's answers to its calls or else its log have it.
 * @returns `bind:EADDRINUSE in squid`; undefined where there is no proxy, or something other than a shortage of ports was most frequent
 */
function shortageBehind(runs: readonly Run[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { proxy } of runs)
    for (const { call, errno, count } of proxy?.syscalls?.failures ?? proxy?.failures ?? [])
      counts.set(`${call}:${errno}`, (counts.get(`${call}:${errno}`) ?? 0) + count);
  const [most] = [...counts].sort(([, m], [, n]) => n - m);
  const kind = runs.find(({ proxy }) => proxy)?.proxy?.kind;
  return most && isPortShortage(most[0]) ? `${most[0]} in ${kind}` : undefined;
}

function failureShare(runs: readonly Run[]): number {
  const shares = runs.filter((run) => run.attempts > 0).map((run) => failureCount(run.outcomes) / run.attempts);
  return median(shares) ?? 0;
}

function mostFrequentFailure(runs: readonly Run[]): string {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.outcomes).filter(isFailure)))];
  const total = (name: string) => runs.reduce((sum, run) => sum + (own(run.outcomes, name) ?? 0), 0);
  return names.sort((a, b) => total(b) - total(a))[0] ?? 'failures';
}
