/**
 * What the kernel's rules for choosing a local port let a strategy do: how many connections at once, and how many a second
 * for ever. Plain arithmetic; no simulation. Pure.
 */
import type { Arm } from '../profile/plan.js';
import type { Prediction } from '../results/schema.js';
import { type Ceiling, ceiling } from './ceiling.js';
import type { KernelVersion } from './kernel-version.js';
import { inputOf, type PredictInput } from './predict-input.js';
import { type AfterClose, afterClose } from './time-wait.js';

export type { PredictInput } from './predict-input.js';

/**
 * Predict a strategy's ceilings in a network namespace of its own, where nothing else holds ports.
 * @returns `concurrent`: tuples at once, null where there is no closed form; `sustained`: connections per second that can go
 *   on for ever when each is held `holdMs` and closed as told, null where ports do not limit it or there is no closed form
 */
export function predict(input: PredictInput): Prediction {
  const top = ceiling(input);
  const after = withOverflow(input, top, afterClose(input, top));
  const rate = sustained(input, top, after);
  return {
    concurrent: top.concurrent,
    sustained: rate?.value ?? null,
    fails: top.fails,
    formula: rate === null ? top.formula : `${top.formula}; ${rate.text}`,
    rule: top.fails.startsWith('setsockopt') ? `${top.rule}.` : `${top.rule}; ${after.why}.`,
    source: top.source,
  };
}

/** The prediction for an arm of an experiment. @throws UnitError when `ip_local_port_range` is no range */
export function predictArm(arm: Arm, kernel: KernelVersion, defaults: Readonly<Record<string, string>>): Prediction {
  return predict(inputOf(arm, kernel, defaults));
}

/** What limits a rate: `held` tuples of the ceiling that are in use for `seconds` a connection. */
interface Limit extends AfterClose {
  /** Tuples that TIME_WAIT occupies for good, because `tcp_max_tw_buckets` lets no more in. */
  readonly parked: number;
}

/** Over `tcp_max_tw_buckets` a socket is closed without TIME_WAIT, which frees its port at once. */
function withOverflow({ maxTwBuckets }: PredictInput, top: Ceiling, after: AfterClose): Limit {
  if (top.concurrent === null || after.seconds === 0 || maxTwBuckets >= top.concurrent) return { ...after, parked: 0 };
  return {
    seconds: 0,
    parked: maxTwBuckets,
    why: `tcp_max_tw_buckets = ${maxTwBuckets} is below the ceiling, and a close beyond it leaves no TIME_WAIT`,
  };
}

function sustained(input: PredictInput, top: Ceiling, after: Limit): { value: number; text: string } | null {
  if (top.concurrent === null || after.seconds === null) return null;
  if (top.concurrent === 0) return { value: 0, text: '0 a second' };
  const hold = input.holdMs / 1000;
  const seconds = hold + after.seconds;
  if (seconds === 0 || (top.takesOver === 'random' && after.seconds === 0)) return null;
  const free = top.concurrent - after.parked;
  const value = free / seconds;
  const divisor = hold > 0 && after.seconds > 0 ? `(${hold} s + ${after.seconds} s)` : `${seconds} s`;
  const dividend = after.parked > 0 ? `(${top.concurrent} − ${after.parked})` : `${free}`;
  return { value, text: `${dividend} / ${divisor} = ${rounded(value)} a second` };
}

/** Three digits, and all that stand before the point. */
function rounded(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
