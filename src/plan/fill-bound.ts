/**
 * When a `fill` ends at the latest. Pure, and free of the schema library, because every load worker loads it.
 */

/** When a wave of a `fill` that names neither attempts nor a time is over, however few attempts have failed, in milliseconds. */
const FILL_BOUND_MS = 600_000;

/** How long a wave of a `fill` begins attempts at the most, in milliseconds; null: its number of attempts bounds it. */
export function fillBoundMs(fill: {
  readonly attempts: number | null;
  readonly withinMs?: number | undefined;
}): number | null {
  return fill.withinMs ?? (fill.attempts === null ? FILL_BOUND_MS : null);
}
