/**
 * The on-disk format of a search for rates: `search.json` (this schema, also published as `schema/search.schema.json`). A change that old
 * readers would misread raises SEARCH_VERSION.
 */
import { z } from 'zod';
import { outcomesSchema } from './figures.js';
import { predictionSchema, realCapacitySchema } from './prediction.js';

export const SEARCH_VERSION = 1;

const notHeldSchema = z.enum(['refused', 'slow', 'generator']);

/** A step as it was made. */
export const searchTrySchema = z.object({
  id: z.string(),
  machine: z.string().optional().describe('of a fleet: the agent that made it'),
  rate: z.number().describe('attempts per second'),
  notHeld: notHeldSchema.nullable().describe('why the rate does not hold; null: it held, without one failure'),
  failures: z.number().describe('the share of attempts that failed, 0 to 1'),
  how: z
    .enum(['in full', 'scaled', 'unbound'])
    .describe(
      'in full: longer than a tuple is in use; scaled: begun with as many tuples as the rate leaves; unbound: nothing is kept',
    ),
  seconds: z.number().describe('of load'),
  outcomes: outcomesSchema,
  p99: z.number().nullable().describe('of the total latency, microseconds; null where nothing was ok'),
  discarded: z
    .boolean()
    .describe('the generator was late, so that a failure may be its fault: the step was made again'),
});
export type SearchTry = z.infer<typeof searchTrySchema>;

const intervalSchema = z.object({
  low: z.number().describe('attempts per second; held as often as was asked for; 0: no rate was found that holds'),
  high: z.number().nullable().describe('the lowest rate that was seen not to hold; null: the search ended before'),
  held: z.number().describe('how often low held'),
  limit: notHeldSchema.nullable().describe('what kept high from holding'),
});

/** The same beside the runs of an experiment. */
export const searchedSchema = intervalSchema.extend({
  filled: z
    .enum(['model', 'assumed'])
    .optional()
    .describe(
      'the ports were filled before each step, by how long one stays taken: of the model, or assumed; absent: each step was long enough',
    ),
});

const armSearchSchema = z.object({
  name: z.string(),
  kernel: z.string().optional().describe('with several kernels'),
  changes: z.array(z.string()),
  occupancy: z.object({
    seconds: z.number().describe('how long a connection keeps its tuple, TIME_WAIT included'),
    how: z.enum(['model', 'assumed']),
  }),
  prediction: predictionSchema,
  real: realCapacitySchema.optional().describe('what it comes to on a machine, by the model'),
  interval: intervalSchema.nullable().describe('null: the search was interrupted, or a run failed'),
  problem: z.string().nullable().describe('why there is no interval'),
  steps: z.array(searchTrySchema),
});
export type ArmSearch = z.infer<typeof armSearchSchema>;

const agreementSchema = z.object({
  verdict: z.enum(['agrees', 'disagrees']),
  model: z.number().nullable().describe("the model's rate, connections per second; null: ports do not limit it"),
  difference: z.number().nullable().describe('(middle of the interval − model) / model'),
});
export type SearchAgreement = z.infer<typeof agreementSchema>;

export const searchReportSchema = z.object({
  schemaVersion: z.literal(SEARCH_VERSION),
  tool: z.string(),
  experiment: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  command: z.string(),
  lab: z.string(),
  kernels: z.record(z.string(), z.string()).describe('the release; with several kernels, by their names'),
  arms: z.array(armSearchSchema.extend({ agreement: agreementSchema.nullable() })),
});
/** Everything of a search; `search.json` is this. */
export type SearchReport = z.infer<typeof searchReportSchema>;
