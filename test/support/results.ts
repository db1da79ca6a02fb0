/**
 * A realistic result of the quickstart experiment, made by arithmetic instead of by a lab: 5 addresses × 100 ports, 1000
 * attempts in 10 s, so that a plain bind fails half of them. Deterministic: equal options give equal results.
 */
import { type Random, randomStream } from '../../src/domain/random.js';
import type { Comparison, Latency, Results, Run, Second, Variant } from '../../src/results/schema.js';
import { ARMS, type ArmSpec, PROFILE } from './quickstart-arms.js';

const RATE = 100;
const GOAL = 'failures.share';

export interface ResultsOptions {
  /** Compared blocks; one warm-up block comes before them. */
  readonly blocks?: number;
  /** Length of the load in seconds. */
  readonly seconds?: number;
}

/** A complete experiment in which every run went well. */
export function quickstartResults({ blocks = 6, seconds = 10 }: ResultsOptions = {}): Results {
  const variants = ARMS.map((spec, index) => makeVariant(spec, index, blocks, seconds));
  const [baseline, ...others] = variants as [Variant, ...Variant[]];
  for (const [index, variant] of others.entries()) judge(baseline, variant, ARMS[index + 1]!);
  const runs = ARMS.length * (blocks + 1);
  return {
    schemaVersion: 1,
    experiment: {
      name: 'quickstart',
      description: 'Five outgoing addresses, a range of 100 ports, and bind before connect: the failure in ten seconds',
      lab: 'netns',
      subject: 'direct',
      repeat: blocks,
      warmup: 1,
      seed: 1,
      goal: GOAL,
      guardrails: ['latency.total.p99', 'cpu.perConnection'],
      thresholds: [{ metric: GOAL, max: 0, min: null, text: 'at most 0', variant: 'wider-range' }],
      profileHash: 'b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184',
      startedAt: '2026-03-02T09:14:07.120Z',
      finishedAt: '2026-03-02T09:25:31.480Z',
      status: 'complete',
      runsPlanned: runs,
      runsDone: runs,
      command: 'bindstorm run profiles/quickstart.yaml --seed 1',
      profile: PROFILE,
    },
    environment: {
      tool: '0.1.0',
      kernel: '6.12.63',
      machine: 'x86_64',
      node: 'v20.20.2',
      libuv: '1.46.0',
      cpu: 'Example CPU @ 2.80GHz',
      cpus: 4,
      memory: 16_777_216_000,
      lab: 'network namespace, client and origin joined by veth',
      root: false,
      descriptors: 65_536,
      defaults: {
        'net.ipv4.ip_local_port_range': '32768\t60999',
        'net.ipv4.tcp_fin_timeout': '60',
        'net.ipv4.tcp_tw_reuse': '2',
        'net.ipv4.ip_autobind_reuse': '0',
        'net.ipv4.ip_local_reserved_ports': '',
      },
    },
    variants,
    thresholds: [
      { metric: GOAL, limit: 'at most 0', variant: 'wider-range', value: 0, passed: true },
      { metric: 'latency.total.p99', limit: 'at most 5ms', variant: 'autobind-reuse', value: 6100, passed: false },
    ],
    warnings: ['The lab shares 4 cores with the load: compare times between arms, not with other machines.'],
    summary:
      'Half of all connections failed with EADDRINUSE; wider-range, twice-the-addresses, no-port-4-destinations and no-port-tw-reuse ended the failures, autobind-reuse left 2.4 %, and fin-timeout-5 and tw-reuse-1 changed nothing.',
  };
}

/** The same with a port range of a real size in `wider-range`, so that it is worth applying. */
export function realSizeResults(): Results {
  const results = quickstartResults();
  const variant = results.variants[1]!;
  variant.sysctls['net.ipv4.ip_local_port_range'] = '1024 65535';
  for (const run of variant.runs) run.sysctls['net.ipv4.ip_local_port_range'] = '1024\t65535';
  return results;
}

/** The same experiment, interrupted in its fourth block, with one failed and one generator-limited run. */
export function partialResults(): Results {
  const results = quickstartResults();
  for (const variant of results.variants) {
    variant.runs = variant.runs.filter((run) => run.block < 4);
    if (variant.verdict) {
      variant.verdict.goal.pairs = 3;
      variant.verdict.goal.warnings.push('3 pairs cannot show a difference at the level of 5 %; 6 can.');
    }
  }
  const failed = results.variants[1]!.runs.at(-1)!;
  Object.assign(failed, {
    status: 'failed',
    valid: false,
    problems: ['the agent ended with exit code 1'],
    stderr: 'Error: write EPIPE',
    timeline: [],
    outcomes: {},
    attempts: 0,
    latency: {},
    hlog: null,
  } satisfies Partial<Run>);
  const limited = results.variants[2]!.runs.at(-1)!;
  limited.valid = false;
  limited.generatorLimited = true;
  limited.problems = ['generator-limited: the p99 of the start lag was 31 ms, above the budget of 10 ms'];
  results.experiment.status = 'partial';
  results.experiment.runsDone = results.variants.reduce((sum, variant) => sum + variant.runs.length, 0);
  return results;
}

/** An experiment of which no run could be compared: every number that can be absent is. */
export function emptyResults(): Results {
  const results = quickstartResults();
  for (const variant of results.variants) {
    variant.runs = [];
    if (variant.verdict) {
      variant.verdict.verdict = 'not enough evidence';
      for (const comparison of [variant.verdict.goal, ...variant.verdict.guardrails]) {
        Object.assign(comparison, {
          baseline: null,
          variant: null,
          difference: null,
          ci: null,
          pairs: 0,
          p: null,
          pHolm: null,
          detectable: null,
          verdict: 'not enough evidence',
          why: 'There is no pair of runs to compare.',
        } satisfies Partial<Comparison>);
      }
    }
  }
  results.experiment.status = 'partial';
  results.experiment.runsDone = 0;
  results.thresholds = results.thresholds.map((threshold) => ({ ...threshold, value: null, passed: false }));
  results.summary = 'No run was finished, so nothing can be said.';
  return results;
}

function makeVariant(spec: ArmSpec, index: number, blocks: number, seconds: number): Variant {
  const baseline = index === 0;
  return {
    name: spec.name,
    description: spec.description,
    baseline,
    changes: spec.changes,
    sysctls: { 'net.ipv4.ip_local_port_range': '40000 40099', ...spec.sysctls },
    strategy: spec.strategy,
    load: {
      workers: 1,
      strategy: spec.strategy,
      pick: 'round-robin',
      arrival: { shape: 'constant', rate: RATE, durationMs: seconds * 1000 },
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
    addresses: { count: spec.addresses, first: '10.50.0.1', last: `10.50.0.${spec.addresses}` },
    destinations: spec.destinations,
    prediction: spec.prediction,
    runs: Array.from({ length: blocks + 1 }, (_, block) =>
      makeRun(spec, block, block * ARMS.length + ((index + block) % ARMS.length), seconds),
    ),
    verdict: null,
  };
}

function makeRun(spec: ArmSpec, block: number, order: number, seconds: number): Run {
  const id = `b${String(block).padStart(2, '0')}-${spec.name}`;
  const random = randomStream(1, id);
  const timeline = makeTimeline(spec, random, seconds);
  const outcomes: Record<string, number> = {};
  for (const second of timeline) {
    for (const [name, count] of Object.entries(second.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
  }
  const attempts = RATE * seconds;
  const ok = outcomes.ok ?? 0;
  const failures = attempts - ok;
  const ports = timeline.at(-1)!.portsInUse!;
  const jitter = 0.95 + 0.1 * random();
  return {
    id,
    variant: spec.name,
    block,
    warmup: block === 0,
    order,
    status: 'ok',
    valid: true,
    generatorLimited: false,
    problems: [],
    warnings: [],
    startedAt: new Date(Date.UTC(2026, 2, 2, 9, 14, 7) + order * 12_000).toISOString(),
    durationMs: { setup: 41, load: seconds * 1000 + 12, teardown: 9 },
    attempts,
    outcomes,
    rates: { scheduled: RATE, started: RATE, ok: ok / seconds },
    capacity: {
      tuples: timeline.at(-1)?.portsInUse ?? 0,
      peakOpen: 1,
      openAtFirstFailure: failures > 0 ? 0 : null,
      okBeforeFirstFailure: failures > 0 ? okBeforeFailure(timeline) : null,
    },
    waves: [{ attempts, outcomes, firstFailureAt: failures > 0 ? 0 : null }],
    latency: {
      ...(spec.strategy === 'connect' ? {} : { bind: makeLatency(ok, 3.2 * spec.slow * jitter, 0.28, random) }),
      connect: makeLatency(ok, 41 * spec.slow ** 0.5 * jitter, 0.24, random),
      total: makeLatency(ok, 92 * spec.slow ** 0.5 * jitter, 0.33, random),
      lag: makeLatency(attempts, 38 * jitter, 0.35, random),
      ...(failures > 0 ? { failed: makeLatency(failures, 12 * jitter, 0.2, random) } : {}),
    },
    ports: {
      low: spec.range[0],
      high: spec.range[1],
      reserved: 0,
      peak: ports,
      peakPerAddress: Array.from({ length: spec.addresses }, () => Math.round(ports / spec.addresses)),
      finalStates: { TIME_WAIT: ports },
    },
    cpu: {
      perConnection: ok > 0 ? 210 * jitter * spec.slow ** 0.3 : null,
      client: { user: 0.11, system: 0.07 },
      origin: { user: 0.04, system: 0.05 },
    },
    memory: { peak: 84_300_000 + Math.round(400_000 * random()) },
    counters: {
      'Tcp.ActiveOpens': ok,
      'Tcp.OutSegs': ok * 4,
      'Tcp.InSegs': ok * 3,
      'TcpExt.TW': ok - (spec.recycles ? ok - ports : 0),
      ...(spec.recycles ? { 'TcpExt.TWRecycled': ok - ports } : {}),
      'IpExt.OutOctets': ok * 232,
    },
    sysctls: {
      'net.ipv4.tcp_fin_timeout': '60',
      'net.ipv4.tcp_tw_reuse': '2',
      'net.ipv4.ip_autobind_reuse': '0',
      ...spec.sysctls,
      'net.ipv4.ip_local_port_range': spec.range.join('\t'),
    },
    timeline,
    origin: { accepted: ok, listenOverflows: 0 },
    hlog: `${id}.hlog`,
    stderr: null,
  };
}

function okBeforeFailure(timeline: readonly Second[]): number {
  const first = timeline.findIndex((second) => second.attempts > (second.outcomes.ok ?? 0));
  return timeline.slice(0, first).reduce((sum, second) => sum + (second.outcomes.ok ?? 0), 0);
}

function makeTimeline(spec: ArmSpec, random: Random, seconds: number): Second[] {
  let ok = 0;
  return Array.from({ length: seconds }, (_, i) => {
    const room = Math.max(0, spec.holds - ok);
    // A port that is drawn blindly clashes the more often, the more of them are taken.
    const clashes = spec.noisy ? Math.round(((RATE * (i + 1)) / seconds) * 0.09 * random()) : 0;
    const succeeded = Math.min(RATE, room) - clashes;
    ok += succeeded;
    const failed = RATE - succeeded;
    const outcomes: Record<string, number> = {};
    if (succeeded > 0) outcomes.ok = succeeded;
    if (failed > 0) outcomes[spec.prediction.fails] = failed;
    const ports = Math.min(ok, spec.ports);
    return {
      t: i + 1,
      attempts: RATE,
      outcomes,
      states: { TIME_WAIT: ports },
      portsInUse: ports,
      portsPerAddress: Array.from({ length: spec.addresses }, () => Math.round(ports / spec.addresses)),
      counters: { 'Tcp.ActiveOpens': succeeded },
      cpu: { client: 0.02, origin: 0.01, machine: { user: 0.1, system: 0.1, softirq: 0.02, total: 4 } },
      load1: 0.4,
      memory: 84_000_000,
    };
  });
}

/** A heavy right tail: each nine multiplies the time. The percentiles are HdrHistogram's, denser towards 100. */
function makeLatency(count: number, p50: number, tail: number, random: Random): Latency {
  const at = (percentile: number): number => {
    const share = Math.min(percentile / 100, 1 - 1 / (count + 1));
    return Math.max(1, Math.round(p50 * (2 * (1 - share)) ** -tail * (0.98 + 0.04 * random())));
  };
  const percentiles: [number, number][] = [];
  for (let halving = 0; halving < 11; halving++) {
    for (let step = 0; step < 5; step++) percentiles.push([100 * (1 - 0.5 ** halving * (1 - step / 10)), 0]);
  }
  percentiles.push([100, 0]);
  let last = 0;
  for (const point of percentiles) {
    last = Math.max(last, at(point[0]));
    point[1] = last;
  }
  const [p90, p99, p999] = [at(90), at(99), at(99.9)];
  return { count, min: percentiles[0]![1], mean: p50 * 1.3, p50, p90, p99, p999, max: last, percentiles };
}

function judge(baseline: Variant, variant: Variant, spec: ArmSpec): void {
  const share = (side: Variant) => (side === variant ? spec.failures : 0.5);
  const difference = share(variant) - share(baseline);
  const pairs = variant.runs.filter((run) => !run.warmup).length;
  const noisy = spec.noisy;
  const goal: Comparison = {
    metric: GOAL,
    unit: 'share',
    kind: noisy ? 'noisy' : 'exact',
    baseline: share(baseline),
    variant: share(variant),
    difference,
    ci: noisy ? [difference - 0.0042, difference + 0.0051] : null,
    pairs,
    p: noisy ? 0.03125 : null,
    pHolm: noisy ? 0.03125 : null,
    detectable: noisy ? 0.0061 : null,
    margin: 0.005,
    verdict: difference < 0 ? 'better' : 'no difference',
    why: spec.why,
    warnings: [],
  };
  const p99 = (side: Variant) => side.runs[1]?.latency.total?.p99 ?? 0;
  const guardrail = (metric: string, before: number, after: number, verdict: Comparison['verdict']): Comparison => ({
    metric,
    unit: 'microseconds',
    kind: 'noisy',
    baseline: before,
    variant: after,
    difference: after - before,
    ci: [after - before - 21, after - before + 24],
    pairs,
    p: 0.4375,
    pHolm: 0.875,
    detectable: 34,
    margin: 50,
    verdict,
    why: `${metric} was ${Math.round(before)} µs in the baseline and ${Math.round(after)} µs here.`,
    warnings: [],
  });
  variant.verdict = {
    verdict: goal.verdict,
    sentence: spec.sentence,
    goal,
    guardrails: [
      guardrail('latency.total.p99', p99(baseline), p99(variant), spec.noisy ? 'not enough evidence' : 'no difference'),
      guardrail('cpu.perConnection', 210, 208 + spec.slow, 'no difference'),
    ],
  };
}
