/** Findings as tests read them. */
import { type Finding, formatPath } from '../../src/profile/problem.js';

/** The place of a finding without a profile to look it up in: `wider-range.load.strategy`; of the baseline, `load.strategy`. */
export function placeOf({ arm, path }: Finding): string {
  return formatPath(arm === undefined || arm === 'baseline' ? path : [arm, ...path]);
}
