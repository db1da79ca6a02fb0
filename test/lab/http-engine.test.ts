/**
 * The HTTP engine against the real kernel, straight to the lab's own origin: the counts of the strategies are those of the socket
 * engine, to the exact connection.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StrategyName } from '../../src/domain/strategy.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';

const P = 50;
const PORTS = { 'net.ipv4.ip_local_port_range': `40000 ${40000 + P - 1}` };

function run(load: Partial<LoadPlan>, arm: Partial<LabArm> = {}) {
  return measure(
    labArm({
      sysctls: PORTS,
      ...arm,
      load: {
        engine: 'http',
        protocol: 'get',
        timeoutMs: 20_000,
        lagBudgetMs: 60_000,
        arrival: { shape: 'constant', rate: 300, durationMs: 500 },
        ...load,
      },
    }),
  );
}

const fill = (attempts: number, inFlight = 8) =>
  ({ shape: 'fill', attempts, failures: null, inFlight, waves: 1, pauseMs: 0 }) as const;

describe('the HTTP engine: what is left in TIME_WAIT takes ports as with the socket engine', {
  concurrency: true,
}, () => {
  const cases: readonly [StrategyName, addresses: number, destinations: number, room: number, failure: string][] = [
    ['bind', 1, 1, P, 'bind:EADDRINUSE'],
    ['bind', 2, 2, 2 * P, 'bind:EADDRINUSE'],
    ['bind-reuseaddr', 1, 1, P, 'bind:EADDRINUSE'],
    ['bind-no-port', 1, 1, P, 'connect:EADDRNOTAVAIL'],
    ['bind-no-port', 1, 2, 2 * P, 'connect:EADDRNOTAVAIL'],
    ['connect', 1, 1, P, 'connect:EADDRNOTAVAIL'],
    ['connect', 1, 2, 2 * P, 'connect:EADDRNOTAVAIL'],
  ];
  for (const [strategy, addresses, ports, room, failure] of cases) {
    it(`${strategy}, ${addresses} addresses, ${ports} destinations: ${room}`, async () => {
      const {
        outcomes,
        ports: seen,
        problems,
      } = await run(
        { strategy },
        { addresses: tenAddresses(addresses), destinations: { kind: 'lab', addresses: 1, ports } },
      );
      assert.deepEqual(outcomes, { ok: room, [failure]: 150 - room });
      assert.deepEqual(seen.finalStates, { TIME_WAIT: room });
      assert.deepEqual(problems, []);
    });
  }
});

describe('the HTTP engine: connections', { concurrency: true }, () => {
  it('keepAlive: one after the other, all requests share a connection', async () => {
    const run1 = await run({ strategy: 'bind', keepAlive: true, arrival: fill(500, 1), body: 5000 });
    assert.deepEqual(run1.outcomes, { ok: 500 });
    assert.equal(run1.origin?.accepted, 1);
    assert.equal(run1.capacity.peakOpen, 1);
    assert.equal(run1.latency.response?.count, 500);
    assert.equal(run1.latency.connect?.count, 1);
  });

  it('keepAlive: side by side, no more connections than requests under way', async () => {
    const kept = await run({ strategy: 'bind', keepAlive: true, arrival: fill(500, 8) });
    assert.deepEqual(kept.outcomes, { ok: 500 });
    assert.equal(kept.origin?.accepted, 8);
    assert.equal(kept.capacity.peakOpen, 8);
  });

  it('keepAlive of a share: four requests of five on one connection, each of the others on its own', async () => {
    const plan = { strategy: 'bind', keepAlive: 0.8 } as const;
    const within = await run({ ...plan, arrival: fill(200, 1) });
    assert.deepEqual(within.outcomes, { ok: 200 });
    assert.equal(within.origin?.accepted, 40 + 1);
    const beyond = await run({ ...plan, arrival: fill(500, 1) });
    assert.deepEqual(beyond.outcomes, { ok: 400 + P - 1, 'bind:EADDRINUSE': 100 - P + 1 });
    assert.equal(beyond.origin?.accepted, P);
  });

  it('keepAliveRequests: so many requests a connection', async () => {
    const all = await run({ strategy: 'bind', keepAlive: true, keepAliveRequests: 10, arrival: fill(200, 1) });
    assert.deepEqual(all.outcomes, { ok: 200 });
    assert.equal(all.origin?.accepted, 20);
    assert.deepEqual(all.ports.finalStates, { TIME_WAIT: 20 });
    const some = await run({ strategy: 'bind', keepAlive: 0.8, keepAliveRequests: 40, arrival: fill(200, 1) });
    assert.deepEqual(some.outcomes, { ok: 200 });
    assert.equal(some.origin?.accepted, 40 + 160 / 40);
  });

  it('an origin that closes first leaves the client nothing, and a kept connection is not kept', async () => {
    for (const keepAlive of [false, true]) {
      const { outcomes, origin, ports } = await run({
        strategy: 'bind',
        close: 'server',
        keepAlive,
        arrival: fill(150),
      });
      assert.deepEqual(outcomes, { ok: 150 });
      assert.equal(origin?.accepted, 150);
      assert.equal(ports.finalStates?.TIME_WAIT, undefined);
    }
  });

  it('close: reset leaves nobody anything', async () => {
    const { outcomes, ports } = await run({ strategy: 'bind', close: 'reset', arrival: fill(150) });
    assert.deepEqual(outcomes, { ok: 150 });
    assert.deepEqual(ports.finalStates, {});
  });

  it('a slow answer holds a port for as long', async () => {
    const { outcomes, latency } = await run({ strategy: 'bind', holdMs: 1500, arrival: fill(60, 60) });
    assert.deepEqual(outcomes, { ok: P, 'bind:EADDRINUSE': 10 });
    assert.ok(latency.response!.min > 1_400_000);
  });

  it('two workers, two waves', async () => {
    const { waves } = await run({
      strategy: 'bind',
      workers: 2,
      close: 'reset',
      arrival: { ...fill(40), waves: 2, pauseMs: 50 },
    });
    assert.deepEqual(
      waves.map(({ attempts, outcomes }) => [attempts, outcomes]),
      [1, 2].map(() => [40, { ok: 40 }]),
    );
  });

  it('TLS, IPv4 and IPv6: the origin shows a certificate that holds for its address', async () => {
    for (const addresses of [tenAddresses(1), ['fd00:50::1']]) {
      const secured = await run({ strategy: 'bind', tls: true, body: 20_000 }, { addresses });
      assert.deepEqual(secured.outcomes, { ok: P, 'bind:EADDRINUSE': 100 });
      assert.deepEqual(secured.ports.finalStates, { TIME_WAIT: P });
    }
  });

  it('TLS and keepAlive: one handshake', async () => {
    const { outcomes, origin } = await run({ strategy: 'bind', tls: true, keepAlive: true, arrival: fill(200, 1) });
    assert.deepEqual(outcomes, { ok: 200 });
    assert.equal(origin?.accepted, 1);
  });

  it('an origin that never answers: a timeout each', async () => {
    const { outcomes } = await run({ strategy: 'bind', sink: 'listen-only', timeoutMs: 400, arrival: fill(12, 12) });
    assert.deepEqual(outcomes, { 'timeout:ETIMEDOUT': 12 });
  });

  it('attempts beyond maxInFlight are shed, and counted', async () => {
    const { outcomes } = await run({
      strategy: 'bind',
      holdMs: 3000,
      maxInFlight: 10,
      arrival: { shape: 'constant', rate: 300, durationMs: 100 },
    });
    assert.deepEqual(outcomes, { ok: 10, shed: 20 });
  });
});
