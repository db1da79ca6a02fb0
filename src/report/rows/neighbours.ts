/**
 * The loads beside the main one: what became of each in each arm, as medians over the compared runs. Pure.
 */
import { neighbourGuardrails } from '../../domain/metric.js';
import { failureCount, isFailure } from '../../domain/outcome.js';
import { neighbourInWords } from '../../profile/changes.js';
import type { Results, Run, Variant, VerdictWord } from '../../results/schema.js';
import { comparedRuns, median } from './medians.js';
import type { Counted } from './proxy.js';

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
  const runs = comparedRuns(variant).flatMap(({ neighbours }) => neighbours?.find((each) => each.name === name) ?? []);
  const [failures] = neighbourGuardrails(name);
  const p90s = runs.flatMap(({ latency }) => latency.total?.p90 ?? []);
  return {
    neighbour: name,
    arm: variant.name,
    failed: median(runs.map(failedShare)),
    how: medianFailures(runs),
    p90: median(p90s),
    verdict: variant.verdict?.guardrails.find(({ metric }) => metric === failures)?.verdict ?? null,
  };
}

type NeighbourRun = NonNullable<Run['neighbours']>[number];

function failedShare({ outcomes, attempts }: NeighbourRun): number {
  return attempts > 0 ? failureCount(outcomes) / attempts : 0;
}

function medianFailures(runs: readonly NeighbourRun[]): Counted[] {
  const names = new Set(runs.flatMap(({ outcomes }) => Object.keys(outcomes)));
  return [...names]
    .filter(isFailure)
    .map((name): Counted => [name, median(runs.map(({ outcomes }) => outcomes[name] ?? 0)) ?? 0])
    .filter(([, count]) => count > 0);
}

/**
 * One sentence a neighbour for the terminal, as `monitoring: 0 % failed in the baseline, two-addresses; 100 % in own-ports-inside`.
 */
export function neighbourSentences(results: Results, share: (value: number | null) => string): string[] {
  const rows = neighbourRows(results);
  return (results.experiment.neighbours ?? []).map(({ name }) => {
    const arms = new Map<string, string[]>();
    for (const { neighbour, arm, failed } of rows)
      if (neighbour === name) arms.set(share(failed), [...(arms.get(share(failed)) ?? []), arm]);
    const parts = [...arms].map(([failed, names], i) => `${failed}${i === 0 ? ' failed' : ''} in ${names.join(', ')}`);
    return `neighbour ${name}: ${parts.join('; ')}`;
  });
}
