/**
 * How even a rate is, seen from outside: the kernel's own count of connections begun (Tcp.ActiveOpens), looked at every few
 * milliseconds while a contender is at work. What a contender says of its own lateness nobody can compare. Pure.
 */
import { percentile } from './results.js';

/** One look. */
export interface Look {
  /** Microseconds. */
  readonly at: number;
  /** Connections begun since the contender was started. */
  readonly begun: number;
}

export interface Evenness {
  /** Connections a second from the first to the last. */
  readonly achieved: number;
  /** How far the count was from the line of the asked rate through the first, in milliseconds of that rate: p50, p99, largest. */
  readonly off: { readonly p50: number; readonly p99: number; readonly max: number };
}

/**
 * @param looks in order of time
 * @param rate asked, connections a second
 * @throws RangeError when nothing was begun
 */
export function evennessOf(looks: readonly Look[], rate: number): Evenness {
  const firstBusy = looks.findIndex(({ begun }) => begun > 0);
  const last = looks.at(-1);
  if (firstBusy < 0 || !last) throw new RangeError('nothing was begun');
  const end = looks.findIndex(({ begun }) => begun === last.begun);
  // A connection was begun between two looks; the count at a look is that of the instant.
  const busy = looks.slice(firstBusy, end + 1);
  const [first, final] = [busy[0]!, busy.at(-1)!];
  const seconds = (final.at - first.at) / 1e6;
  const offsets = busy.map(({ at, begun }) => ((at - first.at) / 1e6 - (begun - first.begun) / rate) * 1e3);
  // Where the line begins is not known to better than one look: the offsets are from their own middle.
  const middle = percentile(offsets, 50);
  const off = offsets.map((offset) => Math.abs(offset - middle));
  return {
    achieved: seconds > 0 ? (final.begun - first.begun) / seconds : 0,
    off: { p50: percentile(off, 50), p99: percentile(off, 99), max: Math.max(...off) },
  };
}
