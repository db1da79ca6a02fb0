// needs: squid, haproxy
/**
 * Neighbours: what a load that holds all ports does to other programs in its namespace and to other clients of its proxy.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { describe, it } from 'node:test';
import type { RunSpec } from '../../src/agent/protocol.js';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, LoadPlan, Neighbour } from '../../src/plan/plan.js';
import type { ProxySettings } from '../../src/subjects/index.js';
import { until } from '../support/cli.js';
import { labArm, measure, tenAddresses } from '../support/lab.js';
import { killRole, newMark } from '../support/processes.js';
import { HAPROXY, SQUID } from '../support/proxies.js';

const FAIL = 'http:503 ERR_CONNECT_FAIL';
/** Attempts of a neighbour. */
const N = 30;

function neighbour(name: string, load: Partial<LoadPlan>, more: Partial<Neighbour> = {}): Neighbour {
  return {
    name,
    where: 'beside',
    addresses: [],
    afterMs: null,
    ...more,
    load: {
      ...LOAD,
      pick: 'round-robin',
      timeoutMs: 30_000,
      arrival: { shape: 'constant', rate: 100, durationMs: N * 10 },
      ...load,
    },
  };
}

/** Each with its strategy for a name. */
function programs(...strategies: StrategyName[]): Neighbour[] {
  return strategies.map((strategy) => neighbour(strategy, { strategy }));
}

/** `attempts` held connections, 50 ports an address. */
function holding(attempts: number, load: Partial<LoadPlan>, addresses = 1, proxy?: ProxySettings): Arm {
  return {
    ...labArm({
      addresses: tenAddresses(addresses),
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40049' },
      load: {
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    ...(proxy ? { proxy } : {}),
  };
}

async function outcomesBeside(arm: Arm, neighbours: Neighbour[], options: Partial<RunSpec> = {}) {
  const run = await measure(arm, { neighbours, ...options });
  assert.deepEqual(run.problems, []);
  return {
    load: run.outcomes,
    ...Object.fromEntries(run.neighbours!.map(({ name, outcomes }) => [name, outcomes])),
  };
}

describe("beside the harness's own sockets", () => {
  it('a plain bind takes the port numbers from all that do not bind, whatever their address', async () => {
    assert.deepEqual(
      await outcomesBeside(holding(60, { strategy: 'bind' }), programs('connect', 'bind-no-port', 'bind')),
      {
        load: { ok: 50, 'bind:EADDRINUSE': 10 },
        connect: { 'connect:EADDRNOTAVAIL': N },
        'bind-no-port': { 'connect:EADDRNOTAVAIL': N },
        bind: { ok: N },
      },
    );
  });

  it('one that leaves the port to connect() takes none from anybody', async () => {
    // Not beside a neighbour that binds, which would itself take port numbers from the others.
    assert.deepEqual(
      await outcomesBeside(holding(60, { strategy: 'bind-no-port' }), programs('connect', 'bind-no-port')),
      { load: { ok: 50, 'connect:EADDRNOTAVAIL': 10 }, connect: { ok: N }, 'bind-no-port': { ok: N } },
    );
  });

  it('IPv6, and addresses of its own', async () => {
    const arm = { ...holding(60, { strategy: 'bind' }), addresses: ['fd00:50::1'] };
    assert.deepEqual(
      await outcomesBeside(arm, [
        neighbour('curl', { strategy: 'connect' }),
        neighbour('dns', { strategy: 'bind' }, { addresses: ['fd00:51::1', 'fd00:51::2'] }),
      ]),
      {
        load: { ok: 50, 'bind:EADDRINUSE': 10 },
        curl: { 'connect:EADDRNOTAVAIL': N },
        dns: { ok: N },
      },
    );
  });

  it('a bind to an IPv6 address takes the port numbers from connect() over IPv4, and none from bind()', async () => {
    const arm = { ...holding(60, { strategy: 'bind' }), addresses: ['fd00:50::1'] };
    const over4 = (name: StrategyName, address: string) =>
      neighbour(name, { strategy: name }, { addresses: [address] });
    assert.deepEqual(await outcomesBeside(arm, [over4('connect', '10.50.9.1'), over4('bind', '10.50.9.2')]), {
      load: { ok: 50, 'bind:EADDRINUSE': 10 },
      connect: { 'connect:EADDRNOTAVAIL': N },
      bind: { ok: N },
    });
  });

  it('its sockets are not counted as those of the load, and its times are its own', async () => {
    const run = await measure(holding(20, { strategy: 'bind' }), {
      neighbours: [neighbour('curl', { holdMs: null, exchange: { request: 10, response: 10 } })],
    });
    assert.equal(run.capacity.tuples, 20);
    assert.equal(run.ports.peak, 20);
    assert.equal(run.attempts, 20);
    assert.equal(run.neighbours?.[0]?.attempts, N);
    assert.equal(run.neighbours?.[0]?.latency.total?.count, N);
    assert.equal(run.origin?.accepted, 20);
  });

  it('one that begins with the load ends with it', async () => {
    const run = await measure(
      labArm({ load: { lagBudgetMs: 60_000, arrival: { shape: 'constant', rate: 100, durationMs: 500 } } }),
      { neighbours: [neighbour('curl', {}, { afterMs: 200 })] },
    );
    assert.deepEqual(run.outcomes, { ok: 50 });
    assert.deepEqual(run.neighbours?.[0]?.outcomes, { ok: N });
  });
});

describe('beside a proxy, with addresses of their own', () => {
  it('Squid 5 starves all that leave the port to connect()', async () => {
    const found = await outcomesBeside(
      holding(120, { protocol: 'connect' }, 2, SQUID),
      programs('connect', 'bind-no-port', 'bind'),
    );
    assert.deepEqual(found, {
      load: { ok: 100, [FAIL]: 20 },
      connect: { 'connect:EADDRNOTAVAIL': N },
      'bind-no-port': { 'connect:EADDRNOTAVAIL': N },
      bind: { ok: N },
    });
  });

  it('what its other clients take meanwhile is foreseen: together they are short by as much as they ask for too much', async () => {
    const base = holding(
      40,
      { strategy: 'bind', protocol: 'connect', arrival: { shape: 'constant', rate: 400, durationMs: 100 } },
      1,
      SQUID,
    );
    const others = neighbour('others', { protocol: 'connect', holdMs: null }, { where: 'through', afterMs: 0 });
    const kernel = parseKernelVersion(release());
    assert.equal(predictArm(base, kernel, {}).prediction.concurrent, 50, 'alone all would fit');
    const { prediction, bounds } = predictArm(base, kernel, {}, [others]);
    assert.deepEqual([prediction.concurrent, bounds?.concurrent, bounds?.atLeast(40)], [20, 50, 20]);
    const { outcomes, neighbours } = await measure(base, { neighbours: [others] });
    assert.ok((outcomes.ok ?? 0) >= 20, JSON.stringify(outcomes));
    assert.equal((outcomes.ok ?? 0) + (neighbours?.[0]?.outcomes.ok ?? 0), 50);
  });

  it('also with nothing left of its connections but TIME_WAIT', async () => {
    const arm = holding(120, { protocol: 'connect', holdMs: 0, drain: true }, 2, SQUID);
    const run = await measure(arm, { neighbours: programs('connect') });
    assert.ok((run.outcomes[FAIL] ?? 0) > 0, JSON.stringify(run.outcomes));
    // A connection of which the origin was the first to close leaves no TIME_WAIT, and its port to the neighbour.
    assert.ok((run.neighbours?.[0]?.outcomes['connect:EADDRNOTAVAIL'] ?? 0) >= N - 3, JSON.stringify(run.neighbours));
  });

  it('HAProxy with `source` starves none of them', async () => {
    const load = { protocol: 'tcp', exchange: { request: 1, response: 1 } } as const;
    const { load: own, ...others } = await outcomesBeside(
      holding(120, load, 2, HAPROXY),
      programs('connect', 'bind-no-port'),
    );
    assert.equal(own.ok, 100);
    assert.deepEqual(others, { connect: { ok: N }, 'bind-no-port': { ok: N } });
  });

  it('HAProxy with a range of its own inside of the ephemeral one starves them all', async () => {
    const load = {
      protocol: 'tcp',
      exchange: { request: 1, response: 1 },
      ports: { low: 40_000, high: 40_049 },
    } as const;
    const { load: own, ...others } = await outcomesBeside(
      holding(60, load, 1, { ...HAPROXY, ports: load.ports }),
      programs('connect', 'bind-no-port'),
    );
    assert.equal(own.ok, 50);
    assert.deepEqual(others, {
      connect: { 'connect:EADDRNOTAVAIL': N },
      'bind-no-port': { 'connect:EADDRNOTAVAIL': N },
    });
  });
});

describe('through a proxy', () => {
  const others = (load: Partial<LoadPlan> = {}) =>
    neighbour('others', { protocol: 'get', body: 100, ...load }, { where: 'through' });

  it('of which the load has taken all ports, other clients get its errors', async () => {
    assert.deepEqual(await outcomesBeside(holding(60, { protocol: 'connect' }, 1, SQUID), [others()]), {
      load: { ok: 50, [FAIL]: 10 },
      others: { [FAIL]: N },
    });
  });

  it('that has room, they are answered, from a host of their own', async () => {
    const run = await measure(holding(40, { protocol: 'connect' }, 2, SQUID), { neighbours: [others()] });
    assert.deepEqual(run.outcomes, { ok: 40 });
    assert.deepEqual(run.neighbours?.[0]?.outcomes, { ok: N });
    assert.equal(run.neighbours?.[0]?.latency.response?.count, N);
    assert.equal(run.origin?.accepted, 40);
  });

  it('a reverse proxy has a listener for them', async () => {
    const load = { protocol: 'tcp', exchange: { request: 1, response: 1 } } as const;
    const arm = { ...holding(60, load, 1, HAPROXY), destinations: { kind: 'lab', addresses: 1, ports: 2 } as const };
    const run = await measure({ ...arm, load: { ...arm.load } }, { neighbours: [others(load)] });
    assert.deepEqual(run.outcomes, { ok: 60 });
    assert.deepEqual(run.neighbours?.[0]?.outcomes, { ok: N });
  });
});

describe('a neighbour that goes wrong', () => {
  it('is killed: the run fails at once, and nothing is left', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const run = measure(
      labArm({ load: { lagBudgetMs: 60_000, arrival: { shape: 'constant', rate: 20, durationMs: 60_000 } } }),
      { neighbours: [neighbour('curl', {}, { afterMs: 0 })] },
    );
    const failed = assert.rejects(run, /the neighbour curl was killed by SIGKILL before the run was over/);
    await until('the neighbour', () => mark.processes().some(({ role }) => role === 'neighbour'));
    assert.equal(killRole(mark, 'neighbour'), 1);
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
  });
});
