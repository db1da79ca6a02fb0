/**
 * What a profile comes to once defaults are filled in and variants are merged: plain data (it crosses the wire to the agent
 * and is kept in the results), every time in milliseconds, every rate per second.
 */
import { z } from 'zod';
import { ENGINES } from '../domain/guest.js';
import { LAB_KINDS } from '../domain/lab.js';
import { keptShape } from '../domain/setting.js';
import { targetSchema } from '../domain/target.js';
import { portRange } from '../domain/values.js';
import { proxySettingsSchema, routerSettingsSchema, SUBJECT_KINDS } from '../subjects/index.js';
import { boxSchema } from './box.js';
import { destinationsSchema } from './destinations.js';
import { EXPERIMENT_SETTINGS } from './experiment-settings.js';
import { loadPlanSchema } from './load-settings.js';
import { WHERE } from './neighbour.js';
import { searchSchema } from './search.js';

export type { Arrival } from './arrival-settings.js';
export type { Destinations } from './destinations.js';
export { type LoadPlan, loadPlanSchema } from './load-settings.js';

export const portRangeSchema = portRange.kept;

/** A small load beside the main one, the same in every arm. */
export const neighbourSchema = z.object({
  name: z.string(),
  where: z.enum(WHERE),
  /** Its own local addresses; empty: one of the lab's own, or, through a proxy, the lab's clients. */
  addresses: z.array(z.string()),
  load: loadPlanSchema,
  /** It listens and restarts, as often as its load has attempts, and opens no connection. Absent: it opens connections. */
  service: z.object({ ports: portRangeSchema, downMs: z.number() }).optional(),
  /** After the load's beginning; null: when every attempt of the load has its outcome. */
  afterMs: z.number().nullable(),
});
export type Neighbour = z.infer<typeof neighbourSchema>;

/** Sysctls of the roles that are not under test, name → value. */
const roleSysctlsSchema = z.object({
  client: z.record(z.string(), z.string()),
  origin: z.record(z.string(), z.string()),
  /** Only where there is one. */
  router: z.record(z.string(), z.string()).optional(),
});
export type RoleSysctls = z.infer<typeof roleSysctlsSchema>;

/** A further load of the program under test, beside the first. */
export const scenarioSchema = z.object({
  name: z.string(),
  load: loadPlanSchema,
  /** Hosts of its own; absent: those of the first load. */
  destinations: destinationsSchema.optional(),
});
export type Scenario = z.infer<typeof scenarioSchema>;

/** One arm of the experiment: the baseline or a variant, complete. */
export const armSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  baseline: z.boolean(),
  /** What differs from the baseline, in words, as `net.ipv4.tcp_tw_reuse = 1`; empty for the baseline and for an A/A variant. */
  changes: z.array(z.string()),
  /** The baseline's sysctls overlaid with the variant's own: those of the role under test (the proxy, or the client). */
  sysctls: z.record(z.string(), z.string()),
  /** Those of the other roles; absent where the profile names none. */
  roles: roleSysctlsSchema.optional(),
  /** The proxy under test; absent: the harness's own sockets are. */
  proxy: proxySettingsSchema.optional(),
  /** The router between the load and the origin; absent: there is none. */
  router: routerSettingsSchema.optional(),
  /** The external proxy that the load goes through, on the allow list; absent: there is none. */
  via: targetSchema.optional(),
  load: loadPlanSchema,
  /** Local addresses of the role under test, canonical, in the order in which they are picked. */
  addresses: z.array(z.string()),
  /** The address of its sockets that are bound to none, none of `addresses`; absent: the first of them. */
  unbound: z.string().optional(),
  destinations: destinationsSchema,
  /** Loads beside `load`, of the same program; absent: none. */
  scenarios: z.array(scenarioSchema).optional(),
  /** With several kernels: the name of the one that this arm runs on. */
  kernel: z.string().optional(),
  /** With several kernels: run without the sysctls that a kernel lacks instead of not at all. */
  skipMissing: z.boolean().optional(),
  /**
   * What the arm names and its kernel does not have → since or until when kernels have it, as `since Linux 6.14`. Written by the
   * rehearsal; where `absent` is not set, the arm runs without these.
   */
  missing: z.record(z.string(), z.string()).optional(),
  /** The arm is not run: its kernel lacks what it, or the baseline, names. */
  absent: z.boolean().optional(),
});
export type Arm = z.infer<typeof armSchema>;

const thresholdSchema = z.object({
  metric: z.string(),
  max: z.number().nullable(),
  min: z.number().nullable(),
  /** The limit as the profile writes it, for messages. */
  text: z.string(),
  variant: z.string().nullable(),
});
export type Threshold = z.infer<typeof thresholdSchema>;

export const guestSchema = z.object({
  engine: z.enum(ENGINES),
  /** A Debian suite, `running`, or a path. */
  kernel: z.string(),
});
export type Guest = z.infer<typeof guestSchema>;

/** A kernel as a factor of the experiment. */
const kernelFactorSchema = z.object({
  /** What tables, run ids and sentences call it. */
  name: z.string(),
  guest: guestSchema,
});
export type KernelFactor = z.infer<typeof kernelFactorSchema>;

export const experimentSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  lab: z.enum(LAB_KINDS),
  /** What the VM lab boots; only with it. */
  guest: guestSchema.optional(),
  /** What the Vagrant lab brings up; only with it. */
  box: boxSchema.optional(),
  /** Instead of `guest`, with the VM lab: every variant runs on each of these, and each has a baseline of its own. */
  kernels: z.array(kernelFactorSchema).min(1).optional(),
  /** The same for every arm; how a proxy is set up is the arm's. */
  subject: z.enum(SUBJECT_KINDS),
  /** The baseline first; with several kernels, those of the first kernel, then those of the second, and so on. */
  arms: z.array(armSchema).min(1),
  /** Variants of the profile that are no arms, because a program that they name cannot be had here. Written before anything starts. */
  leftOut: z.array(z.object({ name: z.string(), why: z.string() })).optional(),
  /** Absent where there are none. */
  neighbours: z.array(neighbourSchema).optional(),
  ...keptShape(EXPERIMENT_SETTINGS),
  /** What nobody had said and was chosen for the machine, a sentence each without a full stop. */
  chosen: z.array(z.string()).optional(),
  /** So many runs are under way at once, of which only counts are compared; absent: one. */
  atOnce: z.int().min(2).optional(),
  /** The numbers of pairs at which it is looked at, and an arm may be stopped; absent: once, at the end. `repeat` is the last. */
  looks: z.array(z.int().min(2)).optional(),
  /** It was extended: the pairs that were planned before, in order. */
  extendedFrom: z.array(z.number()).optional(),
  /** `arrival: { find: max-rate }`: the rate is what is looked for; the arrivals of the arms are those of a first step. */
  search: searchSchema.optional(),
  thresholds: z.array(thresholdSchema),
  /** SHA-256 of the profile's text, hexadecimal. */
  profileHash: z.string(),
});
export type Experiment = z.infer<typeof experimentSchema>;
