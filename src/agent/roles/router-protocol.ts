/**
 * What the router's program can be asked.
 */
import { z } from 'zod';
import { targetSchema } from '../../domain/target.js';
import { routerReportSchema } from '../../results/figures.js';
import { routerSettingsSchema } from '../../subjects/index.js';
import { nothing, type ProtocolOf } from './channel.js';

const sysctls = z.record(z.string(), z.string());

export const routerSchemas = {
  /** Make both links, forward between them, and make the rules. */
  network: {
    request: z.object({
      family: z.union([z.literal(4), z.literal(6)]),
      settings: routerSettingsSchema,
      /** Those of the clients, which are behind the first link. */
      clients: z.array(z.string()).readonly(),
      originPid: z.number(),
      sysctls,
    }),
    /** `problem`: why the rules cannot be made. */
    answer: z.union([z.object({ sysctls, rules: z.array(z.string()) }), z.object({ problem: z.string() })]),
  },
  /** Hold the connections of the router's own program, once the origin listens. */
  hold: { request: z.object({ target: targetSchema }), answer: nothing },
  /** The load begins: what is counted from now on is of it. */
  begin: { request: nothing, answer: nothing },
  /** The load has ended, and what it holds is still there. */
  collect: {
    request: nothing,
    answer: routerReportSchema.omit({ rules: true, sysctls: true }),
  },
};
export type RouterProtocol = ProtocolOf<typeof routerSchemas>;
