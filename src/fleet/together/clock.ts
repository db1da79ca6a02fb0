/**
 * What another machine's clock shows, from answers that were on their way for unknown times. Pure.
 */

/** What it said, and when it was asked and heard here; all CLOCK_MONOTONIC, microseconds. */
export interface Asked {
  readonly before: number;
  readonly said: number;
  readonly after: number;
}

export interface ClockAhead {
  /** By how much the other clock is ahead of this one's. */
  readonly aheadMicros: number;
  /** It is not further from the truth than that. */
  readonly unsureMicros: number;
}

/**
 * It spoke at some instant between the question and its answer, so each answer bounds how far it is ahead on both sides, and all must be right:
 * one that was held up on its way here, and one that was on its way there, together say more than the fastest of both.
 * @param all one at least
 */
export function clockAhead(all: readonly Asked[]): ClockAhead {
  const least = Math.max(...all.map(({ said, after }) => said - after));
  const most = Math.min(...all.map(({ said, before }) => said - before));
  // Two clocks do not go exactly alike: by microseconds the bounds may have changed places.
  return { aheadMicros: (least + most) / 2, unsureMicros: Math.abs(most - least) / 2 };
}
