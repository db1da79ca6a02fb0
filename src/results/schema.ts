/**
 * The on-disk format of results: `results.json` (this schema, also published as `schema/results.schema.json`), one `.hlog`
 * a run beside it, and `journal.ndjson`, from which the rest can be rebuilt. A change that old readers would misread raises
 * SCHEMA_VERSION.
 */
import { z } from 'zod';
import { RUNNERS } from '../domain/guest.js';
import { METRIC_UNITS } from '../domain/metric.js';
import { experimentSchema, guestSchema, loadPlanSchema, scenarioSchema } from '../plan/plan.js';
import { proxySettingsSchema } from '../subjects/index.js';
import { proxyReportSchema } from '../subjects/proxy-report.js';
import {
  countSchema,
  latenciesSchema,
  originSeenSchema,
  outcomesSchema,
  partRunSchema,
  recoverySchema,
  routerReportSchema,
  togetherSchema,
} from './figures.js';
import { agreementSchema, predictionSchema, realCapacitySchema } from './prediction.js';
import { searchedSchema } from './search.js';

export * from './figures.js';
export * from './prediction.js';

export const SCHEMA_VERSION = 1;

/** Sockets by TCP state: of the client's namespace, or of a proxy's outgoing addresses. */
const statesSchema = z.record(z.string(), countSchema);

export const secondSchema = z.object({
  /** Seconds since the load started, at the end of this interval. */
  t: z.number(),
  /** Attempts that ended (or were shed) in this interval. */
  attempts: countSchema,
  outcomes: outcomesSchema,
  /** TCP state → sockets, at the end of this interval; null where it was not observed. */
  states: statesSchema.nullable(),
  /** Distinct (local address, ephemeral port) in use. */
  portsInUse: countSchema.nullable(),
  /** The same per local address, in the order of the arm's addresses. */
  portsPerAddress: z.array(countSchema).nullable(),
  /** Of the sockets of each of these addresses, those in TIME_WAIT; only of a proxy. */
  timeWaitPerAddress: z.array(countSchema).optional(),
  /** Mean microseconds that a proxy's ok answers in this interval took; null: there was none. */
  response: z.number().nullable().optional(),
  /** Kernel counters that moved in this interval (`TcpExt.TWRecycled` …), in the namespace of the role under test. */
  counters: z.record(z.string(), z.number()),
  /** Cores used in this interval: 1 is one core's worth. */
  cpu: z.object({
    client: z.number(),
    proxy: z.number().optional(),
    origin: z.number().nullable(),
    machine: z
      .object({
        user: z.number(),
        system: z.number(),
        softirq: z.number(),
        total: z.number(),
        steal: z.number().optional().describe('given to other guests by the hypervisor; no part of the total'),
      })
      .nullable(),
  }),
  load1: z.number().nullable(),
  /** Resident memory of the client role, bytes. */
  memory: z.number().nullable(),
});
export type Second = z.infer<typeof secondSchema>;

const waveSchema = z.object({
  attempts: countSchema,
  outcomes: outcomesSchema,
  /** Connections that were open when the first failure came; null when none failed. */
  firstFailureAt: countSchema.nullable(),
});
export type Wave = z.infer<typeof waveSchema>;

export const runSchema = z.object({
  /** `b03-wider-range`, with several kernels `b03-wider-range@trixie`: the block and the arm. */
  id: z.string(),
  variant: z.string(),
  /** With several kernels: the name of the one that it ran on. */
  kernel: z.string().optional(),
  machine: z.string().optional().describe('of a fleet: the machine that made it, the same for all runs of a block'),
  together: togetherSchema
    .optional()
    .describe('of a fleet: the machines that made it at once; the counts are sums, the histograms are added'),
  /** 0-based block; warm-up blocks come first and are discarded. */
  block: countSchema,
  warmup: z.boolean(),
  /** Place in the whole experiment's order, 0-based. */
  order: countSchema,
  status: z.enum(['ok', 'failed', 'interrupted']),
  /** Whether the run may be compared; `problems` says why not. */
  valid: z.boolean(),
  /**
   * The p99 of the start lag exceeded `load.lagBudget`: the load was not the one asked for. Times of such a run say nothing; counts
   * that the kernel's rules alone decide are as good as any.
   */
  generatorLimited: z.boolean(),
  problems: z.array(z.string()),
  /** What a reader must know beside the numbers. */
  warnings: z.array(z.string()),
  /** ISO 8601. */
  startedAt: z.string(),
  /**
   * Milliseconds: waiting for the lab and setting it up, the load itself, and taking the lab down. With the first run in a
   * guest also its boot, from its start to that of the agent in it, of which a part or all was before the set-up: the rehearsal may have
   * had the guest before, or it begins to boot when the load of the run before has ended.
   */
  durationMs: z.object({ boot: z.number().optional(), setup: z.number(), load: z.number(), teardown: z.number() }),
  /** Scheduled attempts, the shed ones included. The counts of `outcomes` add up to it. */
  attempts: countSchema,
  outcomes: outcomesSchema,
  /** Per second of load: scheduled, started, ok. */
  rates: z.object({ scheduled: z.number(), started: z.number(), ok: z.number() }),
  capacity: z.object({
    /**
     * Most tuples occupied at once: sockets in any state, TIME_WAIT included, by sock_diag; on the host, where other programs
     * have sockets too, the connections open at once.
     */
    tuples: countSchema,
    /** Most connections open at once. */
    peakOpen: countSchema,
    /** Open, and ok so far, when the first attempt failed; null: none failed. */
    openAtFirstFailure: countSchema.nullable(),
    okBeforeFirstFailure: countSchema.nullable(),
  }),
  waves: z.array(waveSchema),
  latency: latenciesSchema,
  ports: z.object({
    /** The ephemeral range in force. */
    low: z.number(),
    high: z.number(),
    reserved: z.number(),
    /** Peak of distinct (local address, ephemeral port) in use, by sock_diag. */
    peak: countSchema.nullable(),
    /** Of UDP, sockets that got a local port; null: nobody saw it; absent: TCP. */
    taken: countSchema.nullable().optional(),
    peakPerAddress: z.array(countSchema).nullable(),
    /** TCP state → sockets when the load had ended. */
    finalStates: statesSchema.nullable(),
  }),
  cpu: z.object({
    /** Microseconds of CPU that the proxy, or else the load's threads, used for each ok connection; null when none was ok. */
    perConnection: z.number().nullable(),
    /** Seconds of CPU over the load, user and system. */
    client: z.object({ user: z.number(), system: z.number() }),
    origin: z.object({ user: z.number(), system: z.number() }).nullable(),
  }),
  memory: z.object({ peak: z.number() }).describe('peak resident memory of the role under test, bytes'),
  /** Kernel counters that moved over the run. */
  counters: z.record(z.string(), z.number()),
  /** As read back inside the lab before the load. */
  sysctls: z.record(z.string(), z.string()),
  timeline: z.array(secondSchema),
  /** What a proxy under test suffered; absent where there is none. */
  proxy: proxyReportSchema.optional(),
  neighbours: z
    .array(partRunSchema)
    .optional()
    .describe('the small loads beside the main one, in the order of the profile; absent where there are none'),
  scenarios: z
    .array(partRunSchema)
    .optional()
    .describe(
      'each of several loads, that of `load` first; the counts and times above are of all together; absent where there is one',
    ),
  recovery: recoverySchema.optional().describe('absent: it was not asked for'),
  router: routerReportSchema.optional().describe('between the clients and the origin; absent: there was none'),
  syns: z
    .array(countSchema)
    .optional()
    .describe('connections by the SYN that was answered, the first first; absent: all by the first, or not counted'),
  /** What the origin saw. */
  origin: z
    .object({
      accepted: countSchema,
      listenOverflows: countSchema.nullable(),
      pawsPassive: z
        .number()
        .nullable()
        .optional()
        .describe('SYNs dropped by tcp_tw_recycle for their old timestamps (TcpExt.PAWSPassive), up to Linux 4.11'),
      seen: originSeenSchema.optional(),
    })
    .nullable(),
  configuration: z
    .array(z.string().regex(/^configuration\/[A-Za-z0-9.@_-]+\/[A-Za-z0-9._-]+$/))
    .optional()
    .describe('paths of what the proxy of this arm was configured with, relative to the result folder; absent: none'),
  /** Path of the HdrHistogram log, relative to the result folder. */
  hlog: z.string().nullable(),
  /** The end of the agent's standard error, for a run that failed. */
  stderr: z.string().nullable(),
});
export type Run = z.infer<typeof runSchema>;

export const verdictWordSchema = z.enum(['better', 'worse', 'no difference', 'not enough evidence']);
export type VerdictWord = z.infer<typeof verdictWordSchema>;

/** One metric of a variant against the baseline. */
const comparisonSchema = z.object({
  metric: z.string(),
  unit: z.enum(METRIC_UNITS),
  /** exact: the mode is deterministic and no run differed from its arm; noisy: statistics over pairs. */
  kind: z.enum(['exact', 'noisy']),
  /** Medians over the runs that were compared; null when there is no run to compare. */
  baseline: z.number().nullable(),
  variant: z.number().nullable(),
  atLeast: z
    .object({ baseline: z.boolean(), variant: z.boolean() })
    .optional()
    .describe(
      'which of the two may be higher in truth: a capacity where nothing failed, a recovery that was given up; absent: neither',
    ),
  /**
   * variant − baseline, and its 95 % interval: the mean over pairs, and over all looks of the experiment together; of an experiment without
   * looks the Hodges-Lehmann estimate; for exact metrics the plain difference.
   */
  difference: z.number().nullable(),
  ci: z.tuple([z.number(), z.number()]).nullable(),
  /** Pairs compared. */
  pairs: z.number(),
  /**
   * Two-sided, before and after Holm; null for exact metrics. With looks: of Student's t with a moderated spread, multiplied by 5 % / what the
   * look may spend, so that 5 % is the limit at each; without: of the exact sign-flip test.
   */
  p: z.number().nullable(),
  pHolm: z.number().nullable(),
  /** The smallest true difference that this many pairs would find 8 times out of 10; null for exact metrics, and where so few pairs find none. */
  detectable: z.number().nullable(),
  /** Differences within ± this count as none. */
  margin: z.number(),
  verdict: verdictWordSchema,
  /** The reason in one sentence, numbers included. */
  why: z.string(),
  warnings: z.array(z.string()),
});
export type Comparison = z.infer<typeof comparisonSchema>;

const lookSchema = z.object({
  /** 1 is the first; between two that were planned, as of an interrupted experiment, the one before. */
  number: countSchema,
  of: countSchema,
  pairs: countSchema.describe('pairs of runs that were made up to this look'),
  early: z.boolean().describe('everything was settled before the last look, so no more runs were made of this arm'),
});

export const verdictSchema = z.object({
  /**
   * The goal's verdict. More failures overall turn it to worse; a failure that only moved to another call turns better to
   * no difference; any guardrail that got worse turns no difference to worse. A better goal with a worse guardrail stays
   * better, and the sentence names the price. (`analysis/verdict.ts`)
   */
  verdict: verdictWordSchema,
  sentence: z.string(),
  goal: comparisonSchema,
  guardrails: z.array(comparisonSchema),
  look: lookSchema.optional().describe('where the arm was stopped; absent: the experiment has one look, at its end'),
});
export type Verdict = z.infer<typeof verdictSchema>;

const variantSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  baseline: z.boolean(),
  changes: z.array(z.string()),
  sysctls: z.record(z.string(), z.string()).describe('asked for; what was in force is in each run'),
  strategy: z.string(),
  load: loadPlanSchema,
  scenarios: z.array(scenarioSchema).optional().describe('the loads beside it; absent: none'),
  /** The proxy under test; absent: the harness's own sockets. */
  proxy: proxySettingsSchema.optional(),
  addresses: z.object({ count: z.number(), first: z.string(), last: z.string() }),
  destinations: z.number(),
  prediction: predictionSchema,
  real: realCapacitySchema
    .optional()
    .describe('what it comes to on a machine, whose range the lab may have scaled down'),
  foreseen: realCapacitySchema
    .optional()
    .describe("of a program of the user's: the same, as it was predicted before any run of this folder"),
  searched: searchedSchema
    .optional()
    .describe('the sustained rate that a search in this folder has found, in the lab; absent: there was none'),
  kernel: z.string().optional().describe('with several kernels: the name of the one that all of this is about'),
  missing: z
    .record(z.string(), z.string())
    .optional()
    .describe('what the variant names and its kernel lacks: name → since or until when kernels have it'),
  absent: z
    .boolean()
    .optional()
    .describe('the variant was not run on this kernel, which lacks what `missing` names; else it ran without these'),
  deterministic: z
    .boolean()
    .optional()
    .describe("declared before any run: the kernel's rules alone decide its counts, so that late runs count too"),
  agreement: agreementSchema
    .nullable()
    .optional()
    .describe('null where nothing exact was predicted, or no run could be compared with it'),
  runs: z.array(runSchema),
  observed: runSchema
    .optional()
    .describe('a run in which the system calls of the proxy were counted, which slows it; compared with nothing'),
  /** Null for the baseline. */
  verdict: verdictSchema.nullable(),
});
export type Variant = z.infer<typeof variantSchema>;

export const environmentSchema = z.object({
  tool: z.string().describe('bindstorm version'),
  kernel: z.string(),
  hz: z
    .number()
    .nullable()
    .optional()
    .describe('timer interrupts per second (CONFIG_HZ), which decide how late TIME_WAIT ends'),
  machine: z.string().describe('x86_64, aarch64'),
  node: z.string(),
  libuv: z.string(),
  cpu: z.string(),
  cpus: z.number(),
  memory: z.number().describe('bytes'),
  lab: z.string().describe('such as: network namespace, client and origin joined by veth'),
  engine: z
    .union([z.enum(RUNNERS), z.templateLiteral(['vagrant-', z.string()])])
    .optional()
    .describe('what ran the virtual machine, such as uml or vagrant-libvirt: times of one are not those of another'),
  root: z.boolean(),
  descriptors: z.number().describe('limit of open files per process'),
  /** Sysctls that decide about ports, in a fresh lab before the profile's own were written. */
  defaults: z.record(z.string(), z.string()),
});
export type Environment = z.infer<typeof environmentSchema>;

const thresholdResultSchema = z.object({
  metric: z.string(),
  limit: z.string(),
  variant: z.string(),
  kernel: z.string().optional().describe('with several kernels: the one on which this was measured'),
  /** Median over the valid runs; null when there is none. */
  value: z.number().nullable(),
  atLeast: z.boolean().optional().describe('the true value may be higher, so that it keeps no upper limit; absent: no'),
  passed: z.boolean(),
});
export type ThresholdResult = z.infer<typeof thresholdResultSchema>;

const kernelResultSchema = z.object({
  name: z.string(),
  guest: guestSchema,
  environment: environmentSchema,
  /** The sentence about this kernel alone. */
  summary: z.string(),
});
export type KernelResult = z.infer<typeof kernelResultSchema>;

export const resultsSchema = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  experiment: experimentSchema.omit({ arms: true }).extend({
    startedAt: z.string(),
    finishedAt: z.string(),
    /** partial: interrupted or still missing runs. */
    status: z.enum(['complete', 'partial']),
    runsPlanned: z.number(),
    runsDone: z.number(),
    /** The command that repeats it. */
    command: z.string(),
    /** The profile as it was written. */
    profile: z.string(),
  }),
  environment: environmentSchema.describe('with several kernels, that of the first'),
  kernels: z
    .array(kernelResultSchema)
    .optional()
    .describe('the kernels where there are several, in the order of the profile'),
  machines: z
    .array(z.object({ name: z.string(), environment: environmentSchema }))
    .optional()
    .describe('the machines of a fleet that made the runs, which name them; absent: one made all'),
  /** The baseline first, then the variants in the profile's order; with several kernels, kernel by kernel. */
  variants: z.array(variantSchema),
  thresholds: z.array(thresholdResultSchema),
  /** What a reader must know of the whole, as «repeat is too small for a claim». */
  warnings: z.array(z.string()),
  /** One sentence that needs no knowledge of the tool. */
  summary: z.string(),
  sum: z
    .string()
    .optional()
    .describe('checksum of the file: the first 16 digits of the SHA-256 of the text without this key'),
});
export type Results = z.infer<typeof resultsSchema>;
