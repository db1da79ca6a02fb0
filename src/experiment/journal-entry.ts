/**
 * What the records of a journal say: its begin, runs, steps, resumes, its end.
 */
import { z } from 'zod';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { experimentSchema } from '../plan/plan.js';
import { searchSchema } from '../plan/search.js';
import { FIX_SUBJECTS } from '../profile/fix.js';
import { environmentSchema, runSchema, SCHEMA_VERSION } from '../results/schema.js';
import { searchTrySchema } from '../results/search.js';

const begin = {
  type: z.literal('begin'),
  schemaVersion: z.literal(SCHEMA_VERSION),
  startedAt: z.string(),
  command: z.string(),
  /** Other machines made it. */
  fleet: z
    .object({
      /** What their fleet calls it. */
      experiment: z.string(),
      /** Of `fixes`: the kernel that `host` is. */
      kernel: z.string().optional(),
      /** The agents that make each run at once; absent: each run is of one. */
      together: z.array(z.string()).optional(),
    })
    .optional(),
};
const measuredBegin = {
  ...begin,
  profile: z.string(),
  experiment: experimentSchema,
  environment: environmentSchema,
  /** With several kernels: the environment of each, in the experiment's order; `environment` is that of the first. */
  kernels: z.array(environmentSchema).optional(),
};
const beginSchema = z.discriminatedUnion('kind', [
  z.object({
    ...measuredBegin,
    kind: z.literal('run'),
    /** Of one table of `fixes`: name of a fix that cannot be tried there → why. */
    options: z.object({ refused: z.record(z.string(), z.string()) }).optional(),
  }),
  z.object({
    ...measuredBegin,
    kind: z.literal('search'),
    /** `only`: names of the arms that are searched; null: all. */
    options: z.object({ settings: searchSchema, only: z.array(z.string()).nullable() }),
  }),
  z.object({
    ...begin,
    kind: z.literal('fixes'),
    /** `kernels` may have `host`, the kernel of this machine; `only`: names of the fixes that are tried; null: all. */
    options: z.object({
      kernels: z.array(z.string()),
      strategies: z.array(z.enum(STRATEGY_NAMES)),
      subjects: z.array(z.enum(FIX_SUBJECTS)),
      only: z.array(z.string()).nullable(),
    }),
  }),
]);
/** Any record. */
export const entrySchema = z.discriminatedUnion('type', [
  beginSchema,
  z.object({ type: z.literal('run'), run: runSchema }),
  /** A run in which a proxy's system calls were counted. */
  z.object({ type: z.literal('observed'), run: runSchema }),
  /** `arm` is its id: its name, with several kernels `name@kernel`. */
  z.object({ type: z.literal('step'), arm: z.string(), step: searchTrySchema }),
  /** A machine of a fleet, which runs name. */
  z.object({ type: z.literal('machine'), name: z.string(), environment: environmentSchema }),
  /** A later command asked for more pairs, in all. */
  z.object({ type: z.literal('extend'), at: z.string(), repeat: z.int().min(1) }),
  /** A later command resumed it. */
  z.object({ type: z.literal('resume'), at: z.string() }),
  z.object({ type: z.literal('end'), at: z.string(), status: z.enum(['complete', 'partial']) }),
]);
export type JournalEntry = z.infer<typeof entrySchema>;
/** The first record. */
export type JournalBegin = z.infer<typeof beginSchema>;
/** The command that has made a folder. */
export type JournalKind = JournalBegin['kind'];
export type BeginOf<K extends JournalKind> = Extract<JournalBegin, { kind: K }>;
