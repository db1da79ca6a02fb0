/**
 * What the agent tells the process of the proxy's role, and what comes back: NDJSON over its standard streams.
 */
import { z } from 'zod';
import { targetSchema } from '../../domain/target.js';
import { portRangeSchema } from '../../plan/plan.js';
import {
  bootstrapSchema,
  loggedFailureSchema,
  observationSchema,
  syscallsSchema,
} from '../../subjects/proxy-report.js';
import { proxySettingsSchema } from '../../subjects/settings.js';

const sysctls = z.record(z.string(), z.string());

export const proxyCommandSchema = z.discriminatedUnion('type', [
  /** Make this side of both links, and set the sysctls. */
  z.object({
    type: z.literal('network'),
    family: z.union([z.literal(4), z.literal(6)]),
    outgoing: z.array(z.string()),
    originPid: z.number(),
    /** How many places the proxy is to listen in. */
    listeners: z.number(),
    /** Other programs in this namespace. */
    neighbours: z.array(z.object({ addresses: z.array(z.string()), target: targetSchema })),
    /** The proxy's own list of ports; null: the kernel's ephemeral range. */
    ports: portRangeSchema.nullable(),
    sysctls,
  }),
  /** Start the proxy and wait until it listens. */
  z.object({
    type: z.literal('start'),
    settings: proxySettingsSchema,
    /** Where it is to listen: in one place, or in one for each destination. */
    listen: z.tuple([targetSchema], targetSchema),
    destinations: z.array(targetSchema),
    outgoing: z.array(z.string()),
    /** Addresses of its clients by the outgoing address that is theirs. */
    clients: z.array(z.array(z.string())),
    /** The network namespace of the clients, as a path of /proc. */
    clientNamespace: z.string(),
    /** Count its system calls, which makes it slow: by this, or by strace where it does not work. */
    observe: observationSchema.optional(),
  }),
  z.object({ type: z.literal('stats') }),
  /** End the proxy. */
  z.object({ type: z.literal('stop') }),
]);
export type ProxyCommand = z.infer<typeof proxyCommandSchema>;

const logsSchema = z.object({
  failures: z.array(loggedFailureSchema),
  requests: z.record(z.string(), z.number()),
  troubles: z.array(z.string()),
  tail: z.array(z.string()),
  syscalls: syscallsSchema.optional(),
  unobserved: z.string().optional(),
});
export type ProxyLogs = z.infer<typeof logsSchema>;

export const proxyEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), process: z.string().describe('of the role, as /proc names it') }),
  z.object({
    type: z.literal('network'),
    range: z.object({ low: z.number(), high: z.number() }),
    reserved: z.number(),
    /** As read back: those that decide about ports, and those that were set. */
    sysctls,
  }),
  z.object({ type: z.literal('listening'), version: z.string().nullable(), bootstrap: bootstrapSchema.optional() }),
  z.object({
    type: z.literal('stats'),
    states: z.record(z.string(), z.number()),
    portsInUse: z.number(),
    portsPerAddress: z.array(z.number()),
    timeWaitPerAddress: z.array(z.number()),
    counters: z.record(z.string(), z.number()),
    cpu: z.object({ user: z.number(), system: z.number() }),
    memory: z.number(),
    descriptors: z.number().nullable(),
  }),
  z.object({ type: z.literal('stopped'), logs: logsSchema }),
  /** The proxy ended by itself, or was ended by another. Comes unasked, and instead of an answer. */
  z.object({ type: z.literal('died'), how: z.string(), logs: logsSchema }),
  z.object({ type: z.literal('failed'), message: z.string(), logs: logsSchema.nullable() }),
]);
export type ProxyEvent = z.infer<typeof proxyEventSchema>;
