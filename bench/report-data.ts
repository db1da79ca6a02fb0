/**
 * Made-up journals of any size, in which every kind of number that a run records is there: for the cost of reports, and for looking at
 * them. Deterministic.
 */

import { type Random, randomStream } from '../src/domain/random.js';
import { parsePortRange, portCount } from '../src/domain/units.js';
import { type JournalContents, openJournal } from '../src/experiment/journal.js';
import type { JournalEntry } from '../src/experiment/journal-entry.js';
import { type PlannedRun, planRuns } from '../src/experiment/order.js';
import type { Arm } from '../src/plan/plan.js';
import { loadProfile } from '../src/profile/load.js';
import { type Environment, type Latency, type Run, SCHEMA_VERSION, type Second } from '../src/results/schema.js';

export interface ReportSize {
  readonly variants: number;
  readonly repeat: number;
  readonly seconds: number;
  readonly addresses: number;
}

/** Attempts a second; with 50 addresses and 300 ports the baseline is full after a third of a minute. */
const RATE = 750;
const PORTS = 300;

/** Variant i widens the range or binds otherwise, so that some end the failure, some lessen it and some do nothing. */
export function profileOf({ variants, repeat, seconds, addresses }: ReportSize): string {
  const lines = Array.from({ length: variants }, (_, i) => {
    if (i % 4 === 0)
      return `  - { name: range-${i + 1}, sysctls: { net.ipv4.ip_local_port_range: "40000 ${40_000 + PORTS + 100 * (i + 1) - 1}" } }`;
    if (i % 4 === 1) return `  - { name: fin-timeout-${i + 1}, sysctls: { net.ipv4.tcp_fin_timeout: ${i + 4} } }`;
    if (i % 4 === 2)
      return `  - { name: destinations-${i + 1}, load: { strategy: bind-no-port }, destinations: { ports: ${i + 2} } }`;
    return `  - { name: addresses-${i + 1}, addresses: { count: ${addresses + i} } }`;
  });
  return `name: large
description: A made-up experiment with every number that a run records
addresses: { cidr: 10.50.0.0/24, count: ${addresses}, pick: random }
load: { strategy: bind, arrival: { shape: constant, rate: ${RATE}/s, duration: ${seconds}s } }
sysctls: { net.ipv4.ip_local_port_range: "40000 ${40_000 + PORTS - 1}" }
variants:
${lines.join('\n')}
repeat: ${repeat}
warmup: 1
guardrails: [latency.total.p99, cpu.perConnection]
`;
}

/** Write the journal of such an experiment into a folder. */
export function writeJournal(dir: string, size: ReportSize): void {
  const { begin, runs } = makeJournal(size);
  const journal = openJournal(dir);
  const entries: JournalEntry[] = [begin, ...runs.map((run): JournalEntry => ({ type: 'run', run }))];
  for (const entry of entries) journal.append(entry);
  journal.append({ type: 'end', at: '2026-03-02T11:25:31.480Z', status: 'complete' });
  journal.close();
}

export function makeJournal(size: ReportSize): JournalContents<'run'> {
  const profile = profileOf(size);
  const { experiment } = loadProfile(profile, 'large.yaml');
  const runs = planRuns(experiment).map((planned) => {
    const arm = experiment.arms.find(({ name }) => name === planned.variant)!;
    return makeRun(planned, arm, size.seconds);
  });
  return {
    begin: {
      type: 'begin',
      kind: 'run',
      schemaVersion: SCHEMA_VERSION,
      startedAt: '2026-03-02T09:14:07.120Z',
      command: 'bindstorm run large.yaml',
      profile,
      experiment,
      environment: ENVIRONMENT,
    },
    runs,
    observed: [],
    steps: new Map(),
    damage: [],
    ended: { type: 'end', at: '2026-03-02T11:25:31.480Z', status: 'complete' },
  };
}

const ENVIRONMENT: Environment = {
  tool: '0.1.0',
  kernel: '6.12.63',
  machine: 'x86_64',
  node: 'v20.20.2',
  libuv: '1.46.0',
  cpu: 'Example CPU @ 2.80GHz',
  cpus: 4,
  memory: 16_777_216_000,
  lab: 'netns (veth)',
  root: false,
  descriptors: 65_536,
  defaults: { 'net.ipv4.ip_local_port_range': '32768\t60999', 'net.ipv4.tcp_max_tw_buckets': '262144' },
};

function makeRun(planned: PlannedRun, arm: Arm, seconds: number): Run {
  const random = randomStream(1, planned.id);
  const range = parsePortRange(arm.sysctls['net.ipv4.ip_local_port_range']!);
  const { timeline, outcomes } = makeTimeline(arm, portCount(range), seconds, random);
  const ok = outcomes.ok ?? 0;
  const last = timeline.at(-1)!;
  const attempts = RATE * seconds;
  return {
    id: planned.id,
    variant: planned.variant,
    block: planned.block,
    warmup: planned.warmup,
    order: planned.order,
    status: 'ok',
    valid: true,
    generatorLimited: false,
    problems: [],
    warnings: [],
    startedAt: new Date(Date.UTC(2026, 2, 2, 9, 14, 7) + planned.order * 61_000).toISOString(),
    durationMs: { setup: 41, load: seconds * 1000 + 12, teardown: 9 },
    attempts,
    outcomes,
    rates: { scheduled: RATE, started: RATE, ok: ok / seconds },
    capacity: {
      tuples: ok,
      peakOpen: 1,
      openAtFirstFailure: ok < attempts ? 0 : null,
      okBeforeFirstFailure: ok < attempts ? ok : null,
    },
    waves: [{ attempts, outcomes, firstFailureAt: ok < attempts ? 0 : null }],
    latency: {
      bind: makeLatency(ok, 6, 0.35, random),
      connect: makeLatency(ok, 41, 0.24, random),
      response: makeLatency(ok, 160, 0.3, random),
      total: makeLatency(ok, 210, 0.33, random),
      lag: makeLatency(attempts, 38, 0.35, random),
    },
    ports: {
      ...range,
      reserved: 0,
      peak: last.portsInUse,
      peakPerAddress: last.portsPerAddress,
      finalStates: last.states,
    },
    cpu: {
      perConnection: 40 + 4 * random(),
      client: { user: 1.1, system: 2.7 },
      origin: { user: 0.4, system: 0.5 },
    },
    memory: { peak: 84_300_000 + Math.round(400_000 * random()) },
    counters: Object.fromEntries(COUNTERS.map((name, i) => [name, Math.round(ok * (1 + i / 10))])),
    sysctls: { ...arm.sysctls, 'net.ipv4.ip_local_port_range': `${range.low}\t${range.high}` },
    timeline,
    origin: { accepted: ok, listenOverflows: 0 },
    hlog: null,
    stderr: null,
  };
}

const COUNTERS = [
  ...['Tcp.ActiveOpens', 'Tcp.InSegs', 'Tcp.OutSegs', 'Tcp.CurrEstab', 'TcpExt.TW', 'TcpExt.TWRecycled'],
  ...['TcpExt.DelayedACKs', 'TcpExt.TCPPureAcks', 'TcpExt.TCPHPAcks', 'TcpExt.TCPRcvCoalesce'],
  ...['IpExt.InOctets', 'IpExt.OutOctets', 'IpExt.InNoECTPkts', 'Ip.InReceives', 'Ip.InDelivers', 'Ip.OutRequests'],
];

/** Addresses drift apart as they do with random picks, and each stops where its ports end. */
function makeTimeline(arm: Arm, ports: number, seconds: number, random: Random) {
  const destinations = arm.destinations.kind === 'lab' ? arm.destinations.addresses * arm.destinations.ports : 1;
  const noPort = arm.load.strategy === 'bind-no-port';
  const room = ports * (noPort ? destinations : 1);
  const held = arm.addresses.map(() => 0);
  const fails = noPort ? 'connect:EADDRNOTAVAIL' : 'bind:EADDRINUSE';
  const total: Record<string, number> = {};
  const timeline = Array.from({ length: seconds }, (_, i): Second => {
    let ok = 0;
    for (const [index, before] of held.entries()) {
      const asked = Math.round((RATE / held.length) * (0.7 + 0.6 * random()) * (1 + 0.3 * Math.sin(index)));
      held[index] = Math.min(room, before + asked);
      ok += held[index]! - before;
    }
    ok = Math.min(ok, RATE);
    const outcomes: Record<string, number> = {
      ...(ok > 0 ? { ok } : {}),
      ...(ok < RATE ? { [fails]: RATE - ok } : {}),
    };
    for (const [name, count] of Object.entries(outcomes)) total[name] = (total[name] ?? 0) + count;
    const portsPerAddress = held.map((count) => Math.min(count, ports));
    const inUse = portsPerAddress.reduce((sum, count) => sum + count, 0);
    return {
      t: i + 1,
      attempts: RATE,
      outcomes,
      states: { ESTABLISHED: Math.round(20 * random()), 'TIME-WAIT': inUse },
      portsInUse: inUse,
      portsPerAddress,
      counters: Object.fromEntries(COUNTERS.map((name, k) => [name, Math.round(ok * (1 + k / 10))])),
      cpu: { client: 0.08, origin: 0.02, machine: { user: 0.1, system: 0.1, softirq: 0.02, total: 4 } },
      load1: 0.4,
      memory: 84_000_000,
    };
  });
  return { timeline, outcomes: total };
}

/** A heavy right tail at the percentiles that HdrHistogram lists. */
function makeLatency(count: number, p50: number, tail: number, random: Random): Latency {
  const jitter = 0.97 + 0.06 * random();
  const at = (percentile: number) =>
    Math.round(p50 * jitter * (2 * (1 - Math.min(percentile / 100, 1 - 1 / (count + 1)))) ** -tail);
  const percentiles: [number, number][] = [];
  for (let halving = 0; halving < 13; halving++) {
    for (let step = 0; step < 5; step++) {
      const percentile = 100 * (1 - 0.5 ** halving * (1 - step / 10));
      percentiles.push([percentile, at(percentile)]);
    }
  }
  percentiles.push([100, at(100)]);
  return {
    count,
    min: at(0),
    mean: p50 * 1.3,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: at(100),
    percentiles,
  };
}
