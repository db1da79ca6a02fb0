/**
 * What is predicted of an arm, what it comes to on a machine, and whether the measurement agrees.
 */
import { z } from 'zod';

/** A mean, and the bounds between which one more observation lies 95 times out of 100. */
const expectedSchema = z.object({ mean: z.number(), low: z.number(), high: z.number() });

/** What the arithmetic of the kernel's port choice expects of an arm. */
export const predictionSchema = z.object({
  /** Tuples that can be occupied at once; null where there is no closed form, or no limit. */
  concurrent: z.number().nullable(),
  unbounded: z.literal(true).optional().describe('there is no limit: sockets share ports, or take none'),
  /** Connections per second that are sustained; null: not limited by ports, or no closed form. */
  sustained: z.number().nullable(),
  limited: z
    .enum(['by ports', 'not by ports', 'not modelled'])
    .optional()
    .describe('what a sustained of null means; absent: made by an earlier version'),
  again: z
    .number()
    .nullable()
    .optional()
    .describe('seconds from the start of a connection until its tuple serves again, at the latest; null: not modelled'),
  /** The call and errno that fail first, as `bind:EADDRINUSE`. */
  fails: z.string(),
  /** P·S, P·S·D … with the numbers put in. */
  formula: z.string(),
  rule: z.string(),
  source: z.string(),
  slowWall: z
    .object({
      tuples: z.number(),
      rate: z.number().nullable().describe('connections per second that lead there for good; null: none does'),
      walked: z.number().describe('ports that each search then walks in vain'),
      why: z.string(),
    })
    .nullable()
    .optional()
    .describe('from where on each search for a port walks ports in vain: slow, without an error; null: nowhere'),
  known: z
    .object({
      how: z.enum(['measured', 'read', 'simulated', 'assumed']),
      on: z.array(z.string()).describe('kernel releases'),
      why: z.string(),
    })
    .optional()
    .describe('how the prediction is known'),
  simulated: z
    .object({
      attempts: z.number(),
      ok: expectedSchema.describe('attempts that succeed'),
      beforeFirstFailure: expectedSchema.nullable().describe('ok before the first failure'),
      runs: z.number(),
      scaledTo: z
        .number()
        .nullable()
        .describe('ports of the smaller range that stood for it; null: nothing was scaled'),
    })
    .optional()
    .describe('where there is no closed form: the seeded simulation of the arm'),
});
export type Prediction = z.infer<typeof predictionSchema>;

/** The most that can be in use at once, infinite where there is no limit; null where there is no closed form. */
export function mostAtOnce({ concurrent, unbounded }: Pick<Prediction, 'concurrent' | 'unbounded'>): number | null {
  return unbounded ? Number.POSITIVE_INFINITY : concurrent;
}

/** What an arm comes to with the ports of a machine. */
export const realCapacitySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('scaled'),
    ports: z.number().describe('that one address has'),
    concurrent: predictionSchema.shape.concurrent,
    sustained: predictionSchema.shape.sustained,
    limited: predictionSchema.shape.limited.unwrap(),
    slow: z
      .object({ tuples: z.number(), rate: z.number().nullable() })
      .nullable()
      .describe('from where on searches for a port are slow enough to be noticed; null: nowhere'),
    hz: z
      .number()
      .optional()
      .describe("CONFIG_HZ that is taken for the machine, where that of the lab's guest is another; absent: the lab's"),
  }),
  z.object({
    kind: z.literal('none'),
    reason: z.string().describe('why no values of a machine follow from those of the lab'),
  }),
]);
export type RealCapacity = z.infer<typeof realCapacitySchema>;

/** Whether what was measured is what was predicted. */
export const agreementSchema = z.object({
  verdict: z.enum(['agrees', 'disagrees']),
  /** Runs that were compared, and those of them that are not as predicted. */
  runs: z.number(),
  differing: z.number(),
  sentence: z.string(),
});
export type Agreement = z.infer<typeof agreementSchema>;
