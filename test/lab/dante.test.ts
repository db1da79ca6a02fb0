// needs: dante-server
/**
 * Dante itself as the subject, and SOCKS5 through it: the ports of its clients copied, then those of the range.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure } from '../support/lab.js';
import { killRole, newMark } from '../support/processes.js';
import { DANTE } from '../support/proxies.js';

const FAIL = 'socks:network-unreachable';

/** 50 ports of the range; the clients have 50 ports too, on each of their addresses. */
function danteArm(clients: number | null, attempts: number, arm: Partial<LabArm> = {}): Arm {
  const { load, ...rest } = arm;
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40049' },
      ...rest,
      load: {
        protocol: 'socks5',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 8, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    roles: {
      // Never a port of the proxy's range: Dante would copy it, and the range would seem to be used.
      client:
        clients === null
          ? { 'net.ipv4.ip_local_port_range': '20000 24999' }
          : { 'net.ipv4.ip_local_port_range': '20000 20049', 'net.ipv4.tcp_tw_reuse': '0' },
      origin: {},
    },
    proxy: { ...DANTE, clients },
  };
}

describe('tunnels held open through dante', () => {
  for (const [title, arm] of [
    ['one destination', danteArm(3, 150)],
    ['four destinations', danteArm(3, 150, { destinations: { kind: 'lab', addresses: 1, ports: 4 } })],
    ['IPv6', danteArm(3, 150, { addresses: ['fd00:50::1'] })],
  ] as const) {
    it(`the distinct ports of its clients, and then P: ${title}`, async () => {
      const run = await measure(arm);
      const { ok = 0, [FAIL]: failed = 0, ...others } = run.outcomes;
      assert.deepEqual(others, {});
      assert.equal(ok + failed, 150);
      // A client whose request failed may get the same port once more, so that another port is not seen at all.
      assert.ok(ok >= 97 && ok <= 100, `${ok} tunnels, where 50 copied ports and 50 of the range fit`);
      assert.deepEqual(run.problems, []);
      assert.equal(run.capacity.tuples, ok);
      assert.deepEqual(run.ports.peakPerAddress, [50]);
      const { proxy } = run;
      assert.deepEqual(proxy?.answers, { 'reply 3': failed });
      assert.deepEqual(
        proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: 'bind', errno: 'EADDRINUSE', count: failed }],
      );
      assert.match(proxy?.version ?? '', /^1\.4/);
    });
  }

  it('clients whose ports all differ never run out of them', async () => {
    const run = await measure(danteArm(null, 120));
    assert.deepEqual(run.outcomes, { ok: 120 });
    assert.deepEqual(run.ports.peakPerAddress, [0]);
  });
});

describe('dante otherwise', () => {
  it('bytes go through and back, and TIME_WAIT is in the proxy', async () => {
    const { arrival } = danteArm(null, 60).load;
    const load = { holdMs: 0, drain: true, exchange: { request: 5000, response: 70_000 }, arrival };
    const run = await measure(danteArm(null, 60, { load }));
    assert.deepEqual(run.outcomes, { ok: 60 });
    assert.equal(run.origin?.accepted, 60);
    assert.equal(run.latency.response?.count, 60);
    assert.equal(run.ports.finalStates?.TIME_WAIT, 60);
  });

  it('cannot bind its listener, or read its configuration', async () => {
    const arm = danteArm(null, 10, { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '5000' } });
    await assert.rejects(
      measure(arm),
      /the proxy \(dante\) ended with code 1 before it listened: .*failed to bind internal/,
    );
    await assert.rejects(
      measure({ ...arm, sysctls: {}, proxy: { ...DANTE, config: ['nonsense 4'] } }),
      /before it listened: it gave up: .*problem on line 8/,
    );
  });

  it('is killed in the midst of the load', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const load = { holdMs: 0, arrival: { shape: 'constant', rate: 20, durationMs: 20_000 } } as const;
    const failed = assert.rejects(measure(danteArm(null, 0, { load })), /the proxy \(dante\) was killed by SIGKILL/);
    await until('the proxy', () => mark.processes().some(({ role }) => role === 'proxy'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok(killRole(mark, 'proxy') >= 1);
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
  });
});
