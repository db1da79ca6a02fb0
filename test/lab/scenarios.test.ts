// needs: squid, haproxy
/**
 * Several loads of one program: exact counts for each and together, on tiny ranges.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, LoadPlan, Scenario } from '../../src/plan/plan.js';
import type { ProxySettings } from '../../src/subjects/index.js';
import { labArm, measure, tenAddresses } from '../support/lab.js';
import { HAPROXY, SQUID } from '../support/proxies.js';

const P = 50;
const own = (ports: number) => ({ kind: 'lab', addresses: 1, ports }) as const;

/** As many attempts as are due within half a second. */
function paced(attempts: number): Pick<LoadPlan, 'arrival'> {
  return { arrival: { shape: 'constant', rate: attempts * 2, durationMs: 500 } };
}

function plan(load: Partial<LoadPlan> & Pick<LoadPlan, 'arrival'>): LoadPlan {
  return { ...LOAD, pick: 'round-robin', timeoutMs: 30_000, lagBudgetMs: 60_000, ...load };
}

function arm(load: LoadPlan, scenarios: Scenario[], more: Partial<Arm> = {}, proxy?: ProxySettings): Arm {
  return {
    ...labArm({ load, sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + P - 1}` } }),
    scenarios,
    ...more,
    ...(proxy ? { proxy } : {}),
  };
}

async function run(of: Arm) {
  const measured = await measure(of);
  assert.deepEqual(measured.problems, []);
  const parts = measured.scenarios!;
  assert.equal(
    parts.reduce((sum, { attempts }) => sum + attempts, 0),
    measured.attempts,
  );
  for (const outcome of Object.keys(measured.outcomes))
    assert.equal(
      parts.reduce((sum, { outcomes }) => sum + (outcomes[outcome] ?? 0), 0),
      measured.outcomes[outcome],
    );
  return {
    measured,
    all: measured.outcomes,
    each: Object.fromEntries(parts.map(({ name, outcomes }) => [name, outcomes])),
  };
}

describe("several loads of the harness's own sockets", { concurrency: true }, () => {
  it('bind: all loads together have P, wherever they go', async () => {
    const bind = plan({ strategy: 'bind', ...paced(40) });
    for (const destinations of [undefined, own(3)]) {
      const bulk = { name: 'bulk', load: bind, ...(destinations ? { destinations } : {}) };
      const { all, measured } = await run(arm(bind, [bulk]));
      assert.deepEqual(all, { ok: P, 'bind:EADDRINUSE': 80 - P });
      assert.equal(measured.capacity.tuples, P);
      assert.equal(measured.waves.length, 1);
      assert.equal(measured.origin?.accepted, P);
    }
  });

  it('connect: one with hosts of its own has ports of its own', async () => {
    const connect = (attempts: number) => plan({ strategy: 'connect', ...paced(attempts) });
    const { all, each } = await run(
      arm(connect(60), [
        { name: 'bulk', load: connect(40), destinations: own(1) },
        { name: 'batch', load: connect(110), destinations: own(2) },
      ]),
    );
    assert.deepEqual(each, {
      load: { ok: P, 'connect:EADDRNOTAVAIL': 10 },
      bulk: { ok: 40 },
      batch: { ok: 2 * P, 'connect:EADDRNOTAVAIL': 10 },
    });
    assert.deepEqual(all, { ok: 190, 'connect:EADDRNOTAVAIL': 20 });
  });

  it('connect: those that go to the same hosts share them', async () => {
    const connect = plan({ strategy: 'connect', ...paced(40) });
    const { all } = await run(arm(connect, [{ name: 'bulk', load: connect }]));
    assert.deepEqual(all, { ok: P, 'connect:EADDRNOTAVAIL': 80 - P });
  });

  it('two engines, several workers, one fill beside paced arrivals, IPv6', async () => {
    const http = plan({
      strategy: 'bind',
      engine: 'http',
      protocol: 'get',
      keepAlive: true,
      arrival: { shape: 'fill', attempts: 30, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
    });
    const bulk = { name: 'bulk', load: plan({ strategy: 'bind', workers: 2, ...paced(20) }), destinations: own(2) };
    const { each, measured } = await run(arm(http, [bulk], { addresses: ['fd00:50::1'] }));
    assert.deepEqual(each, { load: { ok: 30 }, bulk: { ok: 20 } });
    assert.equal(measured.origin?.accepted, 1 + 20);
    assert.equal(measured.latency.total?.count, 50);
    assert.deepEqual(
      measured.scenarios?.map(({ latency }) => latency.total?.count),
      [30, 20],
    );
  });

  it('failures that end the fill of one are its own', async () => {
    const fill = plan({
      strategy: 'connect',
      workers: 1,
      arrival: { shape: 'fill', attempts: null, failures: 5, inFlight: 1, waves: 1, pauseMs: 0 },
    });
    const failing = plan({ strategy: 'connect', timeoutMs: 20, sink: 'listen-only', exchange: null, ...paced(70) });
    const { each } = await run(arm(fill, [{ name: 'failing', load: failing, destinations: own(1) }]));
    assert.deepEqual(each, {
      load: { ok: P, 'connect:EADDRNOTAVAIL': 5 },
      failing: { ok: P, 'connect:EADDRNOTAVAIL': 20 },
    });
  });
});

describe('several loads through a proxy', { concurrency: true }, () => {
  const held = { holdMs: null, ...paced(40) };

  it('Squid 5: tunnels to two groups of hosts have P for each address together', async () => {
    const connect = plan({ protocol: 'connect', ...held });
    const { all, measured } = await run(
      arm(connect, [{ name: 'bulk', load: connect, destinations: own(2) }], {}, SQUID),
    );
    assert.deepEqual(all, { ok: P, 'http:503 ERR_CONNECT_FAIL': 80 - P });
    assert.equal(measured.ports.peak, P);
  });

  it('Squid: CONNECT and GET side by side', async () => {
    const connect = plan({ protocol: 'connect', exchange: { request: 10, response: 10 }, ...paced(20) });
    const get = plan({ protocol: 'get', body: 100, ...paced(10) });
    const { each } = await run(arm(connect, [{ name: 'pages', load: get, destinations: own(1) }], {}, SQUID));
    assert.deepEqual(each, { load: { ok: 20 }, pages: { ok: 10 } });
  });

  it('HAProxy: a listener for each destination of each load', async () => {
    const tcp = plan({ protocol: 'tcp', exchange: { request: 1, response: 1 }, ...held });
    const { each, measured } = await run(
      arm(
        tcp,
        [{ name: 'bulk', load: plan({ ...tcp, ...paced(60) }), destinations: own(1) }],
        { addresses: tenAddresses(1) },
        HAPROXY,
      ),
    );
    assert.deepEqual(each.load, { ok: 40 });
    assert.equal(each.bulk?.ok, P);
    assert.equal(measured.ports.finalStates?.ESTABLISHED, 40 + P);
  });
});
