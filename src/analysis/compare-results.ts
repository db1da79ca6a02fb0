/**
 * Two results against each other, arm by arm: of other machines, other kernels, other days. Pure; the bootstrap is seeded.
 *
 * Runs of two results are no pairs, so the statistics are those of independent samples (unpaired.ts). Margins, rules and the
 * correction for several arms are those of the comparison within one experiment (contrast.ts, conclusion.ts).
 */

import { type Metric, parseMetric } from '../domain/metric.js';
import { armId } from '../plan/kernels.js';
import type { Comparison, Results, Run, Variant, VerdictWord } from '../results/schema.js';
import {
  armChanges,
  armRefusal,
  CHANGE_HINT,
  type Difference,
  differencesOf,
  refusalOf,
  sharedArms,
  timesRefusal,
} from './comparable.js';
import { guardrailsOf } from './compare-on.js';
import { concludeUnpaired } from './conclusion.js';
import { type Unlike, unlikeConditions } from './conditions.js';
import { type Contrast, contrastsOf, type Sample, unpaired } from './contrast.js';
import { listed } from './format.js';
import { boundedMedian } from './lower-bound.js';
import { type Interval, median } from './statistics.js';
import { comparedRuns } from './usable.js';

export interface ShiftComparison {
  readonly metric: string;
  readonly unit: Comparison['unit'];
  /** exact: every run of either side had the same count, and the kernel's rules alone decide it. */
  readonly kind: 'exact' | 'noisy';
  /** Medians over the runs; null: there is none. */
  readonly a: number | null;
  readonly b: number | null;
  /** Which of the two may be higher in truth. */
  readonly atLeast: { readonly a: boolean; readonly b: boolean };
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
  /** Why the arm cannot be compared; null: it can. */
  readonly refused: string | null;
  /** In what it was asked otherwise, where that is one's own change. */
  readonly changes: readonly Difference[];
  /** The goal first, then the guardrails. */
  readonly metrics: readonly ShiftComparison[];
}

export interface ResultComparison {
  readonly goal: string;
  /** B is A after a change of one's own: the arms were compared although they were asked otherwise. */
  readonly changed: boolean;
  readonly differences: readonly Difference[];
  /** Why nothing was compared; null: something was. */
  readonly refused: string | null;
  readonly arms: readonly ArmComparison[];
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
  /** What a reader must know beside the numbers. */
  readonly notes: readonly string[];
}

/** Compare b with a: `better` means that b is. @param changed b is a after a change of one's own */
export function compareResults(a: Results, b: Results, changed = false): ResultComparison {
  const refused = refusalOf(a, b, changed) ?? null;
  const arms = refused === null ? compareShared(a, b, changed) : [];
  const missing = (from: Results, other: Results) =>
    from.variants.map(armId).filter((id) => !other.variants.some((variant) => armId(variant) === id));
  return {
    goal: a.experiment.goal,
    changed,
    differences: differencesOf(a, b),
    refused,
    arms,
    onlyInA: missing(a, b),
    onlyInB: missing(b, a),
    notes: [
      ...(!changed && arms.some((arm) => arm.refused !== null)
        ? [`an arm was asked otherwise in B; ${CHANGE_HINT}`]
        : []),
      ...(refused === null ? notesOf(a, b) : []),
    ],
  };
}

function compareShared(a: Results, b: Results, changed: boolean): ArmComparison[] {
  const asked = sharedArms(a, b).map((arm) => ({ ...arm, refused: armRefusal(arm.a, arm.b, changed) ?? null }));
  const same = asked.filter(({ refused }) => refused === null);
  const columns = metricsOf(a, b).map((metric) => compareMetric(metric, same, a, b));
  return asked.map((arm) => ({
    name: armId(arm.a),
    baseline: arm.a.baseline,
    refused: arm.refused,
    changes: changed && arm.refused === null ? armChanges(arm.a, arm.b) : [],
    metrics: arm.refused === null ? columns.map((column) => column[same.indexOf(arm)]!) : [],
  }));
}

/** The goal, and the guardrails of both; without times where those are of two kinds (a goal that is a time is then refused). */
function metricsOf(a: Results, b: Results): string[] {
  const both = guardrailsOf(a.experiment).filter((metric) => guardrailsOf(b.experiment).includes(metric));
  const all = [a.experiment.goal, ...both];
  return timesRefusal(a, b) === undefined ? all : all.filter((metric) => !parseMetric(metric).time);
}

function notesOf(a: Results, b: Results): string[] {
  const times = timesRefusal(a, b);
  const left = guardrailsOf(a.experiment).filter((metric) => parseMetric(metric).time);
  const one = guardrailsOf(a.experiment)
    .filter((metric) => !guardrailsOf(b.experiment).includes(metric))
    .concat(guardrailsOf(b.experiment).filter((metric) => !guardrailsOf(a.experiment).includes(metric)));
  const unlike = unlikeConditions(a, b).map(({ what }) => what);
  return [
    ...(unlike.length > 0
      ? [
          `the state of the machine was another (${listed(unlike)}), so that no metric that varies is called better or worse`,
        ]
      : []),
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

/** One metric of every arm: they are one family, as the variants of an experiment are. */
function compareMetric(name: string, arms: readonly Sides[], a: Results, b: Results): ShiftComparison[] {
  const metric = parseMetric(name);
  const samples = arms.map((arm) => sampleOf(metric, arm, a, b));
  const unlike = unlikeConditions(a, b);
  return contrastsOf(metric, samples, unpaired(metric, a.experiment.seed)).map((contrast, i) =>
    shiftOf(contrast, samples[i]!.atLeast, unlike),
  );
}

function sampleOf(metric: Metric, arm: Sides, a: Results, b: Results): Sample & Pick<ShiftComparison, 'atLeast'> {
  const declared = isExact(arm.a, metric.name, a) && isExact(arm.b, metric.name, b);
  const used = ({ runs }: Variant) => comparedRuns({ runs, deterministic: declared }, metric);
  const [runsA, runsB] = [used(arm.a), used(arm.b)];
  const valuesOf = (runs: readonly Run[]) => runs.map((run) => metric.value(run)).filter((value) => value !== null);
  const sides = { a: valuesOf(runsA), b: valuesOf(runsB) };
  const isBound = (run: Run) => metric.isLowerBound(run);
  return {
    arm: armId(arm.a),
    ...sides,
    // What the results call exact within themselves is looked at once more: each side must agree with itself.
    exact: declared && [sides.a, sides.b].every((side) => new Set(side).size === 1),
    lowerBound: { a: runsA.some(isBound), b: runsB.some(isBound) },
    atLeast: { a: boundedMedian(metric, runsA).atLeast, b: boundedMedian(metric, runsB).atLeast },
    // Ranks need none.
    step: 0,
  };
}

/** What varies by the state of the machine cannot be called better or worse where that was another. */
function weighed(contrast: Contrast, unlike: readonly Unlike[]): ReturnType<typeof concludeUnpaired> {
  const conclusion = concludeUnpaired(contrast);
  const claim = conclusion.verdict === 'better' || conclusion.verdict === 'worse';
  if (contrast.kind !== 'noisy' || !claim || unlike.length === 0) return conclusion;
  const states = listed(unlike.map(({ what, a, b }) => `${what} was ${a} in A and ${b} in B`));
  return {
    verdict: 'not enough evidence',
    why: `${conclusion.why.replace(/\.$/, '')}; but ${states}, which can make such a difference: repeat both in one state of the machine.`,
  };
}

function shiftOf(contrast: Contrast, atLeast: ShiftComparison['atLeast'], unlike: readonly Unlike[]): ShiftComparison {
  const { metric, sample } = contrast;
  const noisy = contrast.kind === 'noisy' ? contrast : null;
  return {
    metric: metric.name,
    unit: metric.unit,
    kind: contrast.kind === 'exact' ? 'exact' : 'noisy',
    a: median(sample.a),
    b: median(sample.b),
    atLeast,
    runs: { a: sample.a.length, b: sample.b.length },
    difference: contrast.kind === 'empty' ? null : contrast.difference,
    ci: noisy?.ci ?? null,
    p: noisy?.p ?? null,
    pHolm: noisy?.pHolm ?? null,
    margin: noisy?.margin ?? 0,
    ...weighed(contrast, unlike),
  };
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
