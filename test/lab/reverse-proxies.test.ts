/**
 * HAProxy and nginx themselves as the subject: their ceilings to the exact connection, and their failures as client, log and sockets
 * show them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HAPROXY, NGINX } from '../../src/profile/defaults.js';
import type { Arm } from '../../src/profile/plan.js';
import type { HaproxySettings, NginxSettings, ProxySettings } from '../../src/profile/subject.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';

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
        console.log(
          name,
          addresses,
          destinations,
          JSON.stringify(run.outcomes),
          JSON.stringify(run.proxy?.tail.at(-1)),
          JSON.stringify(run.proxy?.requests),
        );
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

const show = (what: string, run: Awaited<ReturnType<typeof measure>>) =>
  console.log(
    what,
    JSON.stringify([
      run.outcomes,
      failures(run),
      run.proxy?.requests,
      run.capacity.tuples,
      run.ports.finalStates,
      run.problems,
      run.proxy?.tail.slice(-2),
    ]),
  );

describe('haproxy with a range of ports', () => {
  const ports = { low: 50_000, high: 50_029 };
  for (const [addresses, destinations] of [
    [1, 1],
    [2, 1],
    [1, 3],
  ] as const) {
    it(`has the size of the range for each server line: ${addresses} outgoing, ${destinations} destinations`, async () => {
      const arm = haproxy({ ports }, { attempts: 30 * addresses * destinations + 10, addresses, destinations });
      const run = await measure({ ...arm, load: { ...arm.load, ports } });
      show('range', run);
    });
  }
  it('TIME_WAIT does not count', async () => {
    const arm = haproxy(
      { ports },
      {
        load: {
          holdMs: 0,
          drain: true,
          lagBudgetMs: 60_000,
          arrival: { shape: 'constant', rate: 100, durationMs: 2000 },
        },
      },
    );
    show('range churn', await measure({ ...arm, load: { ...arm.load, ports } }));
  });
});
describe('more', () => {
  it('haproxy retries', async () => {
    show('retries', await measure(haproxy({ config: ['retries 3'] }, { attempts: PORTS + 10 })));
  });
  it('haproxy churn', async () => {
    show(
      'churn',
      await measure(
        haproxy(
          {},
          {
            load: {
              holdMs: 0,
              drain: true,
              lagBudgetMs: 60_000,
              arrival: { shape: 'constant', rate: 100, durationMs: 1000 },
            },
          },
        ),
      ),
    );
  });
  it('haproxy http', async () => {
    show('http', await measure(haproxy({ mode: 'http' }, slow(PORTS + 10, 1500))));
    show(
      'http 4',
      await measure(haproxy({ mode: 'http' }, { ...slow(4 * PORTS + 10, 2500), addresses: 2, destinations: 2 })),
    );
    const churn = {
      load: {
        protocol: 'get',
        exchange: null,
        holdMs: 0,
        body: 3000,
        lagBudgetMs: 60_000,
        arrival: { shape: 'constant', rate: 100, durationMs: 1000 },
      },
    } as const;
    show('http churn', await measure(haproxy({ mode: 'http' }, churn)));
    show('http churn persistent', await measure(haproxy({ mode: 'http', persistent: true }, churn)));
  });
  it('nginx http', async () => {
    show('nginx http', await measure(nginx({ mode: 'http' }, slow(PORTS + 10, 1500))));
    show(
      'nginx http 4',
      await measure(nginx({ mode: 'http' }, { ...slow(4 * PORTS + 10, 2500), addresses: 2, destinations: 2 })),
    );
    const churn = {
      load: {
        protocol: 'get',
        exchange: null,
        holdMs: 0,
        body: 3000,
        lagBudgetMs: 60_000,
        arrival: { shape: 'constant', rate: 100, durationMs: 1000 },
      },
    } as const;
    show('nginx http churn', await measure(nginx({ mode: 'http' }, churn)));
    show(
      'nginx http churn persistent',
      await measure(nginx({ mode: 'http', persistent: true }, { ...churn, addresses: 2, destinations: 2 })),
    );
  });
  it('ipv6', async () => {
    for (const arm of [
      haproxy({}, { attempts: 60, destinations: 2 }),
      nginx({}, { attempts: 60, destinations: 2 }),
      haproxy({ ports: { low: 50000, high: 50019 } }, { attempts: 60, destinations: 2 }),
    ])
      show('v6', await measure({ ...arm, addresses: ['fd00:50::1'] }));
  });
  it('faults', async () => {
    const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '5000' };
    for (const arm of [
      haproxy({}, { attempts: 10, sysctls }),
      nginx({}, { attempts: 10, sysctls }),
      haproxy({ config: ['nonsense 4'] }, { attempts: 10 }),
      nginx({ config: ['nonsense 4;'] }, { attempts: 10 }),
      haproxy({ descriptors: 200 }, { attempts: 90 }),
      nginx({ descriptors: 100 }, { attempts: 90 }),
    ])
      await measure({ ...arm, load: { ...arm.load, timeoutMs: 1500 } }).then(
        (run) => show('no fault', run),
        (error) => console.log('FAULT', String(error).slice(0, 400)),
      );
  });
});
