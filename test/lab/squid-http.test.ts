// needs: squid
/**
 * The HTTP engine through a real Squid: its ceilings are those that the socket engine finds, and connections are used again.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Measurement } from '../../src/agent/protocol.js';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import type { SquidSettings } from '../../src/subjects/squid/squid.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';
import { killRole, newMark } from '../support/processes.js';
import { SQUID } from '../support/proxies.js';

const FAIL = 'http:503 ERR_CONNECT_FAIL';
const P = 50;

function squidArm(load: Partial<LoadPlan>, arm: Partial<LabArm> = {}, settings: Partial<SquidSettings> = {}): Arm {
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40000 + P - 1}` },
      ...arm,
      load: {
        engine: 'http',
        protocol: 'connect',
        holdMs: null,
        timeoutMs: 30_000,
        lagBudgetMs: 60_000,
        arrival: fill(P + 10),
        ...load,
      },
    }),
    proxy: { ...SQUID, ...settings },
  };
}

const fill = (attempts: number, inFlight = 8) =>
  ({ shape: 'fill', attempts, failures: null, inFlight, waves: 1, pauseMs: 0 }) as const;

function assertFailures(run: Measurement, count: number): void {
  assert.deepEqual(
    run.proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
    [{ call: 'bind', errno: 'EADDRINUSE', count }],
  );
}

describe('tunnels held open through squid 5 by the HTTP engine', () => {
  for (const [addresses, ports, tls] of [
    [1, 1, false],
    [2, 4, false],
    [1, 1, true],
    [2, 4, true],
  ] as const) {
    it(`P·K: ${P} ports, ${addresses} outgoing, ${ports} destinations${tls ? ', TLS inside' : ''}`, async () => {
      const room = P * addresses;
      const run = await measure(
        squidArm(
          { tls, body: 3000, arrival: fill(room + 10) },
          { addresses: tenAddresses(addresses), destinations: { kind: 'lab', addresses: 1, ports } },
        ),
      );
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: 10 });
      assert.deepEqual(run.problems, []);
      assert.equal(run.capacity.tuples, room);
      assert.deepEqual(run.ports.finalStates, { ESTABLISHED: room });
      assert.deepEqual(run.proxy?.answers, { '503 ERR_CONNECT_FAIL 0': 10 });
      assert.equal(run.latency.response?.count, room);
      assertFailures(run, 10);
    });
  }
});

describe('requests through squid 5 by the HTTP engine', () => {
  const churn = { arrival: { shape: 'constant', rate: 150, durationMs: 600 }, holdMs: 0 } as const;
  const get = { ...churn, protocol: 'get', body: 2000 } as const;

  /** A connection of which the origin was the first to close leaves no TIME_WAIT, so that one more fits. */
  function assertRoom({ outcomes }: Measurement, attempts: number): void {
    const { ok = 0, [FAIL]: failed = 0 } = outcomes;
    assert.equal(ok + failed, attempts, JSON.stringify(outcomes));
    assert.ok(ok >= P && ok <= P + 3, `${ok} were ok`);
  }

  it('a GET takes a port each, whether the client keeps its connections or not', async () => {
    for (const keepAlive of [false, true]) {
      const run = await measure(squidArm({ ...get, keepAlive }));
      assertRoom(run, 90);
      assert.equal(run.proxy?.requests['TCP_MISS/200'], run.outcomes.ok);
      assert.deepEqual(run.problems, []);
    }
  });

  it('kept connections on both sides of the proxy: one port', async () => {
    const run = await measure(squidArm({ ...get, keepAlive: true, arrival: fill(200, 1) }, {}, { persistent: true }));
    assert.deepEqual(run.outcomes, { ok: 200 });
    assert.equal(run.origin?.accepted, 1);
    assert.equal(run.capacity.peakOpen, 1);
    assert.equal(run.ports.peak, 1);
  });

  it('each outgoing address has its own connections', async () => {
    const run = await measure(
      squidArm({ ...get, keepAlive: true, arrival: fill(40, 1) }, { addresses: tenAddresses(4) }, { persistent: true }),
    );
    assert.deepEqual(run.outcomes, { ok: 40 });
    assert.deepEqual(run.ports.peakPerAddress, [1, 1, 1, 1]);
  });

  it('short tunnels leave their TIME_WAIT in the proxy, with TLS or without', async () => {
    for (const tls of [false, true]) {
      const run = await measure(squidArm({ ...churn, tls }));
      assertRoom(run, 90);
      assertFailures(run, run.outcomes[FAIL] ?? 0);
    }
  });

  it('a tunnel that is used again is one port for many requests', async () => {
    const run = await measure(squidArm({ ...churn, tls: true, keepAlive: true, arrival: fill(100, 1) }));
    assert.deepEqual(run.outcomes, { ok: 100 });
    assert.equal(run.ports.peak, 1);
    assert.equal(run.proxy?.requests['TCP_TUNNEL/200'] ?? 0, 0, 'the tunnel is open to the end');
  });
});

describe('the HTTP engine when the origin goes wrong behind squid', () => {
  it('is silent: a timeout each', async () => {
    for (const protocol of ['get', 'connect'] as const) {
      const run = await measure(squidArm({ protocol, sink: 'listen-only', timeoutMs: 700, arrival: fill(10, 10) }));
      assert.deepEqual(run.outcomes, { 'timeout:ETIMEDOUT': 10 });
    }
  });

  it('is killed in the midst of the load: the run ends, and says so', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const run = measure(
      squidArm({ protocol: 'get', holdMs: 0, arrival: { shape: 'constant', rate: 20, durationMs: 20_000 } }),
    );
    const failed = assert.rejects(run, /the origin/);
    await until('some requests', () => mark.processes().some(({ role }) => role === 'proxy'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(killRole(mark, 'origin'), 1);
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
  });
});
