// needs: haproxy, nginx, libnginx-mod-stream
/**
 * HAProxy and nginx themselves as the subject: their ceilings to the exact connection, and their failures as client, log and sockets
 * show them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { whyTheyDiffer } from '../../src/report/rows/four-views.js';
import type { HaproxySettings } from '../../src/subjects/haproxy/haproxy.js';
import type { ProxySettings } from '../../src/subjects/index.js';
import type { NginxSettings } from '../../src/subjects/nginx/nginx.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';
import { killRole, newMark } from '../support/processes.js';
import { HAPROXY, NGINX } from '../support/proxies.js';

const PORTS = 50;
const RANGE = { 'net.ipv4.ip_local_port_range': '40000 40049' };

interface Wanted {
  readonly attempts?: number;
  readonly addresses?: number;
  readonly destinations?: number;
  readonly load?: Partial<LabArm['load']>;
  readonly sysctls?: Record<string, string>;
}

/** Connections held open: what is behind the proxy has answered a byte. */
function armOf(
  proxy: ProxySettings,
  { attempts = 0, addresses = 1, destinations = 1, load, sysctls = RANGE }: Wanted,
): Arm {
  return {
    ...labArm({
      sysctls,
      addresses: tenAddresses(addresses),
      destinations: { kind: 'lab', addresses: 1, ports: destinations },
      load: {
        protocol: 'tcp',
        exchange: { request: 1, response: 1 },
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy,
  };
}

const haproxy = (settings: Partial<HaproxySettings>, wanted: Wanted) => armOf({ ...HAPROXY, ...settings }, wanted);
const nginx = (settings: Partial<NginxSettings>, wanted: Wanted) =>
  armOf({ ...NGINX, mode: 'tcp', ...settings }, wanted);

/** GETs that the origin answers after a while: each holds a port for as long. */
function slow(attempts: number, holdMs: number): Wanted {
  return {
    attempts,
    load: {
      protocol: 'get',
      exchange: null,
      holdMs,
      arrival: { shape: 'fill', attempts, failures: null, inFlight: attempts, waves: 1, pauseMs: 0 },
    },
  };
}

function failures(run: Awaited<ReturnType<typeof measure>>): unknown {
  return run.proxy?.failures.map(({ call, errno, count }) => [call, errno, count]);
}

const SIZES = [
  [1, 1],
  [2, 1],
  [1, 4],
  [2, 4],
] as const;

for (const [name, arm, lines] of [
  ['haproxy, source ADDRESS', (wanted: Wanted) => haproxy({}, wanted), 1],
  ['nginx, stream with proxy_bind', (wanted: Wanted) => nginx({}, wanted), 1],
] as const) {
  describe(`connections held open through ${name}`, () => {
    for (const [addresses, destinations] of SIZES) {
      it(`P·K·D: ${PORTS} ports, ${addresses} outgoing, ${destinations} destinations`, async () => {
        const room = PORTS * addresses * destinations;
        const run = await measure(arm({ attempts: room + 20, addresses, destinations }));
        const { ok, ...failed } = run.outcomes;
        assert.equal(ok, room);
        assert.equal(
          Object.values(failed).reduce((sum, n) => sum + n, 0),
          20,
        );
        assert.deepEqual(run.problems, []);
        assert.equal(run.capacity.tuples, room);
        assert.deepEqual(failures(run), [['connect', 'EADDRNOTAVAIL', 20 * lines]]);
      });
    }
  });
}

/** Short connections, 100 a second. */
const CHURN = {
  holdMs: 0,
  drain: true,
  lagBudgetMs: 60_000,
  arrival: { shape: 'constant', rate: 100, durationMs: 1000 },
} as const;
/** GETs of an origin that leaves it to the proxy to close. */
const GETS = { load: { ...CHURN, drain: false, protocol: 'get', exchange: null, body: 3000 } } as const;

describe('haproxy with a range of ports', () => {
  const ports = { low: 50_000, high: 50_029 };
  const ranged = (wanted: Wanted) => {
    const arm = haproxy({ ports }, wanted);
    return { ...arm, load: { ...arm.load, ports } };
  };

  for (const [addresses, destinations] of [
    [1, 1],
    [2, 1],
    [1, 3],
  ] as const) {
    it(`the size of the range for each server line: ${addresses} outgoing, ${destinations} destinations`, async () => {
      const room = 30 * addresses * destinations;
      const run = await measure(ranged({ attempts: room + 10, addresses, destinations }));
      assert.deepEqual(run.outcomes, { ok: room, 'exchange:EOF': 10 });
      assert.equal(run.capacity.tuples, room);
      // Its own list is empty: there is no call, and so no errno.
      assert.deepEqual(failures(run), [[null, null, 10]]);
      assert.deepEqual(run.proxy?.troubles, []);
      assert.deepEqual([run.ports.low, run.ports.high, run.ports.peak], [50_000, 50_029, 30 * addresses]);
    });
  }

  it('TIME_WAIT does not count', async () => {
    const run = await measure(ranged({ load: CHURN }));
    assert.deepEqual(run.outcomes, { ok: 100 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, 30);
  });
});

describe('what haproxy does', () => {
  it('TIME_WAIT counts with source ADDRESS', async () => {
    const run = await measure(haproxy({}, { load: CHURN }));
    assert.deepEqual(run.outcomes, { ok: 50, 'exchange:EOF': 50 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, 50);
    assert.deepEqual(run.proxy?.requests, { '--': 50, SC: 50 });
  });

  it('what the origin has closed is over for all: its FIN may come to the client with the answer', async () => {
    const arrival = { shape: 'fill', attempts: 200, failures: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;
    const run = await measure(haproxy({}, { load: { holdMs: 0, close: 'server', arrival } }));
    assert.deepEqual(run.outcomes, { ok: 200 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, undefined);
  });

  it('failures are not log lines: with retries an attempt has several', async () => {
    const run = await measure(haproxy({ config: ['retries 3'] }, { attempts: PORTS + 10 }), { observe: 'ebpf' });
    assert.deepEqual(run.outcomes, { ok: PORTS, 'exchange:EOF': 10 });
    const refused = run.proxy?.syscalls?.failures.filter(({ errno }) => errno.startsWith('EADDR'));
    assert.deepEqual(
      refused?.map(({ call, errno, count }) => [call, errno, count]),
      [['connect', 'EADDRNOTAVAIL', 40]],
    );
    assert.match(
      whyTheyDiffer({ failed: 10, logged: 40, refused: 40 }),
      /^10 failed requests, 40 refused calls, 40 lines in the log; more calls were refused than requests failed, as where a proxy tries again/,
    );
    assert.deepEqual(failures(run), [['connect', 'EADDRNOTAVAIL', 40]]);
    assert.deepEqual(run.proxy?.requests, { SC: 10 });
  });

  it('in mode http a request that finds no port gets a 503, and one that is over leaves no TIME_WAIT', async () => {
    const held = await measure(haproxy({ mode: 'http' }, slow(PORTS + 10, 2000)));
    assert.deepEqual(held.outcomes, { ok: PORTS, 'http:503': 10 });
    assert.deepEqual(held.proxy?.requests, { '200/--': PORTS, '503/SC': 10 });
    const run = await measure(haproxy({ mode: 'http' }, GETS));
    assert.deepEqual(run.outcomes, { ok: 100 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, undefined);
  });
});

describe('what nginx does', () => {
  it('in mode http a request that finds no port gets a 502, and TIME_WAIT counts unless connections are kept', async () => {
    const held = await measure(nginx({ mode: 'http' }, slow(PORTS + 10, 2000)));
    assert.deepEqual(held.outcomes, { ok: PORTS, 'http:502': 10 });
    assert.deepEqual(failures(held), [['connect', 'EADDRNOTAVAIL', 10]]);
    assert.deepEqual(held.proxy?.requests, { 200: PORTS, 502: 10 });
    const run = await measure(nginx({ mode: 'http' }, GETS));
    assert.deepEqual(run.outcomes, { ok: 50, 'http:502': 50 });
    assert.equal(run.ports.finalStates?.TIME_WAIT, 50);
    const kept = await measure(nginx({ mode: 'http', persistent: true }, { ...GETS, addresses: 2, destinations: 2 }));
    assert.deepEqual(kept.outcomes, { ok: 100 });
    assert.ok((kept.ports.peak ?? 0) < 50, `${kept.ports.peak} ports for 100 requests`);
  });
});

describe('both over IPv6', () => {
  for (const [name, arm, refused] of [
    ['haproxy', haproxy({}, { attempts: 120, destinations: 2 }), 'EADDRNOTAVAIL'],
    ['nginx', nginx({}, { attempts: 120, destinations: 2 }), 'EADDRNOTAVAIL'],
  ] as const) {
    it(name, async () => {
      const run = await measure({ ...arm, addresses: ['fd00:50::1'] });
      assert.equal(run.outcomes.ok, 100);
      assert.deepEqual(failures(run), [['connect', refused, 20]]);
    });
  }
});

describe('a reverse proxy that goes wrong', () => {
  for (const [what, arm, message] of [
    [
      'haproxy cannot bind its listener',
      haproxy({}, { attempts: 10, sysctls: { 'net.ipv4.ip_unprivileged_port_start': '5000' } }),
      /the proxy \(haproxy\) ended with code 1 before it listened: .*cannot bind socket \(Permission denied\)/,
    ],
    [
      'nginx cannot bind its listener',
      nginx({}, { attempts: 10, sysctls: { 'net.ipv4.ip_unprivileged_port_start': '5000' } }),
      /the proxy \(nginx\) ended with code 1 before it listened: .*bind\(\) to 198\.18\.1\.2:3128 failed \(13/,
    ],
    [
      'haproxy has a line that it does not know',
      haproxy({ config: ['nonsense 4'] }, { attempts: 10 }),
      /before it listened: .*unknown keyword 'nonsense'/,
    ],
    [
      'nginx has a line that it does not know',
      nginx({ config: ['nonsense 4;'] }, { attempts: 10 }),
      /before it listened: it gave up: unknown directive "nonsense"/,
    ],
  ] as const) {
    it(what, () => assert.rejects(measure(arm), message));
  }

  it('haproxy has as many clients as it may have, and leaves the others waiting: the run does not count', async () => {
    // (300 − 100 for itself − 1 listener) / 2 = 99 clients at once.
    const arrival = { shape: 'fill', attempts: 130, failures: null, inFlight: 130, waves: 1, pauseMs: 0 } as const;
    const run = await measure(
      haproxy({ descriptors: 300 }, { attempts: 130, addresses: 4, load: { timeoutMs: 2000, arrival } }),
    );
    assert.deepEqual(run.outcomes, { ok: 99, 'timeout:ETIMEDOUT': 31 });
    assert.match(run.problems.join(), /as many clients as its descriptors allow \(maxconn\), and the others waited/);
  });

  it('nginx runs out of connections: the run does not count', async () => {
    const run = await measure(nginx({ descriptors: 80 }, { attempts: 60 }));
    assert.ok((run.outcomes.ok ?? 0) < PORTS);
    assert.deepEqual(run.problems, ['the proxy (nginx) did not run as configured: it ran out of descriptors']);
  });

  for (const [name, arm] of [
    ['haproxy', haproxy],
    ['nginx', nginx],
  ] as const) {
    it(`${name} is killed in the midst of the load`, async () => {
      const mark = newMark();
      Object.assign(process.env, mark.env);
      const run = measure(
        arm({}, { load: { ...CHURN, arrival: { shape: 'constant', rate: 20, durationMs: 20_000 } } }),
      );
      const failed = assert.rejects(
        run,
        new RegExp(`the proxy \\(${name}\\) was killed by SIGKILL before the run was over`),
      );
      await until('the proxy', () => mark.processes().some(({ role }) => role === 'proxy'));
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(killRole(mark, 'proxy'), 1);
      await failed;
      await until('nothing is left', () => mark.processes().length === 0);
    });
  }
});
