/**
 * What a search for the highest rate is told: where it begins, how near it must come, and what it counts as too slow.
 */
import { z } from 'zod';

export const searchSchema = z.object({
  /** Attempts per second of the first step; it is doubled, or lowered, from there. */
  from: z.number(),
  /** The search ends here: a rate that holds at this one is «at least» it. */
  to: z.number(),
  /** The interval is near enough when its ends differ by this share. */
  tolerance: z.number(),
  /** How often the rate that is answered must have held. */
  confirm: z.number(),
  /** The least duration of a step whose end no TIME_WAIT decides. */
  stepMs: z.number(),
  /** The highest p99 of the total latency; null: no limit. */
  p99Ms: z.number().nullable(),
});
export type SearchSettings = z.infer<typeof searchSchema>;

export const SEARCH: SearchSettings = {
  /** Below the ceiling of any single address with the default range, above that of none worth a search. */
  from: 100,
  /** What one generator here reaches. */
  to: 20_000,
  /** Ports are whole numbers: with a hundred of them nothing finer can be told. */
  tolerance: 0.02,
  confirm: 3,
  /** Long enough for a garbage collection to be a small part of it. */
  stepMs: 3000,
  p99Ms: null,
};
