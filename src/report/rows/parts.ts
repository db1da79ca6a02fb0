/**
 * The loads beside the main one, and each of several: what became of it in each arm, as medians over the compared runs. Pure.
 */
import { median } from '../../analysis/statistics.js';
import { comparedRuns, TIMES } from '../../analysis/usable.js';
import { failureCount, isFailure } from '../../domain/outcome.js';
import { FIRST_LOAD } from '../../plan/scenario.js';
import { neighbourInWords, scenarioInWords } from '../../profile/changes.js';
import type { PartRun, Results, Variant, VerdictWord } from '../../results/schema.js';
import { type Counted, medianCounts } from './medians.js';

export interface PartRow {
  readonly part: string;
  readonly arm: string;
  readonly attempts: number | null;
  /** Share of its attempts that failed, from 0 to 1. */
  readonly failed: number | null;
  /** How they failed, in one run. */
  readonly how: readonly Counted[];
  /** Microseconds: p90 of the ok attempts; null where none was. */
  readonly p90: number | null;
  /** Of its failures against the baseline's; null for the baseline, and where nobody asked. */
  readonly verdict: VerdictWord | null;
}

/** `monitoring: beside, connect, constant 100/s for 300ms, after the load` for each. */
export function neighboursInWords({ experiment }: Results): string[] {
  return (experiment.neighbours ?? []).map(neighbourInWords);
}

/** Of several loads, those beside the first in words; none where there is one. */
export function scenariosInWords({ variants: [baseline] }: Results): string[] {
  return (baseline?.scenarios ?? []).map((each) => scenarioInWords(each, baseline?.proxy !== undefined));
}

/** One row for each neighbour and arm, neighbour by neighbour; none where there are no neighbours. */
export function neighbourRows(results: Results): PartRow[] {
  return rowsOf(
    results,
    'neighbours',
    (results.experiment.neighbours ?? []).map(({ name }) => name),
  );
}

/** The same of several loads, that of `load` first; none where there is one. */
export function scenarioRows(results: Results): PartRow[] {
  const scenarios = results.variants.find(({ scenarios: some }) => some)?.scenarios ?? [];
  return rowsOf(results, 'scenarios', scenarios.length > 0 ? [FIRST_LOAD, ...scenarios.map(({ name }) => name)] : []);
}

type Parts = 'neighbours' | 'scenarios';

function rowsOf({ variants }: Results, parts: Parts, names: readonly string[]): PartRow[] {
  const ran = variants.filter(({ absent }) => !absent);
  return names.flatMap((name) => ran.map((variant) => rowOf(parts, name, variant)));
}

function rowOf(parts: Parts, name: string, variant: Variant): PartRow {
  // As its metrics are compared: the kernel's rules decide nothing of one load alone, which shares the ports.
  const runs = comparedRuns(variant, TIMES).flatMap((run) => run[parts]?.find((each) => each.name === name) ?? []);
  const failures = `${parts}["${name}"].failures.share`;
  const p90s = runs.flatMap(({ latency }) => latency.total?.p90 ?? []);
  const judged = variant.verdict ? [variant.verdict.goal, ...variant.verdict.guardrails] : [];
  return {
    part: name,
    arm: variant.name,
    attempts: median(runs.map(({ attempts }) => attempts)),
    failed: median(runs.map(failedShare)),
    how: medianCounts(runs.map(({ outcomes }) => outcomes)).filter(
      ([outcome, count]) => isFailure(outcome) && count > 0,
    ),
    p90: median(p90s),
    verdict: judged.find(({ metric }) => metric === failures)?.verdict ?? null,
  };
}

function failedShare({ outcomes, attempts }: PartRun): number {
  return attempts > 0 ? failureCount(outcomes) / attempts : 0;
}
