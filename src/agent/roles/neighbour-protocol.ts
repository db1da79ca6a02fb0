/**
 * What the program of a neighbour can be asked.
 */
import { z } from 'zod';
import { targetSchema } from '../../domain/target.js';
import { loadPlanSchema, portRangeSchema } from '../../plan/plan.js';
import { partRunSchema } from '../../results/figures.js';
import { nothing, type ProtocolOf } from './channel.js';

export const neighbourSchemas = {
  prepare: {
    request: z.object({
      /** The file of the network namespace to be in; null: the agent's. */
      namespace: z.string().nullable(),
      /** As the load has it (load/engine.ts). */
      input: z.object({
        plan: loadPlanSchema,
        addresses: z.array(z.string()).readonly(),
        via: z
          .object({ proxy: targetSchema, outgoing: z.number().nullable(), listeners: z.array(targetSchema).optional() })
          .optional(),
        targets: z.array(targetSchema),
        ports: portRangeSchema,
        seed: z.number(),
      }),
      /** It listens and restarts instead. */
      service: z
        .object({
          ports: portRangeSchema,
          downMs: z.number(),
          rate: z.number(),
          durationMs: z.number(),
          family: z.union([z.literal(4), z.literal(6)]),
        })
        .optional(),
    }),
    answer: nothing,
  },
  /** Begin so many microseconds from now. Answered when every attempt has its outcome. */
  start: { request: z.object({ leadMicros: z.number() }), answer: nothing },
  /** End early. */
  stop: { request: nothing, answer: nothing },
  /** Close what is held, and report. */
  finish: { request: nothing, answer: partRunSchema.omit({ name: true }) },
};
export type NeighbourProtocol = ProtocolOf<typeof neighbourSchemas>;
