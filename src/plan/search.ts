/**
 * What a search for the highest rate is told: where it begins, how near it must come, and what it counts as too slow.
 */
import { z } from 'zod';
import { complete, keptShape, setting } from '../domain/setting.js';
import { duration, orNull, percent, rate, whole } from '../domain/values.js';

/** The keys beside `find: max-rate`. */
export const SEARCH_SETTINGS = {
  // Below the ceiling of any single address with the default range, above that of none worth a search.
  from: setting(rate, {
    default: 100,
    describe: 'the rate of the first step; it is doubled, or lowered, from there',
    example: '100/s',
  }),
  // What one generator here reaches.
  to: setting(rate, {
    default: 20_000,
    describe: 'where the search ends: a rate that holds here is reported as "at least"',
    example: '2000/s',
  }),
  // Ports are whole numbers: with a hundred of them nothing finer can be told.
  tolerance: setting(percent, {
    default: 0.02,
    describe: 'how far apart the two ends of the answer may be',
    example: '2%',
  }),
  confirm: setting(whole(1, 100), { default: 3, describe: 'how often the answer must have held', example: '3' }),
  // Long enough for a garbage collection to be a small part of it.
  step: setting(duration, {
    default: 3000,
    keptAs: 'stepMs',
    describe: 'the least duration of a step whose end no TIME_WAIT decides',
    example: '3s',
  }),
  p99: setting(orNull(duration, 'no limit'), {
    default: null,
    keptAs: 'p99Ms',
    describe: 'the highest p99 of the total latency; a rate that is slower does not hold',
    example: '50ms',
  }),
} as const;

export const searchSchema = z.object(keptShape(SEARCH_SETTINGS));
export type SearchSettings = z.infer<typeof searchSchema>;

/** A search that is told nothing. */
export const SEARCH: SearchSettings = complete(SEARCH_SETTINGS, {});
