/**
 * Valid runs, experiments and surroundings from a few numbers, for tests of whatever reads results. What a caller leaves out is
 * plausible and the same every time.
 */
import type { LatencyPhase, LatencyStatistic } from '../../src/domain/metric.js';
import type { Random } from '../../src/domain/random.js';
import type { Arm, Experiment, Threshold } from '../../src/plan/plan.js';
import type { Environment, Latency, Prediction, Run, Second } from '../../src/results/schema.js';

export interface RunNumbers {
  variant?: string;
  block?: number;
  order?: number;
  warmup?: boolean;
  status?: Run['status'];
  valid?: boolean;
  generatorLimited?: boolean;
  problems?: string[];
  /** Outcome → count; `attempts` is their sum. */
  outcomes?: Record<string, number>;
  /** Phase → p50 in µs, or single statistics in µs; the others follow the p50. */
  latency?: Partial<Record<LatencyPhase, number | Partial<Record<LatencyStatistic, number>>>>;
  peakOpen?: number;
  openAtFirstFailure?: number | null;
  rate?: number;
  cpuPerConnection?: number | null;
  memory?: number;
  portsPeak?: number | null;
}

/** One run; it lasted ten seconds unless `rate` says otherwise. */
export function makeRun(numbers: RunNumbers = {}): Run {
  const { variant = 'baseline', block = 0, warmup = false, status = 'ok' } = numbers;
  const outcomes = numbers.outcomes ?? { ok: 1000 };
  const attempts = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const ok = outcomes.ok ?? 0;
  const failed = attempts - ok - (outcomes.shed ?? 0);
  const atFirstFailure = failed > 0 ? ok : null;
  const latency: Run['latency'] = {};
  const given = Object.entries(numbers.latency ?? { total: 1000 }) as [
    LatencyPhase,
    number | Partial<Record<LatencyStatistic, number>>,
  ][];
  for (const [phase, value] of given)
    latency[phase] = makeLatency(ok, typeof value === 'number' ? { p50: value } : value);
  return {
    id: `b${String(block).padStart(2, '0')}-${variant}`,
    variant,
    block,
    warmup,
    order: numbers.order ?? block * 10 + (variant === 'baseline' ? 0 : 1),
    status,
    valid: numbers.valid ?? status === 'ok',
    generatorLimited: numbers.generatorLimited ?? false,
    problems: numbers.problems ?? [],
    warnings: [],
    startedAt: '2026-01-02T03:04:05.000Z',
    durationMs: { setup: 20, load: 10_000, teardown: 5 },
    attempts,
    outcomes,
    rates: { scheduled: attempts / 10, started: (attempts - (outcomes.shed ?? 0)) / 10, ok: numbers.rate ?? ok / 10 },
    capacity: {
      tuples: numbers.openAtFirstFailure ?? numbers.peakOpen ?? ok,
      peakOpen: numbers.peakOpen ?? ok,
      openAtFirstFailure: numbers.openAtFirstFailure === undefined ? atFirstFailure : numbers.openAtFirstFailure,
      okBeforeFirstFailure: failed > 0 ? ok : null,
    },
    waves: [],
    latency,
    ports: {
      low: 32768,
      high: 60999,
      reserved: 0,
      peak: numbers.portsPeak === undefined ? ok : numbers.portsPeak,
      peakPerAddress: null,
      finalStates: { 'TIME-WAIT': ok },
    },
    cpu: {
      perConnection: numbers.cpuPerConnection === undefined ? 40 : numbers.cpuPerConnection,
      client: { user: 0.02, system: 0.02 },
      origin: { user: 0.01, system: 0.02 },
    },
    memory: { peak: numbers.memory ?? 80_000_000 },
    counters: {},
    sysctls: { 'net.ipv4.ip_local_port_range': '32768 60999' },
    timeline: [],
    origin: { accepted: ok, listenOverflows: 0 },
    hlog: null,
    stderr: null,
  };
}

/** One run a block, from block 0, each from its numbers. */
export function makeRuns(variant: string, each: readonly Omit<RunNumbers, 'variant' | 'block'>[]): Run[] {
  return each.map((numbers, block) => makeRun({ ...numbers, variant, block }));
}

/** `count` equal runs of one arm, one a block. */
export function repeated(variant: string, count: number, numbers: Omit<RunNumbers, 'variant' | 'block'> = {}): Run[] {
  return makeRuns(variant, Array(count).fill(numbers));
}

function makeLatency(count: number, given: Partial<Record<LatencyStatistic, number>>): Latency {
  const p50 = given.p50 ?? given.mean ?? given.p99 ?? 1000;
  const shape = { min: p50 / 2, mean: p50, p50, p90: p50 * 1.5, p99: p50 * 2, p999: p50 * 3, max: p50 * 4, ...given };
  return {
    count,
    ...shape,
    percentiles: [
      [50, shape.p50],
      [90, shape.p90],
      [99, shape.p99],
      [99.9, shape.p999],
      [100, shape.max],
    ],
  };
}

/** One sample of a timeline in which nothing was observed but what is given. */
export function makeSecond(given: Partial<Second> = {}): Second {
  return {
    t: 1,
    attempts: 0,
    outcomes: {},
    states: null,
    portsInUse: null,
    portsPerAddress: null,
    counters: {},
    cpu: { client: 0, origin: null, machine: null },
    load1: null,
    memory: null,
    ...given,
  };
}

export interface ExperimentNumbers {
  variants?: readonly string[];
  goal?: string;
  guardrails?: readonly string[];
  thresholds?: readonly (Pick<Threshold, 'metric'> & Partial<Threshold>)[];
  repeat?: number;
  seed?: number;
}

/** An experiment whose baseline is `baseline` and whose variants are named only. */
export function makeExperiment(numbers: ExperimentNumbers = {}): Experiment {
  return {
    name: 'example',
    description: null,
    lab: 'netns',
    subject: 'direct',
    arms: ['baseline', ...(numbers.variants ?? ['wider-range'])].map(makeArm),
    repeat: numbers.repeat ?? 6,
    warmup: 0,
    seed: numbers.seed ?? 1,
    goal: numbers.goal ?? 'outcomes["bind:EADDRINUSE"].share',
    guardrails: [...(numbers.guardrails ?? [])],
    thresholds: (numbers.thresholds ?? []).map((threshold) => ({
      max: null,
      min: null,
      text: String(threshold.max ?? threshold.min ?? ''),
      variant: null,
      ...threshold,
    })),
    profileHash: '0'.repeat(64),
  };
}

export function makeArm(name: string): Arm {
  const baseline = name === 'baseline';
  return {
    name,
    description: null,
    baseline,
    changes: baseline ? [] : ['net.ipv4.ip_local_port_range = 1024 65535'],
    sysctls: baseline ? {} : { 'net.ipv4.ip_local_port_range': '1024 65535' },
    load: {
      workers: 1,
      strategy: 'bind',
      pick: 'round-robin',
      arrival: { shape: 'constant', rate: 100, durationMs: 10_000 },
      close: 'client',
      drain: false,
      holdMs: 0,
      timeoutMs: 5000,
      exchange: null,
      engine: 'socket',
      keepAlive: false,
      tls: false,
      protocol: 'tcp',
      body: 0,
      sink: 'accept',
      maxInFlight: null,
      ports: null,
      lagBudgetMs: 10,
      clocks: 1,
    },
    addresses: ['10.50.0.1', '10.50.0.2'],
    destinations: { kind: 'lab', addresses: 1, ports: 1 },
  };
}

export function makeEnvironment(): Environment {
  return {
    tool: '0.0.0',
    kernel: '6.1.0',
    machine: 'x86_64',
    node: 'v20.19.0',
    libuv: '1.46.0',
    cpu: 'an ordinary CPU',
    cpus: 2,
    memory: 8_000_000_000,
    lab: 'network namespace, client and origin joined by veth',
    root: false,
    descriptors: 65_536,
    defaults: { 'net.ipv4.ip_local_port_range': '32768 60999' },
  };
}

export function makePrediction(): Prediction {
  return {
    concurrent: 56_464,
    sustained: 941,
    fails: 'bind:EADDRINUSE',
    formula: 'P·S = 28,232 · 2',
    rule: 'bind() chooses the port before the destination is known',
    source: 'net/ipv4/inet_connection_sock.c',
  };
}

/** Noise for made-up measurements: standard normal (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
