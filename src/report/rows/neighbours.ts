/**
 * The loads beside the main one: what became of each in each arm, as medians over the compared runs. Pure.
 */
import { median } from '../../analysis/statistics.js';
import { comparedRuns, TIMES } from '../../analysis/usable.js';
import { neighbourGuardrails } from '../../domain/metric.js';
import { failureCount, isFailure } from '../../domain/outcome.js';
import { neighbourInWords } from '../../profile/changes.js';
import type { Results, Run, Variant, VerdictWord } from '../../results/schema.js';
import { type Counted, medianCounts } from './medians.js';

export interface NeighbourRow {
  readonly neighbour: string;
  readonly arm: string;
  /** Share of its attempts that failed, from 0 to 1. */
  readonly failed: number | null;
  /** How they failed, in one run. */
  readonly how: readonly Counted[];
  /** Microseconds: p90 of the ok attempts; null where none was. */
  readonly p90: number | null;
  /** Of its failures against the baseline's; null for the baseline. */
  readonly verdict: VerdictWord | null;
}

/** `monitoring: beside, connect, constant 100/s for 300ms, after the load` for each. */
export function neighboursInWords({ experiment }: Results): string[] {
  return (experiment.neighbours ?? []).map(neighbourInWords);
}

/** One row for each neighbour and arm, neighbour by neighbour; none where there are no neighbours. */
export function neighbourRows({ experiment, variants }: Results): NeighbourRow[] {
  const ran = variants.filter(({ absent }) => !absent);
  return (experiment.neighbours ?? []).flatMap(({ name }) => ran.map((variant) => rowOf(name, variant)));
}

function rowOf(name: string, variant: Variant): NeighbourRow {
  // As its metrics are compared: the kernel's rules decide nothing of a neighbour alone, which shares the ports.
  const runs = comparedRuns(variant, TIMES).flatMap(
    ({ neighbours }) => neighbours?.find((each) => each.name === name) ?? [],
  );
  const [failures] = neighbourGuardrails(name);
  const p90s = runs.flatMap(({ latency }) => latency.total?.p90 ?? []);
  return {
    neighbour: name,
    arm: variant.name,
    failed: median(runs.map(failedShare)),
    how: medianCounts(runs.map(({ outcomes }) => outcomes)).filter(
      ([outcome, count]) => isFailure(outcome) && count > 0,
    ),
    p90: median(p90s),
    verdict: variant.verdict?.guardrails.find(({ metric }) => metric === failures)?.verdict ?? null,
  };
}

type NeighbourRun = NonNullable<Run['neighbours']>[number];

function failedShare({ outcomes, attempts }: NeighbourRun): number {
  return attempts > 0 ? failureCount(outcomes) / attempts : 0;
}
