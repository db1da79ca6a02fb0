/**
 * What the origin's program can be asked.
 */
import { z } from 'zod';
import { targetSchema } from '../../domain/target.js';
import { loadPlanSchema } from '../../plan/plan.js';
import { originSeenSchema } from '../../results/figures.js';
import { internetSchema } from '../../subjects/internet.js';
import { nothing, type ProtocolOf } from './channel.js';

const sysctls = z.record(z.string(), z.string());
const listen = z.array(targetSchema).readonly();
const plan = loadPlanSchema.pick({
  close: true,
  holdMs: true,
  exchange: true,
  sink: true,
  protocol: true,
  body: true,
  engine: true,
  tls: true,
  answerAfterMs: true,
});

export const originSchemas = {
  /** Make the origin's side of the network, and listen. */
  serve: {
    request: z.object({
      network: z.enum(['veth', 'shared']),
      family: z.union([z.literal(4), z.literal(6)]),
      /** Those that the load talks to, a group for each of several loads. */
      hosts: z.array(
        z.object({
          listen,
          plan,
          /** How many threads accept; one unless more connections are held than one may have descriptors. */
          threads: z.number(),
          /** With TLS: what the origin shows. */
          certificate: z.object({ key: z.string(), certificate: z.string() }).optional(),
        }),
      ),
      /** Those that neighbours talk to, which are not counted. */
      neighbours: z.array(z.object({ listen, plan })),
      /** Where connections of the load are expected from; absent: nobody asks. */
      sources: z.array(z.string()).optional(),
      /** Sysctls that the profile gives this role; only in a namespace of its own. */
      sysctls: sysctls.optional(),
    }),
    /** The sysctls of the request, as read back. */
    answer: z.object({ sysctls }),
  },
  /** Makes the origin's side of an internet in place of `serve`: it answers for every address. */
  openInternet: {
    request: z.object({
      /** Those of the program, of the profile's family first. */
      addresses: z.array(z.string()),
      internet: internetSchema,
      /** As of `serve`. */
      sources: z.array(z.string()).optional(),
      /** What comes after so many requests is answered, and counted no more; null: all is counted. */
      requests: z.number().nullable(),
      sysctls: sysctls.optional(),
    }),
    answer: z.object({
      sysctls,
      /** The certificate that the program is to trust, PEM. */
      authority: z.string(),
      /** Addresses of the resolver. */
      resolvers: z.array(z.string()),
    }),
  },
  /** After `serve`: serve no more, and be in a fresh network namespace, as if nothing had been served. */
  renew: { request: nothing, answer: nothing },
  /** At the end of a load: wait until what is established is accepted, for some seconds at most. */
  catchUp: { request: nothing, answer: nothing },
  stats: {
    request: nothing,
    answer: z.object({
      accepted: z.number(),
      refused: z.number(),
      seen: originSeenSchema,
      /** TcpExt.ListenOverflows of the origin's namespace; null where the namespace is shared. */
      listenOverflows: z.number().nullable(),
      /** TcpExt.PAWSPassive there: SYNs dropped for their old timestamps; null likewise, and since 4.12 with tcp_tw_recycle. */
      pawsPassive: z.number().nullable(),
      /** CPU seconds since the process began. */
      cpu: z.object({ user: z.number(), system: z.number() }),
    }),
  },
};
export type OriginProtocol = ProtocolOf<typeof originSchemas>;
