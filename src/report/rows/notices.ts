/**
 * What a reader must know beside the numbers: whether the experiment is whole, warnings of the whole and of single runs, and
 * runs that were not compared. Pure.
 */
import { type ArmRuns, COUNTS, isUsable, TIMES } from '../../analysis/usable.js';
import { armId } from '../../plan/kernels.js';
import type { Results, Run, Variant } from '../../results/schema.js';
import { formatNumber, listed, plural } from '../format.js';

/** One sentence when runs are missing; null when the experiment is complete. */
export function partialNotice(results: Results): string | null {
  const { status, runsDone, runsPlanned } = results.experiment;
  if (status === 'complete') return null;
  return `This report is partial: ${formatNumber(runsDone)} of ${plural(runsPlanned, 'run')} were done. What it says holds for those runs only.`;
}

/** Warnings of the whole, then of the comparisons, then of the runs; equal texts are said once, with all the places. */
export function warnings(results: Results): string[] {
  const places = new Map<string, string[]>();
  const add = (text: string, place: string) => {
    const known = places.get(text);
    if (!known) places.set(text, [place]);
    else if (!known.includes(place)) known.push(place);
  };
  for (const variant of results.variants) {
    for (const text of comparisonWarnings(variant)) add(text, armId(variant));
  }
  for (const run of allRuns(results)) if (!run.warmup) for (const text of run.warnings) add(text, run.id);
  return [...results.warnings, ...[...places].map(([text, where]) => `${inPlaces(where)}: ${text}`)];
}

/** What a drop-in warns of: those of the comparison by the goal and of the arm's runs, each once. Those of a guardrail are said with it. */
export function goalWarnings(variant: Variant): string[] {
  const runs = variant.runs.filter(({ warmup }) => !warmup);
  return [...new Set([...(variant.verdict?.goal.warnings ?? []), ...runs.flatMap((run) => run.warnings)])];
}

function comparisonWarnings({ verdict }: Variant): string[] {
  return (verdict ? [verdict.goal, ...verdict.guardrails] : []).flatMap((comparison) => comparison.warnings);
}

/** Of an arm the runs that were no warm-up and not compared, or not in full, with the reason. */
export function discardedRuns({ runs, deterministic }: ArmRuns): { run: Run; why: string }[] {
  return runs
    .filter((run) => !run.warmup && !isUsable(run, TIMES, deterministic))
    .map((run) => {
      const counts = isUsable(run, COUNTS, deterministic) ? '; its counts are compared, its times are not' : '';
      return { run, why: whyDiscarded(run) + counts };
    });
}

/** What was wrong with a run, in a few words. */
export function whyDiscarded(run: Run): string {
  return run.problems.join('; ') || (run.status === 'ok' ? 'marked invalid' : run.status);
}

/** The runs of all variants in the order in which they were made. */
export function allRuns(results: Results): Run[] {
  return results.variants.flatMap((variant) => variant.runs).sort((a, b) => a.order - b.order);
}

function inPlaces(where: readonly string[]): string {
  return where.length > 4 ? `${listed([...where.slice(0, 3), `${where.length - 3} more`])}` : listed(where);
}
