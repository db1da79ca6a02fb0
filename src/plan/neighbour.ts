/**
 * Neighbours: small loads beside the main one, which a fix must not starve of ports. The keys that a profile has for them. Pure.
 */
import { z } from 'zod';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { PROTOCOLS } from '../subjects/settings.js';

/**
 * Where a neighbour is. `beside`: another program in the namespace under test, with an address of its own; `through`: further clients
 * of the proxy.
 */
export const WHERE = ['beside', 'through'] as const;

export const MAX_NEIGHBOURS = 8;

/** After all attempts of the main load have their outcome, while what it holds is held. */
export const AFTER_LOAD = 'load';

/** The keys of a neighbour but its name. @param rate, duration how profiles write them */
export function neighbourShape<R extends z.ZodType, D extends z.ZodType>(rate: R, duration: D) {
  return {
    where: z
      .enum(WHERE)
      .optional()
      .describe(
        'beside: another program in the namespace under test, to another host; through: further clients of the proxy, to another host',
      ),
    rate: rate.describe('attempts per second, small beside the load'),
    duration: duration.optional().describe('how long it lasts'),
    after: z
      .union([z.literal(AFTER_LOAD), duration])
      .optional()
      .describe(
        'when it begins: so long after the load has, or "load": once every attempt of the load has its outcome, while what it holds is held',
      ),
    addresses: z
      .array(z.string())
      .min(1)
      .max(64)
      .optional()
      .describe('beside: local addresses of its own, as [10.50.9.1]'),
    strategy: z.enum(STRATEGY_NAMES).optional().describe('beside: how its sockets get their local address and port'),
    protocol: z.enum(PROTOCOLS).optional().describe('through: what its clients say to the proxy, as load.protocol'),
    hold: duration.optional().describe('how long an established connection is kept open, as load.hold'),
    timeout: duration.optional().describe('how long an attempt may take'),
    exchange: z
      .strictObject({ request: z.int().min(1).max(65_536), response: z.int().min(1).max(1_048_576) })
      .optional()
      .describe('bytes to send and to receive on each connection'),
    body: z.int().min(0).max(1_048_576).optional().describe('with protocol get: bytes of the body of an answer'),
  };
}
