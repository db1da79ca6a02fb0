/**
 * The keys of a profile that are about the experiment as a whole: its lab, its addresses, how often it runs and what it is judged by.
 */
import { z } from 'zod';
import { DEBIAN_SUITES, ENGINES } from '../domain/guest.js';
import { LAB_KINDS } from '../domain/lab.js';
import { METRIC_SCHEMA } from '../domain/metric-schema.js';
import { needed, optional, setting, type ValueKind } from '../domain/setting.js';
import { oneOf, rate, text, texts, whole } from '../domain/values.js';
import { BOX_SETTINGS } from './box.js';
import { LOAD_SETTINGS } from './load-settings.js';

export const LAB_SETTINGS = {
  // A fresh network namespace a run: TIME_WAIT of one run cannot leak into the next, and the host is not touched.
  kind: setting(oneOf(LAB_KINDS), {
    default: 'netns',
    describe:
      'netns: a fresh network namespace for each run; vm: the same in a guest with a kernel of its own; vagrant: a fresh network namespace in a Vagrant box; host: this machine itself',
    example: 'netns',
  }),
  engine: optional(oneOf(ENGINES), {
    defaultText: 'uml for a Debian suite; for a path and for running, what boots such a file',
    describe: 'vm only: what runs the guest: uml, a kernel as one ordinary process (User-Mode Linux), or qemu',
    example: 'uml',
  }),
  // Linux 6.1: the oldest kernel that most servers may still have.
  kernel: setting(text(), {
    default: 'bookworm',
    describe: `vm only: a Debian suite (${DEBIAN_SUITES.join(', ')}), whose kernel is fetched once; running, for that of this machine; or the path of a kernel, for example ./bzImage`,
    example: 'bookworm',
  }),
  ...BOX_SETTINGS,
} as const;

/** A kernel of `kernels`. */
export const KERNEL_SETTINGS = {
  kernel: needed(text(), { describe: 'as lab.kernel', example: 'bookworm' }),
  engine: optional(oneOf(ENGINES), { defaultText: 'that of lab.engine', describe: 'as lab.engine', example: 'uml' }),
} as const;

export const ADDRESS_SETTINGS = {
  cidr: optional(text(), { describe: 'local addresses, for example 10.50.0.0/24', example: '10.50.0.0/24' }),
  range: optional(text(), {
    describe: 'the same as a range, for example 10.50.0.1-10.50.0.50',
    example: '10.50.0.1-10.50.0.50',
  }),
  list: optional(texts({ least: 1, item: '10.50.0.1' }), {
    describe: 'the same as a list, for example [10.50.0.1, 10.50.0.7]',
    example: '[10.50.0.1, 10.50.0.7]',
  }),
  count: optional(whole(1, 65_536), {
    defaultText: 'all',
    describe: 'how many addresses of the CIDR or range to use',
    example: '50',
  }),
  unbound: optional(text(), {
    defaultText: 'the first of the addresses',
    describe:
      'the address of connections that are bound to none, beside those that the program is told to use: the origin then counts what leaves from it (sourceAddress.wrong)',
    example: '10.50.9.1',
  }),
  pick: LOAD_SETTINGS.pick,
} as const;

const metric: ValueKind<string> = { ...text(), written: z.string().meta(METRIC_SCHEMA) };
const metrics: ValueKind<string[]> = {
  ...texts({ item: '' }),
  written: z.array(metric.written.meta({ example: '- latency.service.p90' })).max(20),
};

export const EXPERIMENT_SETTINGS = {
  // Until it is chosen (experiment/design.ts). With --fixed ten pairs survive Holm's correction over some 20 comparisons.
  repeat: setting(whole(1, 1000), {
    default: 10,
    defaultText: '9; 2 where all is exact',
    describe: 'maximum number of pairs of runs per variant; a variant that is decided gets no more',
    example: '10',
  }),
  // The first block pays for cold caches and lazy compilation.
  warmup: setting(whole(0, 10), { default: 1, describe: 'blocks run first and discarded', example: '1' }),
  // Any fixed number: equal profiles give equal orders and arrivals.
  seed: setting(whole(0, 4_294_967_295), {
    default: 1,
    describe: 'of the order of runs, the arrivals and the picks',
    example: '1',
  }),
  // A fix may move the failure from bind to connect, so failures of whatever errno count.
  goal: setting(metric, {
    default: 'failures.share',
    defaultText: 'failures.share; with fill: capacity',
    describe: 'the metric that a fix must improve, for example outcomes["bind:EADDRINUSE"].share',
    example: 'failures.share',
  }),
  // Fast failures can hide slow successes, and a longer port search costs CPU: what users feel and what operators pay. From the start of each
  // attempt, since what the generator is late by is no work of the kernel or the proxy; and the p90, since few pairs decide about it, where
  // those about a p99 take dozens (docs/statistics.md).
  guardrails: setting(metrics, {
    default: ['latency.service.p90', 'cpu.perConnection'],
    defaultText: 'latency.service.p90, cpu.perConnection',
    describe: 'metrics that a fix must not worsen, for example latency.service.p90',
    example: '[latency.service.p90]',
  }),
  requiredRate: optional(rate, {
    describe:
      'connections per second that a machine must sustain: the report says for each arm whether that rate holds, and with how much to spare',
    example: '300/s',
  }),
} as const;

/** A bound with or without a unit: `0`, `5ms`. */
const limit: ValueKind<number | string> = {
  written: z.union([z.number(), z.string()]),
  kept: z.union([z.number(), z.string()]),
  text: String,
  words: String,
};

export const THRESHOLD_SETTINGS = {
  metric: needed(metric, { describe: 'what is limited', example: 'failures.share' }),
  max: optional(limit, {
    describe: 'at most, in the unit of the metric: a time such as 5ms, a share such as 1% or 0.01, else a number',
    example: '5ms',
  }),
  min: optional(limit, { describe: 'at least', example: '0.9' }),
  variant: optional(text(), { defaultText: 'all', describe: 'one variant', example: 'wider-range' }),
} as const;
