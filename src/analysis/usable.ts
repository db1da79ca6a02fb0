/**
 * Which runs count: the one rule, for verdicts, sentences, tables, charts, thresholds and files alike. Pure.
 *
 * A run counts where it is no warm-up, finished, and had no problem. One whose only problem is that its generator fell behind counts for
 * what the pace does not decide: counts of an arm whose every run must end the same by the kernel's rules.
 */
import type { Metric } from '../domain/metric.js';
import type { Run } from '../results/schema.js';

/** The runs of an arm, and whether its load was declared, before any run, to end in the same counts every time. */
export interface ArmRuns {
  readonly runs: readonly Run[];
  readonly deterministic?: boolean | undefined;
}

/** What is asked of runs: counts, or times and whatever else the pace decides. A metric is either. */
export type Asked = Pick<Metric, 'exact'>;
export const COUNTS: Asked = { exact: true };
export const TIMES: Asked = { exact: false };

/** Whether a run counts. @param deterministic its arm's, and in a pair both arms' */
export function isUsable(run: Run, { exact }: Asked, deterministic: boolean | undefined): boolean {
  const onlyLate = run.generatorLimited && run.problems.length === 1;
  return !run.warmup && run.status === 'ok' && (run.valid || (exact && deterministic === true && onlyLate));
}

/** The runs of an arm that count, in their order. */
export function comparedRuns({ runs, deterministic }: ArmRuns, asked: Asked = COUNTS): Run[] {
  return runs.filter((run) => isUsable(run, asked, deterministic));
}
