/**
 * microsocks itself as the subject: a plain bind to its one address.
 */
// needs: microsocks, strace
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { microsocks } from '../../src/subjects/microsocks/microsocks.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure } from '../support/lab.js';
import { killRole, newMark } from '../support/processes.js';

const FAIL = 'socks:general-failure';
const PORTS = 20;

function arm(attempts: number, { load, ...rest }: Partial<LabArm> = {}): Arm {
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + PORTS - 1}` },
      ...rest,
      load: {
        protocol: 'socks5',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 8, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: microsocks.defaults,
  };
}

describe('tunnels held open through microsocks', () => {
  for (const [title, rest] of [
    ['one destination', {}],
    ['four destinations, of no use to a plain bind', { destinations: { kind: 'lab', addresses: 1, ports: 4 } }],
    ['IPv6', { addresses: ['fd00:50::1'] }],
  ] as const) {
    it(`P: ${title}`, async () => {
      const run = await measure(arm(PORTS + 15, rest));
      assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: 15 });
      assert.deepEqual(run.problems, []);
      assert.deepEqual(run.ports.peakPerAddress, [PORTS]);
      assert.deepEqual(run.proxy?.answers, { 'reply 1': 15 });
      assert.deepEqual(
        run.proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: 'bind', errno: 'EADDRINUSE', count: 15 }],
      );
      assert.equal(run.proxy?.version, null, 'it does not say');
    });
  }

  it('each failure is one refused bind(), and none goes out unbound', async () => {
    const run = await measure(arm(PORTS + 5), { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: 5 });
    const { calls, failures } = run.proxy!.syscalls!;
    assert.deepEqual([...new Set(failures.map(({ call, errno }) => `${call} ${errno}`))], ['bind EADDRINUSE']);
    assert.equal(
      failures.reduce((sum, { count }) => sum + count, 0),
      5,
    );
    assert.equal(calls.connect, PORTS);
  });
});

describe('microsocks otherwise', () => {
  it('bytes go through and back, and TIME_WAIT is in the proxy and counts', async () => {
    const { arrival } = arm(PORTS + 10).load;
    const load = { holdMs: 0, drain: true, exchange: { request: 500, response: 7000 }, arrival };
    const run = await measure(arm(PORTS + 10, { load }));
    assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: 10 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, PORTS);
  });

  it('cannot bind its listener', async () => {
    const closed = { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '5000' } };
    await assert.rejects(
      measure(arm(1, closed)),
      /the proxy \(microsocks\) ended with code \d+ before it listened: it gave up: Permission denied/,
    );
  });

  it('is killed in the midst of the load', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const load = { holdMs: 0, arrival: { shape: 'constant', rate: 5, durationMs: 20_000 } } as const;
    const failed = assert.rejects(measure(arm(0, { load })), /the proxy \(microsocks\) was killed by SIGKILL/);
    await until('the proxy', () => mark.processes().some(({ role }) => role === 'proxy'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok(killRole(mark, 'proxy') >= 1);
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
  });
});
