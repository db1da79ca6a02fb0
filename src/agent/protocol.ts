/**
 * The wire between controller and agent: one JSON object a line over the agent's standard input and output, so that it is the
 * same over a pipe, a serial port or ssh. Every message is validated on arrival.
 */
import { z } from 'zod';
import { EVERY_STRATEGY } from '../domain/strategy.js';
import { armSchema, neighbourSchema } from '../plan/plan.js';
import { environmentSchema, runSchema, secondSchema } from '../results/schema.js';
import { programNameSchema, routerSettingsSchema } from '../subjects/index.js';
import { configurationSchema, observationSchema, proxyReportSchema } from '../subjects/proxy-report.js';
import { entrySchema } from './roles/proxy-protocol.js';

/** Raised when an old controller and a new agent would misunderstand each other. */
export const PROTOCOL_VERSION = 1;

const strategyName = z.enum(EVERY_STRATEGY);

/** What one run is. */
export const runSpecSchema = z.object({
  arm: armSchema,
  /** The loads beside it. */
  neighbours: z.array(neighbourSchema).optional(),
  seed: z.number(),
  /** veth: client and origin in a namespace each; shared: both in the agent's own (host lab, or a kernel without veth). */
  network: z.enum(['veth', 'shared', 'external']),
  /** The agent is in a namespace of its own, which it may configure. */
  ownNamespace: z.boolean(),
  /**
   * The kernel is the run's own: what is one value for all of it is set where the kernel shows it, in the machine's first network namespace,
   * which is the agent's. Absent: it is not.
   */
  ownKernel: z.boolean().optional(),
  /**
   * Where the namespace is not the run's own: ports of an address that may be in TIME_WAIT when the load begins, since they could not
   * matter. Absent: none may.
   */
  spare: z.number().optional(),
  /** Milliseconds between two samples. */
  sampleMs: z.number(),
  /** Count the system calls of the proxy under test, by this or else by strace; times of the run are then worth nothing. */
  observe: observationSchema.optional(),
  /** The load is a part of one that several machines make at once, by its workers (load/engine.ts). */
  share: z.object({ first: z.int().min(0), of: z.int().min(1) }).optional(),
  /** Once all is set up, `go` says when the load begins. */
  gated: z.boolean().optional(),
  /** The program that drives itself is started by somebody at a terminal, who is told how (`entry`). */
  attached: z.boolean().optional(),
});
export type RunSpec = z.infer<typeof runSpecSchema>;

export const commandSchema = z.discriminatedUnion('type', [
  /** Try what the experiment will need, in this lab, without load. */
  z.object({
    type: z.literal('check'),
    sysctls: z.array(z.tuple([z.string(), z.string()])),
    /** Those of the roles that have a namespace of their own beside that of the role under test. */
    roleSysctls: z.array(z.tuple([z.string(), z.string()])).optional(),
    strategies: z.array(strategyName),
    addresses: z.array(z.string()),
    /** The proxies whose programs are looked for. */
    proxies: z.array(programNameSchema).optional(),
    /** The routers whose rules are tried. */
    routers: z.array(routerSettingsSchema).optional(),
    /** Whether connections need TCP timestamp clocks of their own. */
    clocks: z.boolean(),
    /** Whether a program needs the lab's internet. */
    internet: z.boolean().optional(),
  }),
  z.object({ type: z.literal('run'), spec: runSpecSchema }),
  /** The load of a gated run begins at this instant, CLOCK_MONOTONIC µs. */
  z.object({ type: z.literal('go'), atMicros: z.number() }),
  /** End the run in progress early; its result follows, marked interrupted. */
  z.object({ type: z.literal('stop') }),
  /**
   * Leave the place of the last run or check for a fresh one. The agent says hello again, from there. `ownKernel`: nobody else uses the
   * kernel, in which no socket of the last run may be left.
   */
  z.object({ type: z.literal('renew'), ownKernel: z.boolean() }),
  /** Host lab only: undo what an earlier agent that was killed has left changed. */
  z.object({ type: z.literal('restore') }),
]);
export type Command = z.infer<typeof commandSchema>;

/** What the agent measured; the controller adds the run's place in the experiment. */
export const measurementSchema = runSchema
  .pick({
    problems: true,
    generatorLimited: true,
    warnings: true,
    startedAt: true,
    attempts: true,
    outcomes: true,
    rates: true,
    capacity: true,
    waves: true,
    latency: true,
    ports: true,
    cpu: true,
    memory: true,
    counters: true,
    sysctls: true,
    timeline: true,
    origin: true,
    proxy: true,
    neighbours: true,
    scenarios: true,
    recovery: true,
    router: true,
    syns: true,
  })
  .extend({
    interrupted: z.boolean(),
    /** Milliseconds of load. */
    loadMs: z.number(),
    /** Of a gated run: when the last of its workers began, CLOCK_MONOTONIC µs. */
    beganMicros: z.number().optional(),
    /** Phase → HdrHistogram V2, compressed, base64. */
    histograms: z.record(z.string(), z.string()),
    /** What the proxy under test was configured with; absent: there is none. */
    configured: configurationSchema.optional(),
  });
export type Measurement = z.infer<typeof measurementSchema>;

const sysctlCheckSchema = z.object({
  name: z.string(),
  value: z.string(),
  /** What the kernel says after the write; null when it refused. */
  readBack: z.string().nullable(),
  errno: z.string().nullable(),
});

/** The program of a proxy. */
const programCheckSchema = z.object({
  binary: z.string(),
  version: z.string().nullable(),
  /** Why it cannot be used, and what to do; null when it can. */
  problem: z.string().nullable(),
});

const checkSchema = z.object({
  sysctls: z.array(sysctlCheckSchema),
  /** Absent where none was asked about. */
  roleSysctls: z.array(sysctlCheckSchema).optional(),
  strategies: z.array(
    z.object({ name: strategyName, missing: z.string().nullable().describe('the option and errno') }),
  ),
  /** Whether sockets of the family can be made here. */
  family: z.object({ available: z.boolean(), errno: z.string().nullable() }),
  veth: z.object({ available: z.boolean(), errno: z.string().nullable() }),
  /** Addresses of the profile that this machine does not have; only asked in the shared network of the host lab. */
  notLocal: z.array(z.string()),
  /** In the order in which they were asked for. */
  programs: z.array(programCheckSchema).optional(),
  /** Why the rules of each router cannot be made, in the order in which they were asked for; null: they can. */
  routersMissing: z.array(z.string().nullable()).optional(),
  /** Why connections cannot have clocks of their own; null also when that was not asked. */
  clocksMissing: z.string().nullable(),
  /** Why there is no internet in the lab; null or absent also when that was not asked. */
  internetMissing: z.string().nullable().optional(),
});
export type Check = z.infer<typeof checkSchema>;

export const PHASES = ['ports', 'network', 'origin', 'sysctls', 'load', 'collect'] as const;

export const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), protocol: z.number(), pid: z.number(), environment: environmentSchema }),
  z.object({ type: z.literal('checked'), check: checkSchema }),
  /** The sysctls that were restored, with their old values, and those that could not be. */
  z.object({ type: z.literal('restored'), restored: z.record(z.string(), z.string()), failed: z.array(z.string()) }),
  z.object({ type: z.literal('entry'), entry: entrySchema, namespace: z.string() }),
  /** `waiting`: for what, of a phase that may take long. */
  z.object({ type: z.literal('phase'), phase: z.enum(PHASES), waiting: z.string().optional() }),
  /** A gated run waits for `go`. */
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('second'), second: secondSchema }),
  z.object({ type: z.literal('result'), measurement: measurementSchema }),
  /** The run or check could not be done; the agent ends. */
  z.object({
    type: z.literal('failed'),
    message: z.string(),
    proxy: proxyReportSchema.optional(),
    configuration: configurationSchema.optional(),
  }),
]);
export type AgentEvent = z.infer<typeof eventSchema>;
