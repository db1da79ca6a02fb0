/**
 * Where attempts go: the lab's own origin, or targets outside of the lab.
 */
import { z } from 'zod';
import { formatTarget, plural } from '../domain/format.js';
import { optional, setting } from '../domain/setting.js';
import { targetSchema } from '../domain/target.js';
import { texts, whole } from '../domain/values.js';

// One destination is the worst case (a tuple differs in nothing but the local side), and what a proxy before one backend has.
export const DESTINATION_SETTINGS = {
  addresses: setting(whole(1, 4096), { default: 1, describe: 'addresses that the origin listens on', example: '1' }),
  ports: setting(whole(1, 4096), {
    default: 1,
    describe: 'ports that the origin listens on, on each address',
    example: '4',
  }),
  targets: optional(texts({ least: 1, most: 4096, item: '"10.20.0.10:3128"' }), {
    describe:
      'targets outside the lab, for example 192.0.2.10:3128; each must be on the allow list, and the lab must be host',
    example: '["10.20.0.10:3128"]',
  }),
} as const;

export const destinationsSchema = z.discriminatedUnion('kind', [
  /** Served by the lab's own origin. */
  z.object({ kind: z.literal('lab'), addresses: z.number(), ports: z.number() }),
  /** On the allow list, outside the lab. */
  z.object({ kind: z.literal('external'), targets: z.array(targetSchema) }),
]);
export type Destinations = z.infer<typeof destinationsSchema>;

/** Destinations in words, as `2 addresses × 4 ports`, or the targets. */
export function formatDestinations(destinations: Destinations): string {
  if (destinations.kind !== 'lab') return destinations.targets.map(formatTarget).join(', ');
  return `${destinations.addresses} ${plural('address', destinations.addresses)} × ${destinations.ports} ${plural('port', destinations.ports)}`;
}
