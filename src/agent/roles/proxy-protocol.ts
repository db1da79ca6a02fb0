/**
 * What the program of the proxy's role can be asked.
 */
import { z } from 'zod';
import { targetSchema } from '../../domain/target.js';
import { portRangeSchema } from '../../plan/plan.js';
import { proxySettingsSchema } from '../../subjects/index.js';
import {
  bootstrapSchema,
  configurationSchema,
  loggedFailureSchema,
  observationSchema,
  syscallsSchema,
} from '../../subjects/proxy-report.js';
import { nothing, type ProtocolOf } from './channel.js';

const sysctls = z.record(z.string(), z.string());

/** A command with variables that are set, or (null) taken out. */
export const entrySchema = z.object({
  command: z.array(z.string()),
  env: z.record(z.string(), z.string().nullable()),
});
export type Entry = z.infer<typeof entrySchema>;

const logs = z.object({
  failures: z.array(loggedFailureSchema),
  requests: z.record(z.string(), z.number()),
  troubles: z.array(z.string()),
  tail: z.array(z.string()),
  printed: z.number().optional(),
  listening: z.array(targetSchema).optional(),
  /** How it had ended by itself before it was stopped. */
  ended: z.string().nullable(),
  syscalls: syscallsSchema.optional(),
  unobserved: z.string().optional(),
});
export type ProxyLogs = z.infer<typeof logs>;

export const proxySchemas = {
  /** Make this side of both links, and set the sysctls. */
  network: {
    request: z.object({
      family: z.union([z.literal(4), z.literal(6)]),
      outgoing: z.array(z.string()),
      originPid: z.number(),
      /** The origin answers for every address, of both families. */
      internet: z.boolean(),
      /** The address of its sockets that are bound to none; absent: the first of `outgoing`. */
      unbound: z.string().optional(),
      /** How many places the proxy is to listen in. */
      listeners: z.number(),
      /** Other programs in this namespace. */
      neighbours: z.array(z.object({ addresses: z.array(z.string()), target: targetSchema })),
      /** The network namespace in which sysctls lie that are the whole kernel's, as a path of /proc; absent: those are not set. */
      machine: z.string().optional(),
      /** The proxy's own list of ports; null: the kernel's ephemeral range. */
      ports: portRangeSchema.nullable(),
      /** Of the sockets that are counted; absent: tcp. */
      transport: z.enum(['tcp', 'udp']).optional(),
      sysctls,
    }),
    answer: z.object({
      range: portRangeSchema,
      reserved: z.number(),
      /** As read back: those that decide about ports, and those that were set. */
      sysctls,
    }),
  },
  /** Start the proxy and wait until it listens. */
  start: {
    request: z.object({
      settings: proxySettingsSchema,
      /** Where it is to listen: in one place, or in one for each destination. */
      listen: z.tuple([targetSchema], targetSchema),
      destinations: z.array(targetSchema),
      outgoing: z.array(z.string()),
      /** Addresses of its clients by the outgoing address that is theirs. */
      clients: z.array(z.array(z.string())),
      /** The network namespace of the clients, as a path of /proc. */
      clientNamespace: z.string(),
      /** What it is to be given so that it finds the lab's internet. */
      internet: z.object({ authority: z.string(), resolvers: z.array(z.string()) }).optional(),
      /** It drives itself: nobody waits until it listens, and it may end. */
      own: z.boolean(),
      /** Nobody starts it here: somebody at a terminal will. */
      attached: z.boolean(),
      /** Connections and refusals of which it is told apart what they were. */
      attempts: z.number().nullable(),
      /** Count its system calls, which makes it slow: by this, or by strace where it does not work. */
      observe: observationSchema.optional(),
    }),
    answer: z.union([
      z.object({
        version: z.string().nullable(),
        bootstrap: bootstrapSchema.optional(),
        configuration: configurationSchema,
        /** What a reader of the run must know. */
        warnings: z.array(z.string()),
        /** With `attached`: what that somebody starts, in these namespaces. */
        entry: entrySchema.optional(),
      }),
      /** It did not come up. */
      z.object({ problem: z.string(), configuration: configurationSchema, logs }),
    ]),
  },
  /** Answered when the proxy ends without having been told to. */
  end: { request: nothing, answer: z.object({ how: z.string(), logs }) },
  stats: {
    request: nothing,
    answer: z.object({
      states: z.record(z.string(), z.number()),
      portsInUse: z.number(),
      portsPerAddress: z.array(z.number()),
      timeWaitPerAddress: z.array(z.number()),
      counters: z.record(z.string(), z.number()),
      cpu: z.object({ user: z.number(), system: z.number() }),
      memory: z.number(),
      descriptors: z.number().nullable(),
      /** So far; absent where they are not counted, or only in the end. */
      syscalls: syscallsSchema.optional(),
    }),
  },
  /** End all sockets that hold its ports. */
  free: { request: nothing, answer: z.object({ ended: z.number(), problem: z.string().nullable() }) },
  /** What it has said so far. */
  logs: { request: nothing, answer: logs.pick({ failures: true, requests: true, troubles: true, tail: true }) },
  /** End the proxy. */
  stop: { request: nothing, answer: logs },
};
export type ProxyProtocol = ProtocolOf<typeof proxySchemas>;
