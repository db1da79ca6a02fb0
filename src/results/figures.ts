/**
 * What is counted of a load, the main one's or a neighbour's: outcomes and times.
 */
import { z } from 'zod';
import { targetSchema } from '../domain/target.js';

/** How often something was. */
export const countSchema = z.int().min(0);

/** Times of one phase over one run, in microseconds. Absent phases did not happen. */
const latencySchema = z.object({
  count: countSchema,
  min: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
  /** [percentile from 0 to 100, microseconds], for curves. */
  percentiles: z.array(z.tuple([z.number(), z.number()])),
});
export type Latency = z.infer<typeof latencySchema>;

export const latenciesSchema = z.object({
  bind: latencySchema.optional().describe('the bind() calls that succeeded'),
  connect: latencySchema.optional().describe('from the connect() call to ESTABLISHED'),
  response: latencySchema
    .optional()
    .describe('through a proxy: from the request to its answer, for GET to the last byte of it; ok answers only'),
  service: latencySchema
    .optional()
    .describe(
      'from the start of an attempt to ESTABLISHED or to the last byte of the exchange: the total without the lag of the generator; ok attempts only',
    ),
  total: latencySchema
    .optional()
    .describe('from the scheduled instant to ESTABLISHED or to the last byte of the exchange; ok attempts only'),
  lag: latencySchema.optional().describe('from the scheduled instant to the start'),
  failed: latencySchema.optional().describe('from the start to the failure; failed attempts only'),
});

/** Outcome → count. */
export const outcomesSchema = z.record(z.string(), countSchema);
export type Outcomes = z.infer<typeof outcomesSchema>;

/** A neighbour, or one of several loads, in one run. */
export const partRunSchema = z.object({
  name: z.string(),
  attempts: countSchema,
  outcomes: outcomesSchema,
  latency: latenciesSchema,
  listens: z.boolean().optional().describe('a service that restarts: its attempts are its restarts'),
});
export type PartRun = z.infer<typeof partRunSchema>;

/**
 * What an origin saw of those that connected to it. `closedFirst`: whose FIN came first, or whose RST (`reset`: the client's). The side that
 * closes first has the TIME_WAIT, and after a RST nobody has.
 */
export const originSeenSchema = z.object({
  requests: countSchema.describe('requests, or exchanges of bytes, that were answered'),
  used: countSchema.describe('connections that had at least one of them'),
  closedFirst: z.object({ client: countSchema, server: countSchema, reset: countSchema, open: countSchema }),
  wrongSource: countSchema
    .optional()
    .describe('connections from an address that the profile does not name; absent: it does not tell what is unbound'),
  idle: z
    .object({ p50: z.number(), max: z.number() })
    .nullable()
    .optional()
    .describe('ms that connections had lain idle when the client closed them; null: it closed none'),
  destinations: z
    .array(z.object({ to: z.string(), connections: countSchema, requests: countSchema }))
    .optional()
    .describe('where connections went, for example "203.0.113.7:443", the most frequent first'),
  agents: z.record(z.string(), countSchema).optional().describe('User-Agent of requests → how many; "": none'),
  heads: z.record(z.string(), countSchema).optional().describe('what requests said: close, keep-alive, HEAD, POST'),
});
export type OriginSeen = z.infer<typeof originSeenSchema>;

/** What connection tracking of a router counted, and what was in its table at the end of the load. */
export const routerReportSchema = z.object({
  rules: z.array(z.string()).describe('of the NAT, as nft(8) or iptables(8) takes them'),
  sysctls: z.record(z.string(), z.string()).describe('that the profile gives the router, as read back'),
  counters: z
    .record(z.string(), countSchema)
    .describe('of conntrack -S, what moved during the load: insert_failed and drop: a packet that found no port'),
  entries: countSchema.describe('connections in the table when the load had ended'),
  states: z.record(z.string(), countSchema).describe('the same by state; of UDP: UNREPLIED, REPLIED'),
  kept: countSchema.describe("the same whose source port is the client's own"),
  moved: countSchema.describe('the same that have another'),
  pools: z
    .array(
      z.object({
        address: z.string(),
        protocol: z.enum(['tcp', 'udp']),
        to: targetSchema,
        entries: countSchema,
        low: countSchema.describe('lowest port in use'),
        high: countSchema,
      }),
    )
    .describe('the same by NAT address and destination, the fullest first'),
  tried: z
    .record(z.string(), countSchema)
    .optional()
    .describe("connections that the router's own program tried after the load, by outcome; absent: none"),
});
export type RouterReport = z.infer<typeof routerReportSchema>;

/** After the load: the ports of the role under test were freed, and attempts were made until one was ok. */
export const recoverySchema = z.object({
  freed: countSchema.describe('sockets that held ports, which the lab ended'),
  seconds: z.number().nullable().describe('from then to the first ok attempt; null: none was, for `why`'),
  within: z.number().describe('seconds after which it was given up'),
  attempts: countSchema,
  outcomes: outcomesSchema,
  why: z.string().nullable(),
});
export type Recovery = z.infer<typeof recoverySchema>;

/** Of a run that machines of a fleet made at once. */
export const togetherSchema = z.object({
  skewMs: z.number().describe('between the first and the last machine that began'),
  machines: z.array(
    z.object({
      name: z.string(),
      attempts: countSchema,
      lateMs: z.number(),
      unsureMs: z.number().optional().describe('by how much its clock may be wrong, as the controller knows it'),
    }),
  ),
});
