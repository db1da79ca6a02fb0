/**
 * What limits a strategy in the long run: its ceiling, how long a tuple is in use, and the sustained rate that both allow. Pure.
 */
import { ceiling } from './ceiling.js';
import type { Ceiling } from './ceiling-row.js';
import type { PredictInput } from './predict-input.js';
import { type AfterClose, afterClose } from './time-wait.js';

/** What limits a rate: tuples of the ceiling that are in use for `seconds` a connection. */
export interface Limit {
  readonly top: Ceiling;
  readonly after: AfterClose;
  /** Tuples that TIME_WAIT occupies all the time, because `tcp_max_tw_buckets` lets no more in. */
  readonly parked: number;
  /** Sustained connections a second, and the arithmetic; null where ports do not limit it or there is no closed form. */
  readonly rate: { readonly value: number; readonly text: string } | null;
}

/** The limit of a strategy in a network namespace of its own. */
export function limitOf(input: PredictInput): Limit {
  const top = ceiling(input);
  const { parked, ...after } = withOverflow(input, top, afterClose(input, top));
  return { top, after, parked, rate: sustained(input, top, after, parked) };
}

/** Over `tcp_max_tw_buckets` a socket is closed without TIME_WAIT, which frees its port at once. */
function withOverflow(
  { maxTwBuckets }: PredictInput,
  top: Ceiling,
  after: AfterClose,
): AfterClose & { readonly parked: number } {
  if (top.concurrent === null || after.seconds === 0 || maxTwBuckets >= top.concurrent) return { ...after, parked: 0 };
  return {
    seconds: 0,
    latest: 0,
    parked: maxTwBuckets,
    why: `tcp_max_tw_buckets = ${maxTwBuckets} is below the ceiling, and a close beyond it leaves no TIME_WAIT`,
  };
}

function sustained(input: PredictInput, top: Ceiling, after: AfterClose, parked: number): Limit['rate'] {
  if (top.concurrent === null || after.latest === null) return null;
  if (top.concurrent === 0) return { value: 0, text: '0 a second' };
  const hold = input.holdMs / 1000;
  // At the latest: a rate that meets a free port only when timers are early does not last.
  const seconds = hold + after.latest;
  if (seconds === 0 || (top.takesOver === 'random' && after.seconds === 0)) return null;
  const free = top.concurrent - parked;
  const value = free / seconds / input.fresh;
  const shown = (value: number) => Number(value.toFixed(3));
  const divisor = hold > 0 && after.latest > 0 ? `(${hold} s + ${shown(after.latest)} s)` : `${shown(seconds)} s`;
  const dividend = parked > 0 ? `(${top.concurrent} − ${parked})` : `${free}`;
  const each = input.fresh === 1 ? '' : ` / ${shown(input.fresh)} connections an attempt`;
  return { value, text: `${dividend} / ${divisor}${each} = ${rounded(value)} a second` };
}

/** Three digits, and all that stand before the point; never rounded up, since a rate above the limit does not last. */
function rounded(value: number): string {
  const digits = 10 ** Math.max(0, 2 - Math.floor(Math.log10(value)));
  return String(Math.floor(value * digits + 1e-6) / digits);
}
