/**
 * How many ports of an address may be taken when a load begins, without any effect on it: by the TIME_WAIT of the run before, where a run
 * has no namespace of its own. Pure.
 */
import { strategyOf } from '../domain/strategy.js';
import { scheduledAttempts } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import type { PredictInput } from './predict-input.js';

/**
 * As many as keep every attempt below the first wall: then each search finds a port as soon as in an empty range.
 * @param walls ports of one address at which searches become slow (null: nowhere), and at which none is left
 * @returns 0: any port could matter, as where the run is to come to a wall, or the program names its ports itself
 */
export function sparePorts(
  { load, addresses }: Arm,
  { slow, hard }: { readonly slow: number | null; readonly hard: number },
  { maxTwBuckets }: Pick<PredictInput, 'maxTwBuckets'>,
): number {
  const attempts = scheduledAttempts(load.arrival);
  const { port, address } = strategyOf(load.strategy);
  if (attempts === null || port === 'program') return 0;
  const sources = address === 'chosen' ? addresses.length : 1;
  // Random picks may come to one address by chance.
  const each = load.pick === 'round-robin' ? Math.ceil(attempts / sources) : attempts;
  const buckets = Math.floor((maxTwBuckets - attempts) / sources);
  return Math.max(0, Math.min((slow ?? hard) - each, buckets));
}
