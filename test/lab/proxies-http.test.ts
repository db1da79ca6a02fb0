// needs: haproxy, nginx, libnginx-mod-stream, dante-server
/**
 * The HTTP engine through dante (SOCKS5) and to reverse proxies: the ceilings are those that the socket engine finds.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import type { ProxySettings } from '../../src/subjects/index.js';
import { type LabArm, labArm, measure } from '../support/lab.js';
import { DANTE, HAPROXY, NGINX } from '../support/proxies.js';

const P = 50;

function armOf(proxy: ProxySettings, load: Partial<LoadPlan>, arm: Partial<LabArm> = {}): Arm {
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40000 + P - 1}` },
      ...arm,
      load: {
        engine: 'http',
        timeoutMs: 30_000,
        lagBudgetMs: 60_000,
        arrival: fill(100),
        ...load,
      },
    }),
    proxy,
  };
}

const fill = (attempts: number, inFlight = 8) =>
  ({ shape: 'fill', attempts, failures: null, inFlight, waves: 1, pauseMs: 0 }) as const;

describe('SOCKS5 through dante by the HTTP engine', () => {
  for (const tls of [false, true]) {
    it(`tunnels held open: the distinct ports of its clients, and then P${tls ? '; TLS inside' : ''}`, async () => {
      const arm = armOf({ ...DANTE, clients: 3 }, { protocol: 'socks5', holdMs: null, tls, arrival: fill(150) });
      const run = await measure({
        ...arm,
        roles: {
          client: { 'net.ipv4.ip_local_port_range': '20000 20049', 'net.ipv4.tcp_tw_reuse': '0' },
          origin: {},
        },
      });
      const { ok = 0, 'socks:network-unreachable': failed = 0, ...others } = run.outcomes;
      assert.deepEqual(others, {});
      assert.equal(ok + failed, 150);
      // A client whose request failed may get the same port once more, so that another port is not seen at all.
      assert.ok(ok >= 97 && ok <= 100, `${ok} tunnels, where 50 copied ports and 50 of the range fit`);
      assert.equal(run.latency.response?.count, ok);
    });
  }

  it('a tunnel that is used again is one connection for many requests', async () => {
    const run = await measure(
      armOf(DANTE, { protocol: 'socks5', holdMs: 0, keepAlive: true, body: 3000, arrival: fill(100, 1) }),
    );
    assert.deepEqual(run.outcomes, { ok: 100 });
    assert.equal(run.origin?.accepted, 1);
    assert.equal(run.capacity.peakOpen, 1);
  });
});

describe('GET to a reverse proxy by the HTTP engine', () => {
  for (const [name, settings, failure] of [
    ['nginx', { ...NGINX, mode: 'http' }, 'http:502'],
    ['haproxy', { ...HAPROXY, mode: 'http' }, 'http:503'],
  ] as const) {
    it(`${name}: a slow answer holds a port, whether the client keeps its connections or not`, async () => {
      for (const keepAlive of [false, true]) {
        const run = await measure(armOf(settings, { protocol: 'get', holdMs: 2500, keepAlive, arrival: fill(60, 60) }));
        assert.deepEqual(run.outcomes, { ok: P, [failure]: 10 });
      }
    });

    it(`${name}: kept connections of the client are one each`, async () => {
      const run = await measure(
        armOf(settings, { protocol: 'get', holdMs: 0, keepAlive: true, body: 3000, arrival: fill(40, 1) }),
      );
      assert.deepEqual(run.outcomes, { ok: 40 });
      assert.equal(run.capacity.peakOpen, 1);
    });
  }
});
