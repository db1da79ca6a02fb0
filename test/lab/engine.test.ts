/**
 * The socket engine through agent, origin and workers, against the real kernel: exact counts in labs of their own.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Measurement } from '../../src/agent/protocol.js';
import { STRATEGY_NAMES, type StrategyName } from '../../src/domain/strategy.js';
import type { Destinations, LoadPlan } from '../../src/plan/plan.js';
import { type LabArm, labArm, measure, measureWithin, tenAddresses } from '../support/lab.js';

type Fill = Extract<LoadPlan['arrival'], { shape: 'fill' }>;
const fill = (more: Partial<Fill>): Fill => ({
  shape: 'fill',
  attempts: null,
  failures: null,
  inFlight: 32,
  waves: 1,
  pauseMs: 0,
  ...more,
});
const constant = (rate: number, durationMs: number) => ({ shape: 'constant', rate, durationMs }) as const;
const ports = (count: number, low = 40000) => ({ 'net.ipv4.ip_local_port_range': `${low} ${low + count - 1}` });
const destinations = (count: number): Destinations => ({ kind: 'lab', addresses: 1, ports: count });
const run = (arm: LabArm) => measure(labArm(arm));

function holdAll(strategy: StrategyName, P: number, S: number, D: number, attempts: number): Promise<Measurement> {
  return run({
    load: { strategy, arrival: fill({ attempts }), holdMs: null },
    addresses: tenAddresses(S),
    destinations: destinations(D),
    sysctls: ports(P),
  });
}

describe('P ports, S addresses, D destinations: what can be open at once', { concurrency: true }, () => {
  for (const S of [1, 2]) {
    for (const D of [1, 4]) {
      test(`bind takes P·S whatever D: S=${S} D=${D}`, async () => {
        const { outcomes, capacity } = await holdAll('bind', 200, S, D, 600 * S);
        assert.deepEqual(outcomes, { ok: 200 * S, 'bind:EADDRINUSE': 400 * S });
        assert.equal(capacity.openAtFirstFailure, 200 * S);
      });
    }
    test(`bind-no-port takes P·S·D: S=${S} D=1`, async () => {
      const { outcomes, capacity } = await holdAll('bind-no-port', 200, S, 1, 600 * S);
      assert.deepEqual(outcomes, { ok: 200 * S, 'connect:EADDRNOTAVAIL': 400 * S });
      assert.equal(capacity.openAtFirstFailure, 200 * S);
    });
    test(`bind-no-port takes P·S·D: S=${S} D=4`, async () => {
      const { outcomes, capacity } = await holdAll('bind-no-port', 200, S, 4, 600 * S);
      assert.deepEqual(outcomes, { ok: 600 * S });
      assert.deepEqual(capacity, {
        tuples: 600 * S,
        peakOpen: 600 * S,
        openAtFirstFailure: null,
        okBeforeFirstFailure: null,
      });
    });
  }

  test('a fill ends at the failures that it was told', async () => {
    const { outcomes } = await run({
      load: { strategy: 'bind', arrival: fill({ failures: 7, inFlight: 1 }), holdMs: null },
      sysctls: ports(50),
    });
    assert.deepEqual(outcomes, { ok: 50, 'bind:EADDRINUSE': 7 });
  });

  test('a fill without failures ends in good order when its time is over', async () => {
    const arrival = fill({ failures: 1, withinMs: 300, inFlight: 8 });
    const { outcomes, attempts, problems } = await run({
      load: { strategy: 'bind', arrival, close: 'reset', holdMs: 0 },
      sysctls: ports(50),
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(outcomes, { ok: attempts });
    assert.ok(attempts > 100, `${attempts} attempts in 300 ms`);
  });

  test('several workers share one schedule and one capacity', async () => {
    const arm = labArm({
      load: { strategy: 'bind', workers: 3, arrival: constant(3000, 200) },
      addresses: tenAddresses(2),
      sysctls: ports(100),
    });
    const { outcomes, attempts } = await measure(arm);
    assert.equal(attempts, 600);
    assert.deepEqual(outcomes, { ok: 200, 'bind:EADDRINUSE': 400 });
  });

  test('a listen-only origin holds more connections than it has accepted', async () => {
    const measurement = await run({
      load: { strategy: 'bind', arrival: fill({ attempts: 5000 }), holdMs: null, sink: 'listen-only' },
      sysctls: ports(10_000, 20_000),
    });
    assert.deepEqual(measurement.outcomes, { ok: 5000 });
    assert.equal(measurement.origin?.accepted, 0);
    assert.deepEqual(measurement.ports.finalStates, { ESTABLISHED: 5000 });
    assert.deepEqual(measurement.problems, []);
  });

  test('the ports in use of each address are the kernel’s own count', async () => {
    const { ports: seen } = await run({
      load: { strategy: 'bind', arrival: fill({ attempts: 70, inFlight: 1 }), holdMs: null },
      addresses: tenAddresses(3),
      sysctls: ports(100),
    });
    assert.deepEqual(seen.peakPerAddress, [24, 23, 23]);
    assert.equal(seen.peak, 70);
    assert.deepEqual([seen.low, seen.high], [40000, 40099]);
  });

  test('a reserved port is not handed out', async () => {
    const { outcomes, ports: seen } = await run({
      load: { strategy: 'bind', arrival: fill({ attempts: 200 }), holdMs: null },
      sysctls: { ...ports(100), 'net.ipv4.ip_local_reserved_ports': '40000-40009,50000' },
    });
    assert.deepEqual(outcomes, { ok: 90, 'bind:EADDRINUSE': 110 });
    assert.equal(seen.reserved, 10);
  });
});

describe('the life of a connection', { concurrency: true }, () => {
  const churn = (load: Partial<LoadPlan>) =>
    run({ load: { strategy: 'bind', arrival: constant(1000, 200), ...load }, sysctls: ports(1000) });

  test('close: client leaves the client in TIME_WAIT, and the ports taken', async () => {
    const { ports: seen, outcomes, capacity } = await churn({ close: 'client' });
    assert.equal(capacity.tuples, 200);
    assert.deepEqual(outcomes, { ok: 200 });
    assert.deepEqual(seen.finalStates, { TIME_WAIT: 200 });
    assert.equal(seen.peak, 200);
  });

  test('close: server leaves the client nothing', async () => {
    const { ports: seen, outcomes } = await churn({ close: 'server' });
    assert.deepEqual(outcomes, { ok: 200 });
    assert.equal(seen.finalStates?.TIME_WAIT, undefined);
  });

  test('close: reset leaves nobody anything', async () => {
    const { ports: seen, outcomes } = await churn({ close: 'reset' });
    assert.deepEqual(outcomes, { ok: 200 });
    assert.deepEqual(seen.finalStates, {});
  });

  test('a hold keeps connections open for its time', async () => {
    const { capacity, ports: seen } = await churn({ arrival: constant(1000, 400), holdMs: 50 });
    assert.ok(capacity.peakOpen >= 40 && capacity.peakOpen <= 300, `${capacity.peakOpen} open at once`);
    assert.ok((seen.finalStates?.ESTABLISHED ?? 0) <= 300);
  });

  for (const close of ['client', 'server', 'reset'] as const) {
    test(`an exchange is part of the attempt: close ${close}`, async () => {
      const { outcomes, latency } = await churn({ close, exchange: { request: 300, response: 100_000 } });
      assert.deepEqual(outcomes, { ok: 200 });
      assert.equal(latency.total?.count, 200);
    });
  }

  test('keeping so many open: hold', async () => {
    const { capacity, outcomes, attempts } = await churn({
      arrival: { shape: 'hold', connections: 40, durationMs: 300 },
      holdMs: 50,
    });
    assert.equal(capacity.peakOpen, 40);
    assert.equal(outcomes.ok, attempts);
    assert.ok(attempts > 40 && attempts <= 320, `${attempts} attempts`);
  });

  test('waves: what comes back after a pause', async () => {
    const { waves } = await run({
      load: { strategy: 'bind', arrival: fill({ attempts: 150, waves: 2, pauseMs: 100 }), holdMs: 0 },
      sysctls: ports(100),
    });
    assert.deepEqual(
      waves.map(({ outcomes }) => outcomes),
      [{ ok: 100, 'bind:EADDRINUSE': 50 }, { 'bind:EADDRINUSE': 150 }],
    );
  });

  test('waves of several workers end together', async () => {
    const { waves } = await run({
      load: {
        strategy: 'bind',
        workers: 3,
        arrival: fill({ attempts: 90, waves: 3, pauseMs: 20 }),
        close: 'reset',
        holdMs: null,
      },
      sysctls: ports(100),
    });
    assert.deepEqual(
      waves.map(({ attempts, outcomes }) => [attempts, outcomes]),
      [1, 2, 3].map(() => [90, { ok: 90 }]),
    );
  });
});

describe('arrivals', { concurrency: true }, () => {
  const attemptsOf = async (arrival: LoadPlan['arrival'], workers = 1) =>
    (await run({ load: { strategy: 'bind-no-port', arrival, workers }, sysctls: ports(20_000, 20_000) })).attempts;

  test('ramp', async () =>
    assert.equal(await attemptsOf({ shape: 'ramp', from: 100, to: 2000, durationMs: 400 }), 420));
  test('steps', async () =>
    assert.equal(await attemptsOf({ shape: 'steps', rates: [500, 2000, 1000], eachMs: 100 }), 350));
  test('steps over workers', async () =>
    assert.equal(await attemptsOf({ shape: 'steps', rates: [500, 2000, 1000], eachMs: 100 }, 2), 350));
  test('poisson is the same for the same seed', async () => {
    const arrival = { shape: 'poisson', rate: 2000, durationMs: 200 } as const;
    const [a, b] = [await attemptsOf(arrival), await attemptsOf(arrival)];
    assert.equal(a, b);
    assert.ok(Math.abs(a - 400) < 100, `${a} attempts`);
  });
});

describe('what cannot be', { concurrency: true }, () => {
  test('attempts beyond maxInFlight are shed, and counted', async () => {
    const { outcomes, problems, warnings } = await run({
      load: { strategy: 'bind', arrival: constant(1000, 200), holdMs: null, maxInFlight: 50, lagBudgetMs: 60_000 },
      sysctls: ports(1000),
    });
    assert.deepEqual(outcomes, { ok: 50, shed: 150 });
    assert.deepEqual(problems, []);
    assert.match(warnings.join(), /150 of 200 attempts were shed/);
  });

  test('a full accept queue is a timeout of ours, and a problem of the run', async () => {
    // Both roles in one namespace, so that the profile's somaxconn is the origin's.
    const arm = labArm({
      load: { strategy: 'bind', arrival: constant(100, 200), holdMs: null, sink: 'listen-only', timeoutMs: 300 },
      sysctls: { ...ports(1000), 'net.core.somaxconn': '4' },
    });
    const { outcomes } = await measure(arm, { network: 'shared' });
    assert.deepEqual(outcomes, { ok: 5, 'timeout:ETIMEDOUT': 15 });
  });

  test('no route to the target', async () => {
    const arm = labArm({
      load: { strategy: 'connect', arrival: constant(100, 50) },
      destinations: { kind: 'external', targets: [{ address: '198.19.0.1', port: 9000 }] },
    });
    assert.deepEqual((await measure(arm, { network: 'external' })).outcomes, { 'connect:ENETUNREACH': 5 });
  });

  test('a sysctl that the kernel refuses ends the run with its name', async () => {
    await assert.rejects(
      run({ load: { arrival: constant(100, 50) }, sysctls: { 'net.ipv4.tcp_tw_reuse': '7' } }),
      /the kernel refused net\.ipv4\.tcp_tw_reuse = 7 \(EINVAL\)/,
    );
  });

  test('tcp_max_tw_buckets hides the limit, and the run says so', async () => {
    const { outcomes, warnings } = await run({
      load: { strategy: 'bind', arrival: constant(2000, 200) },
      sysctls: { ...ports(100), 'net.ipv4.tcp_max_tw_buckets': '10' },
    });
    assert.deepEqual(outcomes, { ok: 400 });
    assert.match(warnings.join(), /closed without TIME_WAIT because tcp_max_tw_buckets was full/);
  });
});

describe('IPv6', { concurrency: true }, () => {
  const addresses = ['fd00:50::1', 'fd00:50::2'];
  for (const strategy of STRATEGY_NAMES) {
    test(`every strategy works: ${strategy}`, async () => {
      const { outcomes } = await run({
        load: { strategy, arrival: fill({ attempts: 1000 }), holdMs: null },
        addresses,
        destinations: destinations(2),
        sysctls: ports(100),
      });
      const tuples: Partial<Record<StrategyName, number>> = {
        connect: 200,
        'bind-any': 100,
        'bind-any-reuseaddr': 100,
      };
      const late = /no-port|local-port-range|^bind-explicit-port(-reuseport)?$/.test(strategy);
      assert.equal(outcomes.ok, tuples[strategy] ?? (late ? 400 : 200));
      assert.equal(Object.keys(outcomes).length, 2);
    });
  }

  test('ports in use are counted per address', async () => {
    const { ports: seen } = await run({
      load: { strategy: 'bind', arrival: constant(1000, 50) },
      addresses,
      sysctls: ports(100),
    });
    assert.deepEqual(seen.peakPerAddress, [25, 25]);
  });
});

describe('what a run records', { concurrency: true }, () => {
  test('the timeline adds up to the run', async () => {
    const arm = labArm({ load: { strategy: 'bind', arrival: constant(2000, 500) }, sysctls: ports(300) });
    const { timeline, outcomes, attempts, counters, sysctls, latency, loadMs } = await measure(arm, { sampleMs: 100 });
    const most = loadMs / 100 + 3;
    assert.ok(timeline.length >= 2 && timeline.length <= most, `${timeline.length} samples in ${loadMs} ms`);
    const sum = (of: (second: (typeof timeline)[number]) => number) => timeline.map(of).reduce((a, b) => a + b, 0);
    assert.equal(
      sum((second) => second.attempts),
      attempts,
    );
    assert.equal(
      sum((second) => second.outcomes.ok ?? 0),
      300,
    );
    assert.equal(
      sum((second) => second.outcomes['bind:EADDRINUSE'] ?? 0),
      outcomes['bind:EADDRINUSE'],
    );
    assert.equal(counters['Tcp.ActiveOpens'], 300);
    assert.equal(counters['sockstat.TCP.tw'], 300);
    assert.equal(sysctls['net.ipv4.ip_local_port_range'], '40000 40299');
    assert.equal(latency.bind?.count, 300);
    assert.equal(latency.failed?.count, 700);
    assert.equal(latency.lag?.count, 1000);
    assert.equal(timeline.at(-1)?.portsInUse, 300);
  });

  test('the total is the lag of the generator and what the attempt itself took', async () => {
    const { latency, outcomes } = await run({
      load: { strategy: 'bind', arrival: constant(1000, 200) },
      sysctls: ports(300),
    });
    assert.deepEqual(outcomes, { ok: 200 });
    const { total, lag, service } = latency;
    assert.deepEqual([total?.count, lag?.count, service?.count], [200, 200, 200]);
    // Each is rounded to a microsecond, and kept to three digits.
    const [whole, parts] = [total!.mean, lag!.mean + service!.mean];
    assert.ok(Math.abs(whole - parts) <= 2 + 0.003 * whole, `${whole}, and not ${parts}`);
  });

  test('the sysctls of the client are not those of the origin', async () => {
    // With timestamps off on both sides of one namespace this would be no different; the counter is the client's alone.
    const { sysctls, outcomes } = await run({
      load: { strategy: 'bind', arrival: constant(100, 50) },
      sysctls: { ...ports(100), 'net.core.somaxconn': '1', 'net.ipv4.tcp_syncookies': '0' },
    });
    assert.equal(sysctls['net.core.somaxconn'], '1');
    assert.deepEqual(outcomes, { ok: 5 });
  });
});

describe('more connections than one table of descriptors has room for', () => {
  const DESCRIPTORS = 600;
  const CONNECTIONS = 1200;
  const held = (workers: number, more: Partial<LoadPlan> = {}) =>
    measureWithin(
      DESCRIPTORS,
      labArm({
        load: { workers, strategy: 'bind-no-port', arrival: fill({ attempts: CONNECTIONS }), holdMs: null, ...more },
        addresses: tenAddresses(4),
        sysctls: ports(1000),
      }),
    );

  for (const [what, more] of Object.entries({
    'accepted and held': {},
    'that ask and are answered': { exchange: { request: 10, response: 10 } },
    'in the accept queue': { sink: 'listen-only' },
  } satisfies Record<string, Partial<LoadPlan>>)) {
    test(`are held by several workers, each with a table of its own: ${what}`, async () => {
      const { outcomes, capacity, ports } = await held(3, more);
      assert.deepEqual(outcomes, { ok: CONNECTIONS });
      assert.equal(capacity.peakOpen, CONNECTIONS);
      assert.deepEqual(ports.peakPerAddress, [300, 300, 300, 300]);
    });
  }

  test('cannot be held by one', async () => {
    const { outcomes, problems } = await held(1);
    assert.ok(outcomes.shed! > 0 && outcomes.ok! < DESCRIPTORS);
    assert.ok(problems.length > 0);
  });
});
