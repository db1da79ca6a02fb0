/**
 * Two results against each other, arm by arm: of other machines, other kernels, other days. Pure; the bootstrap is seeded.
 *
 * Runs of two results are no pairs, so the statistics are those of independent samples (unpaired.ts). Words, margins and the
 * correction for several arms are those of the comparison within one experiment (compare-metric.ts, conclusion.ts).
 */

import { type Metric, metricUnit, parseMetric } from '../domain/metric.js';
import { randomStream } from '../domain/random.js';
import { armId } from '../plan/kernels.js';
import type { Comparison, Results, Variant, VerdictWord } from '../results/schema.js';
import { armRefusal, type Difference, differencesOf, refusalOf, sharedArms, timesRefusal } from './comparable.js';
import { guardrailsOf } from './compare.js';
import { concludeExactShift, concludeShift, type Unmet, withinCapacity } from './conclude-shift.js';
import { isTime } from './engines.js';
import { marginOf } from './margin.js';
import { metricValue } from './metric-value.js';
import { isUsable, isUsableForCounts } from './pairs.js';
import { holm, type Interval, median } from './statistics.js';
import { hodgesLehmannShift, rankSumP, shiftInterval, smallestRankSumP } from './unpaired.js';

export interface ShiftComparison {
  readonly metric: string;
  readonly unit: Comparison['unit'];
  /** exact: every run of either side had the same count, and the kernel's rules alone decide it. */
  readonly kind: 'exact' | 'noisy';
  /** Medians over the runs; null: there is none. */
  readonly a: number | null;
  readonly b: number | null;
  readonly runs: { readonly a: number; readonly b: number };
  /** b − a: the Hodges-Lehmann estimate and its 95 % interval; for exact metrics the plain difference. */
  readonly difference: number | null;
  readonly ci: Interval | null;
  /** Two-sided rank-sum p, before and after Holm over the arms; null for exact metrics. */
  readonly p: number | null;
  readonly pHolm: number | null;
  /** Differences within ± this count as none. */
  readonly margin: number;
  /** b against a. */
  readonly verdict: VerdictWord;
  readonly why: string;
}

export interface ArmComparison {
  /** With several kernels `wider-range@trixie`. */
  readonly name: string;
  readonly baseline: boolean;
  /** Why the arm is not the same question in both; null: it is. */
  readonly refused: string | null;
  /** The goal first, then the guardrails. */
  readonly metrics: readonly ShiftComparison[];
}

export interface ResultComparison {
  readonly goal: string;
  readonly differences: readonly Difference[];
  /** Why nothing was compared; null: something was. */
  readonly refused: string | null;
  readonly arms: readonly ArmComparison[];
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
  /** What a reader must know beside the numbers. */
  readonly notes: readonly string[];
}

/** Compare b with a: `better` means that b is. */
export function compareResults(a: Results, b: Results): ResultComparison {
  const refused = refusalOf(a, b) ?? null;
  const arms = refused === null ? compareShared(a, b) : [];
  const missing = (from: Results, other: Results) =>
    from.variants.map(armId).filter((id) => !other.variants.some((variant) => armId(variant) === id));
  return {
    goal: a.experiment.goal,
    differences: differencesOf(a, b),
    refused,
    arms,
    onlyInA: missing(a, b),
    onlyInB: missing(b, a),
    notes: refused === null ? notesOf(a, b) : [],
  };
}

function compareShared(a: Results, b: Results): ArmComparison[] {
  const asked = sharedArms(a, b).map((arm) => ({ ...arm, refused: armRefusal(arm.a, arm.b) ?? null }));
  const same = asked.filter(({ refused }) => refused === null);
  const columns = metricsOf(a, b).map((metric) => compareMetric(metric, same, a, b));
  return asked.map((arm) => ({
    name: armId(arm.a),
    baseline: arm.a.baseline,
    refused: arm.refused,
    metrics: arm.refused === null ? columns.map((column) => column[same.indexOf(arm)]!) : [],
  }));
}

/** The goal, and the guardrails of both; without times where those are of two kinds (a goal that is a time is then refused). */
function metricsOf(a: Results, b: Results): string[] {
  const both = guardrailsOf(a.experiment).filter((metric) => guardrailsOf(b.experiment).includes(metric));
  const all = [a.experiment.goal, ...both];
  return timesRefusal(a, b) === undefined ? all : all.filter((metric) => !isTime(parseMetric(metric)));
}

function notesOf(a: Results, b: Results): string[] {
  const times = timesRefusal(a, b);
  const left = guardrailsOf(a.experiment).filter((metric) => isTime(parseMetric(metric)));
  const one = guardrailsOf(a.experiment)
    .filter((metric) => !guardrailsOf(b.experiment).includes(metric))
    .concat(guardrailsOf(b.experiment).filter((metric) => !guardrailsOf(a.experiment).includes(metric)));
  return [
    ...(times !== undefined && left.length > 0 ? [`${left.join(', ')} not compared: ${times}`] : []),
    ...(one.length > 0 ? [`${one.join(', ')} not compared: a guardrail of one of the two only`] : []),
    ...(['a', 'b'] as const).flatMap((side) => {
      const { status, runsDone, runsPlanned } = (side === 'a' ? a : b).experiment;
      return status === 'partial'
        ? [`${side.toUpperCase()} is partial: ${runsDone} of ${runsPlanned} runs were done`]
        : [];
    }),
  ];
}

interface Sides {
  readonly a: Variant;
  readonly b: Variant;
}

/** What one arm's runs say of one metric, before its siblings are looked at. */
interface Sample {
  readonly arm: string;
  readonly metric: Metric;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly exact: boolean;
  readonly unmet: Unmet;
}

/** One metric of every arm: they are one family, as the variants of an experiment are. */
function compareMetric(name: string, arms: readonly Sides[], a: Results, b: Results): ShiftComparison[] {
  const samples = arms.map((arm) => sampleOf(name, arm, a, b));
  const tested = samples.filter((sample) => !sample.exact && sample.a.length > 0 && sample.b.length > 0);
  const ps = tested.map((sample) => rankSumP(sample.a, sample.b));
  const adjusted = holm(ps);
  return samples.map((sample) => {
    const seen = {
      metric: name,
      unit: metricUnit(sample.metric),
      a: sample.a.length > 0 ? median(sample.a) : null,
      b: sample.b.length > 0 ? median(sample.b) : null,
      runs: { a: sample.a.length, b: sample.b.length },
    };
    if (seen.a === null || seen.b === null) return { ...seen, ...nothing(name, seen.a === null ? 'A' : 'B') };
    const medians = { metric: sample.metric, a: seen.a, b: seen.b, runs: seen.runs };
    const index = tested.indexOf(sample);
    if (index < 0) return { ...seen, ...exactly(sample, medians) };
    // What p after Holm would be, had this arm's runs lain as far apart as they can.
    const least = holm(ps.with(index, smallestRankSumP(sample.a.length, sample.b.length)))[index]!;
    const significance = { p: ps[index]!, pHolm: adjusted[index]!, least, comparisons: tested.length };
    return { ...seen, ...noisily(sample, medians, significance, a.experiment.seed) };
  });
}

function sampleOf(name: string, arm: Sides, a: Results, b: Results): Sample {
  const metric = parseMetric(name);
  const declared = isExact(arm.a, name, a) && isExact(arm.b, name, b);
  const [valuesA, valuesB] = [valuesOf(arm.a, metric, declared), valuesOf(arm.b, metric, declared)];
  // What the results call exact within themselves is looked at once more: each side must agree with itself.
  const exact = declared && [valuesA, valuesB].every((side) => new Set(side).size === 1);
  const unmet = ({ runs }: Variant) =>
    metric.kind === 'capacity' && runs.some((run) => isUsable(run) && run.capacity.openAtFirstFailure === null);
  return { arm: armId(arm.a), metric, a: valuesA, b: valuesB, exact, unmet: { a: unmet(arm.a), b: unmet(arm.b) } };
}

type Outcome = Pick<ShiftComparison, 'kind' | 'difference' | 'ci' | 'p' | 'pHolm' | 'margin' | 'verdict' | 'why'>;
type Medians = Parameters<typeof concludeExactShift>[0];

const UNTESTED = { ci: null, p: null, pHolm: null, margin: 0 } as const;

function nothing(name: string, side: 'A' | 'B'): Outcome {
  const why = `${side} has no valid run with a value of ${name}.`;
  return { ...UNTESTED, kind: 'noisy', difference: null, verdict: 'not enough evidence', why };
}

function exactly({ unmet }: Sample, medians: Medians): Outcome {
  const conclusion = withinCapacity(unmet, concludeExactShift(medians), medians);
  return { ...UNTESTED, kind: 'exact', difference: medians.b - medians.a, ...conclusion };
}

interface Significance {
  readonly p: number;
  readonly pHolm: number;
  readonly least: number;
  readonly comparisons: number;
}

function noisily(sample: Sample, medians: Medians, { p, ...test }: Significance, seed: number): Outcome {
  const difference = hodgesLehmannShift(sample.a, sample.b);
  const stream = randomStream(seed, `compare/${sample.arm}/${JSON.stringify(sample.metric)}`);
  const ci = shiftInterval(sample.a, sample.b, stream);
  const margin = marginOf(sample.metric, medians.a);
  const conclusion = concludeShift({ ...medians, ...test, difference, ci, margin });
  const within = withinCapacity(sample.unmet, conclusion, medians);
  return { kind: 'noisy', difference, ci, p, pHolm: test.pHolm, margin, ...within };
}

function valuesOf({ runs }: Variant, metric: Metric, exact: boolean): number[] {
  return runs
    .filter(exact ? isUsableForCounts : isUsable)
    .map((run) => metricValue(metric, run))
    .filter((value) => value !== null);
}

/** Whether a result compared this metric of this arm by equality: of the baseline, whether it did so for any variant. */
function isExact(arm: Variant, metric: string, { variants }: Results): boolean {
  const of = ({ verdict }: Variant) =>
    verdict !== null &&
    [verdict.goal, ...verdict.guardrails].some((each) => each.metric === metric && each.kind === 'exact');
  return arm.baseline ? variants.some((variant) => variant.kernel === arm.kernel && of(variant)) : of(arm);
}

/** Whether anything got worse. */
export function gotWorse({ arms }: ResultComparison): boolean {
  return arms.some(({ metrics }) => metrics.some(({ verdict }) => verdict === 'worse'));
}
