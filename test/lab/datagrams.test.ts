/**
 * The datagram engine in real labs: what is refused, whose answer reaches whom, and what UDP sockets and others take from each other.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { describe, it } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { SocketOption, StrategyName } from '../../src/domain/strategy.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, LoadPlan, Neighbour } from '../../src/plan/plan.js';
import { labArm, measure, tenAddresses } from '../support/lab.js';

const P = 20;
const EXCHANGE = { request: 64, response: 64 };

/** 30 attempts that are held, on 20 ports. */
function udp(load: Partial<LoadPlan> = {}, addresses = tenAddresses(1), ports = P): Arm {
  return labArm({
    addresses,
    sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + ports - 1}` },
    load: {
      protocol: 'udp',
      strategy: 'connect',
      peer: 'connect',
      exchange: EXCHANGE,
      holdMs: null,
      timeoutMs: 30_000,
      arrival: { shape: 'fill', attempts: 30, failures: null, inFlight: 8, waves: 1, pauseMs: 0 },
      ...load,
    },
  });
}

describe('a datagram and its answer', { concurrency: true }, () => {
  for (const [strategy, peer, refused] of [
    ['connect', 'connect', 'connect:EAGAIN'],
    ['sendto', 'sendto', 'sendto:EAGAIN'],
    ['bind', 'connect', 'bind:EADDRINUSE'],
    ['bind', 'sendto', 'bind:EADDRINUSE'],
    ['bind-any', 'sendto', 'bind:EADDRINUSE'],
    ['bind-no-port', 'connect', 'connect:EAGAIN'],
    ['bind-no-port', 'sendto', 'sendto:EAGAIN'],
  ] as const)
    it(`${strategy}, ${peer}: P sockets, then ${refused}, as predicted`, async () => {
      const arm = udp({ strategy, peer });
      const run = await measure(arm);
      assert.deepEqual(run.problems, []);
      assert.deepEqual(run.outcomes, { ok: P, [refused]: 10 });
      const { prediction, determinism } = predictArm(arm, parseKernelVersion(release()), {});
      assert.equal(prediction.concurrent, P);
      assert.equal(prediction.fails, refused);
      assert.equal(determinism({ lab: 'netns' }).deterministic, true);
      assert.equal(run.capacity.tuples, P);
      assert.equal(run.capacity.openAtFirstFailure, P);
      assert.equal(run.ports.peak, P);
      assert.equal(run.ports.taken, P);
      assert.equal(run.origin?.accepted, P);
      assert.ok(run.latency.response!.p50 > 0);
    });

  it('IPv6, two addresses', async () => {
    const arm = udp({ strategy: 'bind', arrival: fill(50) }, ['fd00:50::1', 'fd00:50::2']);
    assert.deepEqual((await measure(arm)).outcomes, { ok: 2 * P, 'bind:EADDRINUSE': 10 });
  });

  it('a port is free as soon as its socket is closed: 2,000 of them on 20 ports, and no TIME_WAIT', async () => {
    const run = await measure(udp({ holdMs: 0, arrival: fill(2000) }));
    assert.deepEqual(run.outcomes, { ok: 2000 });
    assert.deepEqual(run.ports.finalStates, {});
    assert.equal(run.ports.taken, 2000);
  });

  it('what was sent is what comes, up to the largest datagram', async () => {
    const run = await measure(udp({ exchange: { request: 65_507, response: 60_000 }, arrival: fill(5, 1) }));
    assert.deepEqual(run.outcomes, { ok: 5 });
  });

  it('an answer after the timeout is none', async () => {
    const run = await measure(udp({ timeoutMs: 100, answerAfterMs: 60_000, arrival: fill(5) }));
    assert.deepEqual(run.outcomes, { 'answer:none': 5 });
  });

  it('several workers, each with its own answers', async () => {
    const run = await measure(udp({ workers: 2, holdMs: 0, arrival: fill(1000, 8) }));
    assert.deepEqual(run.outcomes, { ok: 1000 });
  });

  it('at a rate, none late', async () => {
    const load = { holdMs: 0, arrival: { shape: 'constant', rate: 500, durationMs: 400 } } as const;
    assert.deepEqual((await measure(udp(load, tenAddresses(1), 1000))).outcomes, { ok: 200 });
  });
});

describe('sockets that share ports: of those with one port one gets the answers of all', { concurrency: true }, () => {
  // The answers come when all have asked, also on a busy machine.
  const late = { answerAfterMs: 10_000, timeoutMs: 60_000, arrival: fill(20, 20) };
  const both: readonly (readonly SocketOption[])[] = [['SO_REUSEADDR'], ['SO_REUSEPORT']];
  for (const options of both)
    for (const [strategy, peer] of [
      ['bind', 'connect'],
      ['bind', 'sendto'],
      ['connect', 'connect'],
    ] as const)
      it(`${strategy}, ${peer}, ${options.join('+')}: 2 of 20 on two ports`, async () => {
        const run = await measure(udp({ ...late, strategy, peer, socketOptions: [...options] }, tenAddresses(1), 2));
        assert.deepEqual(run.outcomes, { ok: 2, 'answer:stolen': 18 });
      });

  it('the model promises no counts of answers', () => {
    const arm = udp({ ...late, strategy: 'bind', socketOptions: ['SO_REUSEADDR'] });
    const { prediction, determinism } = predictArm(arm, parseKernelVersion(release()), {});
    assert.equal(prediction.unbounded, true);
    assert.match(determinism({ lab: 'netns' }).why, /share ports/);
  });
});

describe('one socket for all', { concurrency: true }, () => {
  for (const strategy of ['sendto', 'bind'] as const)
    it(`${strategy}: one port for 500 at once`, async () => {
      const run = await measure(
        udp({ strategy, peer: 'sendto', sockets: 'one', arrival: fill(500, 64) }, tenAddresses(1), 1),
      );
      assert.deepEqual(run.outcomes, { ok: 500 });
      assert.equal(run.ports.peak, 1);
      assert.equal(run.ports.taken, 1);
      assert.equal(run.capacity.peakOpen, 500);
    });

  it('of each of two addresses, which two workers have in turn', async () => {
    const load = { strategy: 'bind', peer: 'sendto', sockets: 'one', workers: 2, arrival: fill(400, 32) } as const;
    const run = await measure(udp(load, tenAddresses(2)));
    assert.deepEqual(run.outcomes, { ok: 400 });
    assert.equal(run.ports.peak, 2);
    assert.equal(run.ports.taken, 2);
  });
});

/** Attempts of a neighbour: fewer than there are ports. */
const N = 15;

function fill(attempts: number, inFlight = 16): LoadPlan['arrival'] {
  return { shape: 'fill', attempts, failures: null, inFlight, waves: 1, pauseMs: 0 };
}

function now(attempts: number): LoadPlan['arrival'] {
  return { shape: 'constant', rate: attempts * 10, durationMs: 100 };
}

/** Another program, once the load holds what it holds. */
function beside(name: string, load: Partial<LoadPlan>, afterMs: number | null = null): Neighbour {
  return {
    name,
    where: 'beside',
    addresses: [],
    afterMs,
    load: { ...udp().load, arrival: now(N), holdMs: 0, exchange: EXCHANGE, ...load },
  };
}

/** Each way of UDP, and a TCP connection. */
function others(): Neighbour[] {
  const way = (strategy: StrategyName, peer: LoadPlan['peer']) => beside(strategy, { strategy, peer });
  return [
    way('bind', 'connect'),
    way('bind-any', 'sendto'),
    way('connect', 'connect'),
    way('sendto', 'sendto'),
    { ...beside('tcp', {}), load: { ...LOAD, arrival: now(N), strategy: 'bind' } },
  ];
}

describe('who takes ports from whom', { concurrency: true }, () => {
  const refused = {
    bind: { 'bind:EADDRINUSE': N },
    'bind-any': { 'bind:EADDRINUSE': N },
    connect: { 'connect:EAGAIN': N },
    sendto: { 'sendto:EAGAIN': N },
    tcp: { ok: N },
  };
  for (const [strategy, peer, free] of [
    // All ports of one address: another has its own.
    ['bind', 'connect', ['bind']],
    // It has an address once it is connected.
    ['connect', 'connect', ['bind']],
    ['sendto', 'sendto', []],
    ['bind-any', 'sendto', []],
  ] as const)
    it(`${strategy}, ${peer}`, async () => {
      const run = await measure(udp({ strategy, peer }), { neighbours: others() });
      const found = Object.fromEntries(run.neighbours!.map(({ name, outcomes }) => [name, outcomes]));
      assert.deepEqual(found, { ...refused, ...Object.fromEntries(free.map((name) => [name, { ok: N }])) });
    });

  it('TCP takes none from UDP', async () => {
    const arm = labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40019' },
      load: { strategy: 'bind', holdMs: null, arrival: fill(30) },
    });
    const run = await measure(arm, { neighbours: others().slice(2, 3) });
    assert.deepEqual(run.outcomes, { ok: P, 'bind:EADDRINUSE': 10 });
    for (const { name, outcomes } of run.neighbours!) assert.deepEqual(outcomes, { ok: N }, name);
  });
});
