/**
 * Which runs are compared with which. Pure.
 *
 * The unit is the run: connections inside one run share a kernel table, a clock and an origin, so a thousand of them are not a
 * thousand observations. Runs of one block were made back to back, so each variant's run is compared with its block's baseline.
 */
import type { Run } from '../results/schema.js';
import { listed } from './format.js';

export interface Pair {
  readonly block: number;
  readonly baseline: Run;
  readonly variant: Run;
}

/** A variant and its pairs, in the order of blocks. */
export interface PairedVariant {
  readonly name: string;
  readonly pairs: readonly Pair[];
  /** The pairs whose counts can be compared: those, and where both arms are deterministic also those of late runs. */
  readonly countPairs: readonly Pair[];
  /** Both arms are declared to give the same counts in every run. */
  readonly deterministic: boolean;
  /** Blocks that had to be left out of `pairs`, and of `countPairs`. */
  readonly warnings: readonly string[];
  readonly countWarnings: readonly string[];
}

/**
 * The pairs of a variant, and a warning for those that had to be left out.
 * @param repeat pairs that the experiment asked for
 * @param usable whether a run counts for what is compared
 */
export function pairRuns(
  runs: readonly Run[],
  baseline: string,
  variant: string,
  repeat: number,
  usable: (run: Run) => boolean,
): Pick<PairedVariant, 'pairs' | 'warnings'> {
  const byBlock = (arm: string) =>
    new Map(runs.filter((run) => run.variant === arm && usable(run)).map((run) => [run.block, run]));
  const [baselines, variants] = [byBlock(baseline), byBlock(variant)];
  const measured = runs.filter((run) => !run.warmup && (run.variant === baseline || run.variant === variant));
  const blocks = [...new Set(measured.map((run) => run.block))].sort((a, b) => a - b);
  const pairs: Pair[] = [];
  const incomplete: number[] = [];
  for (const block of blocks) {
    const [a, b] = [baselines.get(block), variants.get(block)];
    if (a && b) pairs.push({ block, baseline: a, variant: b });
    else incomplete.push(block);
  }
  const missing = Math.max(repeat - pairs.length, incomplete.length);
  if (missing === 0) return { pairs, warnings: [] };
  const where =
    incomplete.length > 0 ? ` (block${incomplete.length > 1 ? 's' : ''} ${listed(incomplete.map(String))})` : '';
  return {
    pairs,
    warnings: [
      `${missing} of ${Math.max(repeat, blocks.length)} pairs left out: one of the two runs is missing, failed or invalid${where}`,
    ],
  };
}

/**
 * What is said of pairs whose counts are compared and whose times are not, since the generator was late: that some are left out says of which
 * metrics, and that the others have them all.
 * @param times pairs whose times can be compared @param counts those whose counts can, of which there are more @param repeat pairs that were asked for
 */
export function lateWarning(times: readonly Pair[], counts: readonly Pair[], repeat: number): string {
  const all = Math.max(repeat, counts.length);
  const some = times.length === 0 ? `none of ${all} pairs can be used` : `${times.length} of ${all} pairs can be used`;
  const why = counts.length === all ? '' : ', or a run is missing or failed';
  return `times and CPU (what the pace decides): ${some}, since the generator was late${why}; counts: ${counts.length} of ${all} used`;
}
