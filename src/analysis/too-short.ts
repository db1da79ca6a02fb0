/**
 * No difference is not shown by a run that is shorter than the value of the sysctl that was changed. Pure.
 */
import { type TimeToTell, tellingSeconds } from '../capacity/sysctl-time.js';
import type { Arm } from '../plan/plan.js';
import type { Comparison } from '../results/schema.js';
import { listed } from './format.js';
import type { Pair } from './pairs.js';

/**
 * The comparison of the goal, or what may be said where its runs were too short to tell: the kernel's rule, if it has one for this
 * sysctl, and else nothing.
 * @param times what the variant's changes take to show themselves
 */
export function withinTime(
  comparison: Comparison,
  { arm, times, pairs }: { readonly arm: Arm; readonly times: readonly TimeToTell[]; readonly pairs: readonly Pair[] },
): Comparison {
  if (comparison.verdict !== 'no difference' || pairs.length === 0) return comparison;
  const shortest = Math.min(
    ...pairs.flatMap(({ baseline, variant }) => [baseline.durationMs.load, variant.durationMs.load]),
  );
  const lasted = tellingSeconds(arm, shortest);
  const late = times.filter(({ seconds }) => seconds > lasted);
  if (late.length === 0) return comparison;
  const open = late.filter(({ never }) => never === null);
  if (open.length > 0)
    return {
      ...comparison,
      verdict: 'not enough evidence',
      why: `${tooShort(open, lasted)}, so no difference is nothing that it could show.`,
    };
  const rules = late.map(({ sysctl, never }) => `by the kernel's rule ${shortName(sysctl)} makes none: ${never}`);
  return {
    ...comparison,
    why: `${comparison.why.replace(/\.$/, '')}; ${rules.join('; ')} (not shown by measurement: ${tooShort(late, lasted)}).`,
  };
}

/** `this run is shorter than the value: of 0.25 s, and tcp_fin_timeout = 5 shows after 5 s`. */
export function tooShort(late: readonly TimeToTell[], lasted: number): string {
  const values = late.map(
    ({ sysctl, value, seconds }) => `${shortName(sysctl)} = ${value} shows after ${secondsText(seconds)}`,
  );
  return `this run is shorter than the value: ${secondsText(lasted)} from the first close to the last attempt, and ${listed(values)}`;
}

const shortName = (sysctl: string) => sysctl.split('.').at(-1)!;
const secondsText = (seconds: number) => `${Number(seconds.toPrecision(2))} s`;
