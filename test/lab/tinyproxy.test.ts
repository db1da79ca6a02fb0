/**
 * tinyproxy itself as the subject: a plain bind, one address after the other.
 */
// needs: tinyproxy-bin, strace
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { tinyproxy } from '../../src/subjects/tinyproxy/tinyproxy.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';

const FAIL = 'http:500';
const PORTS = 20;

/** Tunnels held open, with 20 ports on each address. */
function arm(attempts: number, { load, ...rest }: Partial<LabArm> = {}, settings: Partial<Arm['proxy']> = {}): Arm {
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + PORTS - 1}` },
      ...rest,
      load: {
        protocol: 'connect',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 8, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: { ...tinyproxy.defaults, ...settings } as typeof tinyproxy.defaults,
  };
}

describe('tunnels held open through tinyproxy', () => {
  for (const [title, addresses, destinations] of [
    ['one address', tenAddresses(1), 1],
    ['four destinations, of no use to a plain bind', tenAddresses(1), 4],
    ['two addresses, of which it fills one after the other', tenAddresses(2), 1],
    ['IPv6', ['fd00:50::1'], 1],
  ] as const) {
    it(`P for each address: ${title}`, async () => {
      const room = PORTS * addresses.length;
      const run = await measure(
        arm(room + 15, { addresses, destinations: { kind: 'lab', addresses: 1, ports: destinations } }),
      );
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: 15 });
      assert.deepEqual(run.problems, []);
      assert.deepEqual(
        run.ports.peakPerAddress,
        addresses.map(() => PORTS),
      );
      assert.deepEqual(run.proxy?.answers, { '500': 15 });
      assert.deepEqual(
        run.proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: null, errno: null, count: 15 }],
        'one line an attempt, which names neither call nor errno',
      );
      assert.match(run.proxy?.version ?? '', /^1\.\d+/);
    });
  }

  it('a failed attempt is as many refused calls as there are addresses, and none goes out unbound', async () => {
    const run = await measure(arm(2 * PORTS + 5, { addresses: tenAddresses(2) }), { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: 2 * PORTS, [FAIL]: 5 });
    const { calls, failures } = run.proxy!.syscalls!;
    const refused = failures.reduce((sum, { count }) => sum + count, 0);
    assert.deepEqual([...new Set(failures.map(({ call, errno }) => `${call} ${errno}`))], ['bind EADDRINUSE']);
    // Twenty fail at the first address only, five at both.
    assert.equal(refused, PORTS + 2 * 5);
    assert.equal(calls.connect, 2 * PORTS, 'connect() only behind a bind() that succeeded');
  });
});

describe('tinyproxy otherwise', () => {
  it('bytes go through and back, and TIME_WAIT is in the proxy and counts', async () => {
    const load = { holdMs: 0, drain: true, exchange: { request: 500, response: 7000 } };
    const { arrival } = arm(PORTS + 10).load;
    const run = await measure(arm(PORTS + 10, { load: { ...load, arrival } }));
    assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: 10 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, PORTS);
  });

  it('answers a GET', async () => {
    const run = await measure(arm(PORTS, { load: { ...arm(PORTS).load, protocol: 'get', holdMs: 0, body: 100 } }));
    assert.deepEqual(run.outcomes, { ok: PORTS });
  });

  it('has as many clients as MaxClients allows: the run does not count', async () => {
    const { arrival } = arm(30).load;
    const run = await measure(arm(30, { load: { timeoutMs: 1500, arrival } }, { descriptors: 70 }));
    assert.deepEqual(run.outcomes, { ok: 10, 'timeout:ETIMEDOUT': 20 }, 'the others waited');
    assert.match(run.problems.join('\n'), /as many clients as MaxClients allows/);
  });

  it('cannot bind its listener, or read its configuration', async () => {
    const closed = { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '5000' } };
    await assert.rejects(
      measure(arm(1, closed)),
      /the proxy \(tinyproxy\) ended with code \d+ before it listened: it gave up: Could not create listening sockets/,
    );
    await assert.rejects(
      measure(arm(1, {}, { config: ['nonsense 4'] })),
      /the proxy \(tinyproxy\) ended with code \d+ before it listened: .*[Ss]yntax error/,
    );
  });
});
