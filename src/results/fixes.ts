/**
 * The on-disk format of a table of fixes: `fixes.json` (this schema, also published as `schema/fixes.schema.json`). A change that old
 * readers would misread raises FIXES_VERSION.
 */
import { z } from 'zod';
import { STRATEGY_NAMES } from '../domain/strategy.js';
import { fixSchema } from '../profile/fix.js';
import { PROXY_KINDS, ROUTER_KINDS } from '../subjects/index.js';
import { predictionSchema } from './schema.js';

export const FIXES_VERSION = 1;

/** What was ok in the first wave and in the second. */
const wavesSchema = z.tuple([z.number(), z.number()]);
export type Waves = z.infer<typeof wavesSchema>;

const effectSchema = z.enum(['works', 'does nothing', 'harms']);
export type Effect = z.infer<typeof effectSchema>;

const cellSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('measured'),
    effect: effectSchema,
    waves: wavesSchema,
    attempts: z.number().describe('of both waves together'),
    factor: z.number().nullable().describe('ok with the fix / ok without; null where nothing was ok without it'),
    predicted: wavesSchema
      .nullable()
      .describe(
        'what the model expects of the waves; null where it has no closed form, or knows nothing of the change',
      ),
    prediction: predictionSchema,
    run: z.string().describe('where the run is: runs/<kernel>.<strategy or subject>.ndjson and its line, as #L3'),
  }),
  z.object({ kind: z.literal('same') }).describe('the program does already what the fix would make it do'),
  z.object({ kind: z.literal('cannot'), why: z.string() }).describe('the program cannot be told so'),
  z
    .object({ kind: z.literal('absent'), why: z.string() })
    .describe('the kernel, the lab or the machine has no such thing'),
  z.object({ kind: z.literal('failed'), why: z.string() }),
]);
export type FixCell = z.infer<typeof cellSchema>;

/** A kernel that was tried. */
const kernelSchema = z.object({
  name: z.string().describe('a Debian suite, the path of an image, or host'),
  release: z.string(),
  lab: z.string(),
});

/** One program, the lab's own or a proxy, on one kernel. */
const tableSchema = z.object({
  kernel: kernelSchema,
  strategy: z.enum(STRATEGY_NAMES).describe('how the program gets its local ports; of a NAT, how its clients do'),
  subject: z
    .object({ kind: z.enum([...PROXY_KINDS, ...ROUTER_KINDS]), version: z.string().nullable() })
    .optional()
    .describe("the proxy under test, or nat, a router whose ports run out; absent: the lab's own sockets"),
  baseline: cellSchema,
  cells: z.record(z.string(), cellSchema).describe('by the name of the fix'),
});
export type FixTable = z.infer<typeof tableSchema>;

export const fixReportSchema = z.object({
  schemaVersion: z.literal(FIXES_VERSION),
  tool: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  command: z.string(),
  fixes: z.array(fixSchema),
  tables: z.array(tableSchema),
});
/** Everything of `fixes`; `fixes.json` is this. */
export type FixReport = z.infer<typeof fixReportSchema>;
