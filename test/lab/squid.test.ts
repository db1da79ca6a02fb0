// needs: squid, strace
/**
 * Squid itself as the subject: its ceilings to the exact connection, its failures as client, log and sockets show them.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import type { SquidSettings } from '../../src/subjects/squid/squid.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';
import { killRole, newMark } from '../support/processes.js';
import { SQUID } from '../support/proxies.js';

const FAIL = 'http:503 ERR_CONNECT_FAIL';

function squidArm(arm: Partial<LabArm> & { attempts?: number }, settings: Partial<SquidSettings> = {}): Arm {
  const { attempts = 0, load, ...rest } = arm;
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40099' },
      ...rest,
      load: {
        protocol: 'connect',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: { ...SQUID, ...settings },
  };
}

describe('tunnels held open through squid 5', () => {
  for (const [addresses, ports] of [
    [1, 1],
    [2, 1],
    [1, 4],
    [2, 4],
  ] as const) {
    it(`P·K: 100 ports, ${addresses} outgoing, ${ports} destinations`, async () => {
      const room = 100 * addresses;
      const run = await measure(
        squidArm({
          attempts: room + 20,
          addresses: tenAddresses(addresses),
          destinations: { kind: 'lab', addresses: 1, ports },
        }),
      );
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: 20 });
      assert.deepEqual(run.problems, []);
      assert.equal(run.capacity.tuples, room);
      assert.deepEqual(
        run.ports.peakPerAddress,
        Array.from({ length: addresses }, () => 100),
      );
      const { proxy } = run;
      assert.deepEqual(proxy?.answers, { '503 ERR_CONNECT_FAIL 0': 20 });
      assert.deepEqual(
        proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: 'bind', errno: 'EADDRINUSE', count: 20 }],
      );
      assert.match(proxy?.failures[0]?.lines[0] ?? '', /commBind Cannot bind socket FD \d+ to 10\.50\.0\.\d: \(98\)/);
    });
  }
});

describe('the kernel beside client, log and sockets', () => {
  for (const observe of ['ebpf', 'strace'] as const) {
    it(`counts the failures of bind() as they do, by ${observe}${observe === 'ebpf' ? ' where that works' : ''}`, async () => {
      const run = await measure(squidArm({ attempts: 120 }), { observe });
      const { proxy } = run;
      assert.equal(proxy?.unobserved, undefined);
      assert.deepEqual(run.outcomes, { ok: 100, [FAIL]: 20 });
      assert.deepEqual(
        proxy?.syscalls?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: 'bind', errno: 'EADDRINUSE', count: 20 }],
      );
      assert.ok(proxy!.syscalls!.failures[0]!.pid > 1);
      assert.ok(proxy!.syscalls!.calls.bind >= 120);
      assert.deepEqual(
        proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: 'bind', errno: 'EADDRINUSE', count: 20 }],
      );
      assert.equal(run.ports.peak, 100);
      if (observe === 'strace') assert.equal(proxy?.syscalls?.by, 'strace');
    });
  }

  it('is not asked in a run that is compared', async () => {
    const run = await measure(squidArm({ attempts: 10 }));
    assert.equal(run.proxy?.syscalls, undefined);
    assert.equal(run.proxy?.unobserved, undefined);
  });
});

/** `attempts` short connections, 300 a second, 100 ports. */
function churn(attempts: number): Pick<LabArm, 'load'> {
  return {
    load: {
      protocol: 'connect',
      holdMs: 0,
      drain: true,
      timeoutMs: 30_000,
      lagBudgetMs: 60_000,
      arrival: { shape: 'constant', rate: 300, durationMs: (attempts / 300) * 1000 },
    },
  };
}

/** A connection of which the origin was the first to close leaves no TIME_WAIT, so that one more fits. */
function assertAbout(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && actual >= expected && actual <= expected + 3,
    `found ${actual}, expected ${expected} or a little more`,
  );
}

describe('short connections through squid 5', () => {
  it('a tunnel that the client closes leaves its TIME_WAIT in the proxy, and tcp_tw_reuse=1 is of no use', async () => {
    for (const reuse of ['0', '1']) {
      const sysctls = { 'net.ipv4.ip_local_port_range': '40000 40099', 'net.ipv4.tcp_tw_reuse': reuse };
      const run = await measure(squidArm({ ...churn(150), sysctls }));
      assertAbout(run.outcomes.ok, 100);
      assert.equal((run.outcomes.ok ?? 0) + (run.outcomes[FAIL] ?? 0), 150);
      assertAbout(run.ports.finalStates?.TIME_WAIT, 100);
      assert.deepEqual(run.problems, []);
      assert.equal(run.proxy?.requests['TCP_TUNNEL/200'], run.outcomes.ok);
      assert.equal(run.proxy?.requests['NONE_NONE/503'], run.outcomes[FAIL]);
      assert.equal(run.latency.response?.count, run.outcomes.ok);
      assert.deepEqual(run.timeline.at(-1)?.timeWaitPerAddress, [run.ports.finalStates?.TIME_WAIT]);
    }
  });

  it('bytes go through the tunnel and back', async () => {
    const { load } = churn(60);
    const run = await measure(squidArm({ load: { ...load, exchange: { request: 5000, response: 70_000 } } }));
    assert.deepEqual(run.outcomes, { ok: 60 });
    assert.equal(run.origin?.accepted, 60);
    assert.ok(run.proxy!.cpu.user + run.proxy!.cpu.system > 0);
    assert.ok(run.proxy!.memory.peak > 1e6);
  });

  it('one that the origin closes leaves it there', async () => {
    const { load } = churn(150);
    const run = await measure(squidArm({ load: { ...load, close: 'server', drain: false } }));
    assert.deepEqual(run.outcomes, { ok: 150 });
  });

  it('GET needs a port each, but for an origin that closes first or a proxy that keeps connections', async () => {
    const { load } = churn(150);
    const get = { ...load, protocol: 'get', body: 2000, drain: false } as const;
    const plain = await measure(squidArm({ load: get }));
    assertAbout(plain.outcomes.ok, 100);
    assert.equal((plain.outcomes.ok ?? 0) + (plain.outcomes[FAIL] ?? 0), 150);
    const originCloses = await measure(squidArm({ load: { ...get, close: 'server' } }));
    assert.deepEqual(originCloses.outcomes, { ok: 150 });
    const kept = await measure(squidArm({ load: get }, { persistent: true }));
    assert.deepEqual(kept.outcomes, { ok: 150 });
    assert.ok((kept.ports.peak ?? 0) < 50, `${kept.ports.peak} ports for 150 requests`);
    assert.equal(kept.ports.finalStates?.TIME_WAIT, undefined);
  });

  it('a slow answer holds a port for as long: concurrency alone is enough', async () => {
    const run = await measure(
      squidArm({
        load: {
          protocol: 'get',
          holdMs: 1500,
          timeoutMs: 30_000,
          arrival: { shape: 'fill', attempts: 120, failures: null, inFlight: 120, waves: 1, pauseMs: 0 },
        },
      }),
    );
    assert.deepEqual(run.outcomes, { ok: 100, [FAIL]: 20 });
    assert.ok(run.latency.response!.min > 1_400_000, 'the origin took its time');
  });
});

describe('two workers', () => {
  it('share the room to the exact connection', async () => {
    const arm = squidArm({
      attempts: 420,
      addresses: tenAddresses(4),
      destinations: { kind: 'lab', addresses: 2, ports: 2 },
    });
    const run = await measure({ ...arm, load: { ...arm.load, workers: 2 } });
    assert.deepEqual(run.outcomes, { ok: 400, [FAIL]: 20 });
    assert.deepEqual(run.ports.peakPerAddress, [100, 100, 100, 100]);
  });
});

describe('the settings of squid', () => {
  it('drawn outgoing addresses fail while others have room', async () => {
    const sysctls = { 'net.ipv4.ip_local_port_range': '40000 40049' };
    const arm = (outgoing: SquidSettings['outgoing']) =>
      squidArm({ attempts: 200, addresses: tenAddresses(4), sysctls }, { outgoing });
    const [turns, drawn] = [await measure(arm('client-address')), await measure(arm('random'))];
    assert.deepEqual(turns.outcomes, { ok: 200 });
    assert.ok((drawn.outcomes[FAIL] ?? 0) > 0);
    assert.equal((drawn.outcomes.ok ?? 0) + (drawn.outcomes[FAIL] ?? 0), 200);
  });

  it('drawn outgoing addresses have even shares', async () => {
    const run = await measure(
      squidArm(
        { attempts: 240, addresses: tenAddresses(3), sysctls: { 'net.ipv4.ip_local_port_range': '40000 40239' } },
        { outgoing: 'random' },
      ),
    );
    assert.deepEqual(run.outcomes, { ok: 240 });
    // 240 draws with a chance of 1/3: 80, with a standard deviation of 7.3.
    const shares = run.ports.peakPerAddress ?? [];
    assert.equal(shares.length, 3);
    for (const share of shares) assert.ok(share >= 40 && share <= 120, shares.join());
  });

  it('IPv6', async () => {
    const run = await measure(squidArm({ attempts: 110, addresses: ['fd00:50::1'] }));
    assert.deepEqual(run.outcomes, { ok: 100, [FAIL]: 10 });
    assert.deepEqual(
      run.proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
      [{ call: 'bind', errno: 'EADDRINUSE', count: 10 }],
    );
  });

  it('sysctls go to the role that they name, each read back', async () => {
    const arm = squidArm({ attempts: 10 });
    const run = await measure({
      ...arm,
      roles: { client: { 'net.ipv4.tcp_fin_timeout': '7' }, origin: { 'net.ipv4.tcp_fin_timeout': '8' } },
    });
    assert.equal(run.sysctls['net.ipv4.ip_local_port_range'], '40000 40099');
    assert.equal(run.sysctls['net.ipv4.tcp_fin_timeout'], '60');
    assert.deepEqual(run.proxy?.roles, {
      client: {
        'net.ipv4.ip_local_port_range': '1024 65535',
        'net.ipv4.tcp_tw_reuse': '1',
        'net.ipv4.tcp_fin_timeout': '7',
      },
      origin: { 'net.ipv4.tcp_fin_timeout': '8' },
    });
  });
});

describe('a squid that goes wrong', () => {
  it('cannot bind its listener', async () => {
    const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '5000' };
    await assert.rejects(
      measure(squidArm({ attempts: 10, sysctls })),
      /the proxy \(squid\) ended with code 1 before it listened: it could not bind its listener 198\.18\.1\.2:3128 \(EACCES/,
    );
  });

  it('has a line in its configuration that it does not know', async () => {
    await assert.rejects(
      measure(squidArm({ attempts: 10 }, { config: ['nonsense 4'] })),
      /the proxy \(squid\) ended with code 1 before it listened: .*unrecognized: 'nonsense'/,
    );
  });

  it('is not there', async () => {
    await assert.rejects(
      measure(squidArm({ attempts: 10 }, { binary: '/nowhere/squid' })),
      /program \/nowhere\/squid not found/,
    );
  });

  it('is to have more descriptors than there are', async () => {
    await assert.rejects(
      measure(squidArm({ attempts: 10 }, { descriptors: 1_000_000_000 })),
      /wants 1000000000 descriptors for the proxy, and a process may have at most \d+/,
    );
  });

  it('runs out of descriptors: clients wait in vain, and the run does not count', async () => {
    const arm = squidArm(
      { attempts: 90, load: { ...squidArm({ attempts: 90 }).load, timeoutMs: 1500 } },
      { descriptors: 200 },
    );
    const run = await measure(arm);
    assert.ok((run.outcomes['timeout:ETIMEDOUT'] ?? 0) > 0, JSON.stringify(run.outcomes));
    assert.equal(run.outcomes[FAIL], undefined);
    assert.deepEqual(run.problems, ['the proxy (squid) did not run as configured: it ran out of descriptors']);
  });

  it('is killed in the midst of the load', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const run = measure(
      squidArm({ load: { ...churn(1).load, arrival: { shape: 'constant', rate: 20, durationMs: 20_000 } } }),
    );
    const failed = assert.rejects(run, /the proxy \(squid\) was killed by SIGKILL before the run was over/);
    await until('some requests', () => mark.processes().some(({ role }) => role === 'proxy'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const begun = performance.now();
    assert.equal(killRole(mark, 'proxy'), 1);
    await failed;
    assert.ok(performance.now() - begun < 12_000, 'at once, not at the end of the load, which is 20 s');
    await until('nothing is left', () => mark.processes().length === 0);
  });

  it('has a full disk', async () => {
    await assert.rejects(
      measure(squidArm({ ...churn(60) }, { config: ['access_log stdio:/dev/full squid'] })),
      /the proxy \(squid\) ended with code 1 before the run was over; it gave up: FATAL: .*No space left on device/,
    );
  });

  it('has an origin that is silent: clients wait for the timeout, and no longer', async () => {
    const { load } = churn(30);
    const silent = { sink: 'listen-only', timeoutMs: 1500, exchange: { request: 100, response: 100 } } as const;
    const run = await measure(squidArm({ load: { ...load, ...silent } }));
    assert.deepEqual(run.outcomes, { 'timeout:ETIMEDOUT': 30 });
    assert.deepEqual(run.proxy?.failures, []);
  });

  it('has an origin that leaves connections half-closed: each keeps its port in FIN_WAIT2', async () => {
    const { load } = churn(30);
    const run = await measure(squidArm({ load: { ...load, sink: 'listen-only' } }));
    assert.deepEqual(run.outcomes, { ok: 30 });
    const { FIN_WAIT1 = 0, FIN_WAIT2 = 0, ...others } = run.ports.finalStates ?? {};
    assert.equal(FIN_WAIT1 + FIN_WAIT2, 30);
    assert.deepEqual(others, {});
    assert.equal(run.ports.peak, 30);
  });

  it('loses its origin', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const run = measure(
      squidArm({ load: { ...churn(1).load, arrival: { shape: 'constant', rate: 20, durationMs: 20_000 } } }),
    );
    const failed = assert.rejects(run, /the origin was killed by SIGKILL before the run was over/);
    await until('the proxy', () => mark.processes().some(({ role }) => role === 'proxy'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(killRole(mark, 'origin'), 1);
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
  });

  it('leaves nothing in the shared memory of this machine', () => {
    assert.deepEqual(
      readdirSync('/dev/shm').filter((name) => name.startsWith('bindstorm-cf') || name === 'proxy'),
      [],
    );
  });
});
