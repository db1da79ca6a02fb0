/**
 * An experiment that is looked at as it grows: at each look every variant is compared by the pairs so far, and one of which everything is
 * settled is stopped. Pure: from the runs alone, so that a result that is made again from its journal stops each arm where it was stopped.
 *
 * An arm is judged once, at the look at which it stops, by all of its pairs and at what that look may spend. A claim at any look is then one
 * whose p was below that look's share, and the shares add up to 5 %. Holm's family at a look is every arm that varies: one that was stopped
 * with a claim has its place in it with p = 0, one that was stopped without with p = 1 (the step-down of Holm within each look, as in Ye,
 * Li, Liu and Yao 2013, Statistics in Medicine 32:1112, holds for stages too). Proof: at the first look at which a true hypothesis is
 * rejected, all that were rejected before it are false ones, so its p was at most the look's share divided by the number of true ones.
 */
import { parseMetric } from '../domain/metric.js';
import type { Run, Verdict } from '../results/schema.js';
import type { Concluded, Judging } from './compare-metric.js';
import { type ComparisonInput, compareOn, guardrailsOf } from './compare-on.js';
import { lookAt, looksFor } from './looks.js';
import { outcomeShift } from './outcome-shift.js';
import { isThresholdSettled } from './thresholds.js';
import { judge } from './verdict.js';

/** What a look says of an arm. */
export type Decision =
  /** No more runs are made of it. `pairs`: at the look at which that was so for the first time. */
  | { readonly kind: 'stop'; readonly pairs: number; readonly why: string }
  /** `open`: the metrics, and the limits on metrics, that are not settled; none: the baseline, which other arms still need. */
  | { readonly kind: 'go-on'; readonly open: readonly string[] };

/** A variant at the look at which it was stopped, or at the latest one. */
interface Judged {
  readonly verdict: Verdict;
  /** Metric → how it was settled, for the families of later looks. */
  readonly claimed: ReadonlyMap<string, boolean>;
  /** Metrics and limits that are not settled; none: it is stopped here. */
  readonly open: readonly string[];
  readonly exact: boolean;
}

/**
 * Which arms need no more runs, when each has had its run of the first `look` blocks after the warm-up. Of one kernel: with several, ask
 * for each (`experimentOn`).
 * @param input its experiment has looks; runs after the look are not read
 * @param look pairs: one of the experiment's `looks`
 * @returns arm → decision, the baseline too: it goes on for as long as any variant does
 * @throws UnitError when goal or a guardrail is no metric
 */
export function decidedAt(input: ComparisonInput & { readonly look: number }): ReadonlyMap<string, Decision> {
  const { look } = input;
  const judged = walk(
    input,
    plannedLooks(input).filter((pairs) => pairs <= look),
  );
  const variants = [...judged].map(([name, found]): [string, Decision] => [name, decisionOf(found)]);
  const baseline = input.experiment.arms.find((arm) => arm.baseline);
  if (!baseline) return new Map(variants);
  return new Map([[baseline.name, baselineDecision(input, baseline.name, look, variants)], ...variants]);
}

function decisionOf({ verdict, open, exact }: Judged): Decision {
  if (open.length > 0) return { kind: 'go-on', open };
  const { pairs } = verdict.look!;
  const why = exact
    ? `the counts of ${pairs} runs are the same, as the kernel's rules say`
    : `everything that is asked of it is settled by ${pairs} pairs, or could not be by the most`;
  return { kind: 'stop', pairs, why };
}

function baselineDecision(
  input: ComparisonInput,
  name: string,
  look: number,
  variants: readonly (readonly [string, Decision])[],
): Decision {
  const open = openThresholds(input, name, look);
  const running = variants.some(([, decision]) => decision.kind === 'go-on');
  if (running || open.length > 0) return { kind: 'go-on', open };
  const pairs = Math.max(0, ...variants.flatMap(([, decision]) => (decision.kind === 'stop' ? [decision.pairs] : [])));
  return { kind: 'stop', pairs, why: 'no variant needs it any more' };
}

/**
 * Judge every variant at the look at which it was stopped, or by all that there is.
 * @returns variant → verdict, in the profile's order
 */
export function judgedByLooks(input: ComparisonInput): Map<string, Verdict> {
  const made = pairsMade(input);
  const planned = plannedLooks(input).filter((pairs) => pairs <= made);
  // An experiment that was interrupted is judged by what there is, at what has accrued since the last look.
  const looks = planned.at(-1) === made ? planned : [...planned, made];
  return new Map([...walk(input, looks)].map(([name, { verdict }]) => [name, verdict]));
}

/** Runs after the warm-up that the arms take in all, of those that were stopped only what was made up to there. */
export function runsNeeded(input: ComparisonInput): number {
  const { arms, repeat } = input.experiment;
  if (!input.experiment.looks) return arms.length * repeat;
  const decisions = decidedAt({ ...input, look: pairsMade(input) });
  return arms.reduce((sum, { name }) => {
    const decision = decisions.get(name);
    return sum + (decision?.kind === 'stop' ? decision.pairs : repeat);
  }, 0);
}

/** How the pairs so far are judged while the next ones are made. */
export function lookInProgress(input: ComparisonInput): Judging {
  const { experiment } = input;
  const plan = { ...experiment, looks: plannedLooks(input) };
  return { kind: 'look', look: lookAt(plan, pairsMade(input)), claimed: () => undefined };
}

function plannedLooks({ experiment: { looks, repeat, extendedFrom } }: ComparisonInput): readonly number[] {
  return looks ?? looksFor(repeat, extendedFrom);
}

/** Blocks after the warm-up of which there is a run. */
function pairsMade({ experiment: { warmup }, runs }: ComparisonInput): number {
  return runs.reduce((most, run) => (run.warmup ? most : Math.max(most, run.block - warmup + 1)), 0);
}

function upTo({ experiment: { warmup } }: ComparisonInput, runs: readonly Run[], pairs: number): Run[] {
  return runs.filter((run) => run.warmup || run.block < warmup + pairs);
}

/** Look after look; an arm that is settled keeps what was said of it. */
function walk(input: ComparisonInput, looks: readonly number[]): Map<string, Judged> {
  const judged = new Map<string, Judged>();
  // Without a run there is nothing, which is to be said too.
  for (const pairs of looks.length > 0 ? looks : [0]) {
    const stopped = new Map([...judged].filter(([, { open }]) => open.length === 0));
    for (const [name, found] of atLook(input, pairs, stopped)) if (!stopped.has(name)) judged.set(name, found);
  }
  return judged;
}

function atLook(input: ComparisonInput, pairs: number, stopped: ReadonlyMap<string, Judged>): Map<string, Judged> {
  const { experiment } = input;
  const plan = { ...experiment, looks: plannedLooks(input) };
  const runs = upTo(input, input.runs, pairs).filter((run) => {
    const last = stopped.get(run.variant)?.verdict.look?.pairs;
    return last === undefined || run.warmup || run.block < experiment.warmup + last;
  });
  const at = { ...input, runs };
  const judging: Judging = {
    kind: 'look',
    look: lookAt(plan, pairs),
    claimed: (arm, metric) => stopped.get(arm)?.claimed.get(metric),
  };
  const { variants, comparisons } = compareOn(at, judging);
  const metric = parseMetric(experiment.goal);
  const all = [experiment.goal, ...guardrailsOf(experiment)].map(comparisons);
  const number = plan.looks.filter((look) => look <= pairs).length;
  return new Map(
    variants.map(({ name, countPairs }): [string, Judged] => {
      const concluded = all.map((of) => of.get(name)!);
      const [goal, ...guardrails] = concluded.map(({ comparison }) => comparison);
      // The goal is what the experiment was made for; a guardrail that no number of pairs decides is no reason to go on.
      const open = [...concluded.flatMap((one, i) => metricIfOpen(one, i > 0)), ...openThresholds(at, name, pairs)];
      const verdict = judge({ name, metric, goal: goal!, guardrails, shift: outcomeShift(countPairs) });
      const early = open.length === 0 && pairs < experiment.repeat;
      return [
        name,
        {
          verdict: { ...verdict, look: { number, of: plan.looks.length, pairs, early } },
          claimed: new Map(concluded.map(({ comparison }) => [comparison.metric, isClaim(comparison.verdict)])),
          open,
          exact: concluded.every(({ comparison }) => comparison.kind === 'exact'),
        },
      ];
    }),
  );
}

function metricIfOpen({ comparison, settled, futile }: Concluded, isGuardrail: boolean): string[] {
  return settled || (isGuardrail && futile) ? [] : [comparison.metric];
}

function isClaim(verdict: Verdict['verdict']): boolean {
  return verdict === 'better' || verdict === 'worse';
}

/** The limits on an arm that its runs so far do not decide, as `failures.share (1%)`. */
function openThresholds({ experiment, runs, deterministic }: ComparisonInput, arm: string, pairs: number): string[] {
  const { equivalence } = lookAt({ ...experiment, looks: experiment.looks ?? [] }, pairs).levelsOf(
    parseMetric(experiment.goal),
  );
  return experiment.thresholds
    .filter(({ variant }) => variant === null || variant === arm)
    .filter((threshold) => {
      const own = runs.filter((run) => run.variant === arm && (run.warmup || run.block < experiment.warmup + pairs));
      return !isThresholdSettled(threshold, { runs: own, deterministic: deterministic(arm) }, equivalence);
    })
    .map(({ metric, text }) => `${metric} (${text})`);
}
