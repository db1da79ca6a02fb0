/**
 * The search for the highest rate that holds: doubling, then narrowing by what the failures say and by bisection, then confirming. Pure:
 * from what was tried so far to what is to be tried next. (Doubling and bisection with a testing stage at the end are those of
 * adaptive load generators as nighthawk; that the share of failures tells more than pass and fail is from the search for the
 * non-drop rate of RFC 2544 as TRex does it.)
 */
import type { SearchSettings } from '../plan/search.js';

/** Why a rate does not hold. */
export type NotHeld = 'refused' | 'slow' | 'generator';

/** One step: attempts at a rate, for long enough to tell whether it is sustained. */
export interface Tried {
  /** Attempts per second. */
  readonly rate: number;
  /** null: it held, without one failure. */
  readonly notHeld: NotHeld | null;
  /** The share of attempts that failed, 0 to 1. */
  readonly failures: number;
}

export interface SearchRules extends Pick<SearchSettings, 'from' | 'to' | 'tolerance' | 'confirm'> {
  /** Attempts that a step at a rate makes: two rates with the same, or with one more, cannot be told apart further. */
  readonly attemptsAt: (rate: number) => number;
}

/** The highest rate that holds is from `low` to `high`, in attempts per second. */
export interface RateInterval {
  /** Held as often as was asked for; 0: no rate was found that holds. */
  readonly low: number;
  /** The lowest rate that was seen not to hold; null: the search ended before one was found. */
  readonly high: number | null;
  /** How often `low` held. */
  readonly held: number;
  /** What kept `high` from holding. */
  readonly limit: NotHeld | null;
}

type SearchStep =
  | { readonly type: 'try'; readonly rate: number; readonly why: 'begin' | 'double' | 'lower' | 'narrow' | 'confirm' }
  | { readonly type: 'answer'; readonly interval: RateInterval };

/** A rate below one attempt in ten minutes is none. */
const LEAST_RATE = 1 / 600;
/** A search of a system that behaves takes some fifteen. */
const MOST_STEPS = 60;

/**
 * What comes next.
 * @param tried in order; the rate that the next step is made at may have been tried before (`confirm`)
 */
export function nextStep(rules: SearchRules, tried: readonly Tried[]): SearchStep {
  const failed = tried.filter(({ notHeld }) => notHeld !== null);
  const high = lowest(failed);
  // A rate at or above one that failed has not held, whatever one of its steps said.
  const held = tried.filter(({ notHeld, rate }) => notHeld === null && (high === undefined || rate < high.rate));
  const low = Math.max(0, ...held.map(({ rate }) => rate));
  const times = held.filter(({ rate }) => rate === low).length;
  const answer = (): SearchStep => ({
    type: 'answer',
    interval: { low, high: high?.rate ?? null, held: low === 0 ? 0 : times, limit: high?.notHeld ?? null },
  });
  if (tried.length === 0) return { type: 'try', rate: rounded(Math.min(rules.from, rules.to)), why: 'begin' };
  if (tried.length >= MOST_STEPS) return answer();
  if (high === undefined) {
    if (low < rules.to) return { type: 'try', rate: rounded(Math.min(2 * low, rules.to)), why: 'double' };
    return times < rules.confirm ? { type: 'try', rate: low, why: 'confirm' } : answer();
  }
  if (low === 0) {
    if (high.rate <= rounded(LEAST_RATE)) return answer();
    return { type: 'try', rate: rounded(Math.max(lowered(high, rules.tolerance), LEAST_RATE)), why: 'lower' };
  }
  if (isNear(rules, low, high.rate))
    return times < rules.confirm ? { type: 'try', rate: low, why: 'confirm' } : answer();
  return { type: 'try', rate: rounded(between(rules, tried, low, high)), why: 'narrow' };
}

/** The failed step with the lowest rate; of several, the one that failed least. */
function lowest(failed: readonly Tried[]): Tried | undefined {
  return failed.toSorted((a, b) => a.rate - b.rate || a.failures - b.failures)[0];
}

function isNear({ tolerance, attemptsAt }: SearchRules, low: number, high: number): boolean {
  return high / low <= 1 + tolerance || attemptsAt(high) - attemptsAt(low) <= 1 || rounded(low) === rounded(high);
}

/** Attempts per second that succeeded: where a fixed number of tuples is the limit, that is the limit. */
function accepted({ rate, failures }: Tried): number {
  return rate * (1 - failures);
}

/** Below a first rate that failed: a little less than what it let through, but no further down than an eighth of it. */
function lowered(high: Tried, tolerance: number): number {
  const guess = accepted(high) * (1 - tolerance / 2);
  return guess < high.rate * (1 - tolerance / 4) ? Math.max(guess, high.rate / 8) : high.rate / 2;
}

/** Between a rate that held and one that failed: on either side of what the failures tell, and every third time the middle. */
function between({ tolerance }: SearchRules, tried: readonly Tried[], low: number, high: Tried): number {
  const middle = Math.sqrt(low * high.rate);
  const step = tolerance / 4;
  const inside = (rate: number) => rate > low * (1 + step) && rate < high.rate * (1 - step);
  if (high.notHeld !== 'refused' || tried.length % 3 === 2) return middle;
  // The first to fail may have stopped the search short of what it tells; any that was refused tells the same limit.
  const limit = accepted(high);
  const guesses = [limit * (1 - tolerance / 2.5), limit * (1 + tolerance / 2.5)].filter(inside);
  return guesses[0] ?? middle;
}

/** Six digits: what a profile would say, and equal when it is tried again. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(6));
}
