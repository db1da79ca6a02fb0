/**
 * Which variant, if any, is worth carrying to a real machine as a change of sysctls. Pure.
 *
 * A drop-in is a recommendation in a form that people apply without reading, so everything must speak for it: the experiment is whole, the rate
 * that somebody needs is not held without it, the variant is better by its verdict, no guardrail got worse, no threshold on it failed, the kernel
 * had the values that were asked for, nothing but sysctls was changed, no other variant without a price did clearly more, and the values are those
 * of a machine and not of a scaled-down model of one. One that did more at a cost that no lab shows is passed over, and the reason is given.
 */
import { parseMetric } from '../domain/metric.js';
import { checkSysctlName, checkSysctlValue, normaliseSysctl } from '../domain/sysctl-syntax.js';
import type { Results, Variant } from '../results/schema.js';
import { adviceOf, type SysctlAdvice } from './advice.js';
import { alreadyHeld } from './already-held.js';
import { listed } from './format.js';
import { comparedRuns } from './usable.js';

/** A change that may be written on a machine. */
export type SysctlChange = Pick<SysctlAdvice, 'name' | 'measured' | 'sideEffect'> & {
  /** For a machine. */
  readonly value: string;
  /** What the lab's numbers stood for; null: they are those of a machine. */
  readonly note: string | null;
};

/** The variant to apply and its changes, or why there is none. */
type Recommendation =
  | {
      readonly kind: 'sysctls';
      readonly variant: Variant;
      readonly changes: readonly SysctlChange[];
      /** Variants that did more and are not recommended, each with the reason. */
      readonly passedOver: readonly string[];
    }
  | { readonly kind: 'none'; readonly reason: string };

/** The variant to apply, or one sentence that says why there is none. */
export function recommend(results: Results): Recommendation {
  const { experiment } = results;
  const baseline = results.variants.find((variant) => variant.baseline);
  if ((results.kernels?.length ?? 1) > 1)
    return none('several kernels were measured, and a machine has one: repeat it on that one alone');
  if (experiment.status !== 'complete' || !baseline) return none('the experiment is not complete');
  const better = results.variants.filter((variant) => variant.verdict?.verdict === 'better');
  if (better.length === 0) return none('no variant was judged better than the baseline');
  const held = alreadyHeld(results.variants, experiment.requiredRate);
  if (held) return none(`${held.fact}, so no change for that rate is supported`);
  const unpriced = better.filter((variant) => pricesOf(variant, results).length === 0);
  if (unpriced.length === 0)
    return none(
      better.map((variant) => `${variant.name} has a price: ${listed(pricesOf(variant, results))}`).join('; '),
    );
  return bestOf(unpriced, baseline, results, []);
}

/** The simplest of the best that may be written to a file; where what they cost is all that speaks against them, of the next best. */
function bestOf(
  candidates: readonly Variant[],
  baseline: Variant,
  results: Results,
  passedOver: readonly string[],
): Recommendation {
  if (candidates.length === 0) return none(passedOver.join('; '));
  const gain = (variant: Variant) => gainOf(variant, results.experiment.goal);
  const best = candidates.reduce((a, b) => (gain(b) > gain(a) ? b : a));
  // As good as the best: apart by no more than the differences that count as none.
  const isEqual = (variant: Variant) => gain(best) - gain(variant) <= (best.verdict?.goal.margin ?? 0) + ROUNDING;
  const judged = candidates.filter(isEqual).map((variant) => {
    const advice = adviceOf(baseline, variant, results);
    return { variant, changes: changesOf(advice), obstacle: obstacleOf(baseline, variant, advice) };
  });
  const [first] = judged
    .filter(({ obstacle }) => obstacle === undefined)
    .sort((a, b) => a.changes.length - b.changes.length || gain(b.variant) - gain(a.variant));
  if (first) return { kind: 'sysctls', variant: first.variant, changes: first.changes, passedOver };
  const reasons = [...passedOver, ...judged.map(({ variant, obstacle }) => `${variant.name} ${obstacle?.why}`)];
  if (!judged.every(({ obstacle }) => obstacle?.hidden)) return none(reasons.join('; '));
  const rest = candidates.filter((variant) => !isEqual(variant));
  return bestOf(rest, baseline, results, reasons);
}

function none(reason: string): Recommendation {
  return { kind: 'none', reason };
}

/** How far the goal moved the good way, in its own unit. */
function gainOf({ verdict }: Variant, goal: string): number {
  const difference = verdict?.goal.difference ?? 0;
  return parseMetric(goal).better === 'higher' ? difference : -difference;
}

function pricesOf({ name, verdict }: Variant, { thresholds }: Results): string[] {
  return [
    ...(verdict?.guardrails ?? [])
      .filter((guardrail) => guardrail.verdict === 'worse')
      .map(({ metric }) => `${metric} got worse`),
    ...thresholds
      .filter((threshold) => threshold.variant === name && !threshold.passed)
      .map(({ metric, limit }) => `its threshold on ${metric} (${limit}) failed`),
  ];
}

/** What floating point leaves of equal differences. */
const ROUNDING = 1e-9;

interface Obstacle {
  /** The end of a sentence that begins with the variant's name. */
  readonly why: string;
  /** It costs what no lab shows; but for that it would do. */
  readonly hidden?: true;
}

/** Why a variant is not to be carried over as sysctls; undefined: it is. */
function obstacleOf(baseline: Variant, variant: Variant, advice: readonly SysctlAdvice[]): Obstacle | undefined {
  if (advice.length === 0 || !onlySysctls(baseline, variant)) return { why: 'is not a change of sysctls alone' };
  for (const { name, measured } of advice) {
    if ((checkSysctlName(name) ?? checkSysctlValue(name, measured)) !== undefined)
      return { why: `has a sysctl that cannot be written to a file (${JSON.stringify(name)})` };
    const readBack = comparedRuns(variant).map((run) => run.sysctls[name]);
    if (!readBack.every((found) => found !== undefined && normaliseSysctl(found) === measured))
      return { why: `did not have ${name} = ${measured} in every run` };
  }
  // A lab without losses never shows the harm.
  for (const { name, sideEffect } of advice)
    if (sideEffect?.givesUp)
      return { why: `gives up ${sideEffect.givesUp} (${name}), which no guardrail measures`, hidden: true };
  for (const { name, measured, real } of advice)
    if (real.kind === 'none') return { why: `has a value of the lab’s size (${name} = ${measured} ${real.reason})` };
  return undefined;
}

/** Of a variant without an obstacle. */
function changesOf(advice: readonly SysctlAdvice[]): SysctlChange[] {
  return advice.flatMap(({ name, measured, sideEffect, real }) =>
    real.kind === 'value' ? [{ name, value: real.value, measured, note: real.note, sideEffect }] : [],
  );
}

function onlySysctls(baseline: Variant, variant: Variant): boolean {
  const rest = ({ load, addresses, destinations, strategy, proxy }: Variant) =>
    JSON.stringify([load, addresses, destinations, strategy, proxy]);
  return rest(baseline) === rest(variant);
}
