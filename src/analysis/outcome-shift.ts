/**
 * Where the attempts of a variant ended instead. Pure.
 */

import { isFailure } from '../domain/outcome.js';
import { own } from '../domain/own.js';
import type { Run } from '../results/schema.js';
import type { Pair } from './pairs.js';
import { median } from './statistics.js';

/** Median shares of all attempts: in the baseline, and in the variant. */
interface ShareShift {
  readonly from: number;
  readonly to: number;
}

export interface OutcomeShift {
  readonly ok: ShareShift;
  readonly shed: ShareShift;
  /** The failing outcome that grew most; null when none grew. */
  readonly grown: (ShareShift & { readonly outcome: string }) | null;
}

/** Where attempts ended in the baseline and in the variant, as median shares over pairs. */
export function outcomeShift(pairs: readonly Pair[]): OutcomeShift {
  const [before, after] = [pairs.map((pair) => pair.baseline), pairs.map((pair) => pair.variant)];
  const shift = (outcome: string): ShareShift => ({
    from: medianShare(before, outcome),
    to: medianShare(after, outcome),
  });
  const failing = new Set(after.flatMap((run) => Object.keys(run.outcomes).filter(isFailure)));
  const grown = [...failing]
    .map((outcome) => ({ outcome, ...shift(outcome) }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => b.to - b.from - (a.to - a.from))[0];
  return { ok: shift('ok'), shed: shift('shed'), grown: grown ?? null };
}

/** The median over runs of an outcome's share of all attempts; 0 where there is no run with an attempt. */
export function medianShare(runs: readonly Run[], outcome: string): number {
  const shares = runs.filter((run) => run.attempts > 0).map((run) => (own(run.outcomes, outcome) ?? 0) / run.attempts);
  return median(shares) ?? 0;
}
