/**
 * What TIME_WAIT says of the pace: how many connections a second an address lets through, how long each is open, and how many its ports
 * sustain. Pure.
 *
 * Each connection that is closed here is in TIME_WAIT for a time that is known. So those in TIME_WAIT, divided by it, are the closes a second,
 * and the other sockets, divided by the closes a second, are how long one is open (Little's law). It holds once the load has gone on for longer
 * than both times, and for connections that this side closes first.
 */
import type { AddressReading } from './reading.js';

export interface Turnover {
  /** Connections in TIME_WAIT. */
  readonly waiting: number;
  /** Connections that are not. */
  readonly open: number;
  /** Closes a second, which is what is let through. */
  readonly perSecond: number;
  /** How long one is open, seconds. */
  readonly openSeconds: number;
  /** Whether the open ones take a part of the ports that is worth a word. */
  readonly mixed: boolean;
}

/** From this share on, of open sockets or of those in TIME_WAIT, the smaller group is no accident. */
const WORTH_A_WORD = 0.05;

/**
 * The pace of an address; null: nothing is in TIME_WAIT, so that it says nothing.
 * @param timeWaitSeconds how long TIME_WAIT lasts at most: the pace is rounded down by it
 */
export function turnoverOf(
  { states, sockets }: Pick<AddressReading, 'states' | 'sockets'>,
  timeWaitSeconds: number,
): Turnover | null {
  const waiting = states.TIME_WAIT ?? 0;
  if (waiting === 0) return null;
  const open = Math.max(0, sockets - waiting);
  const perSecond = waiting / timeWaitSeconds;
  const smaller = Math.min(open, waiting) / sockets;
  return { waiting, open, perSecond, openSeconds: open / perSecond, mixed: smaller >= WORTH_A_WORD };
}
