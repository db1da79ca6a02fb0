/** The model of UDP against the table that was measured, and what it says beside counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predict, predictArm } from '../../src/capacity/predict.js';
import { capacityOf } from '../../src/capacity/question.js';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import { coturn } from '../../src/subjects/coturn/coturn.js';
import { unbound } from '../../src/subjects/unbound/unbound.js';
import { readDatagramOracle, titleOfDatagrams } from '../support/datagram-oracle.js';
import { datagramInput } from './datagram-input.js';
import { arm, input, KERNEL } from './inputs.js';

const UDP = { protocol: 'udp', strategy: 'connect', peer: 'connect' } as const satisfies Partial<LoadPlan>;
const connect = (more: Parameters<typeof input>[0] = {}) =>
  predict(input({ strategy: 'connect', datagram: { options: [], peer: 'connect', sockets: 'each' }, ...more }));

test('each of the 407 rows', () => {
  const rows = readDatagramOracle();
  assert.equal(rows.length, 407);
  for (const row of rows) {
    const { concurrent, unbounded, fails } = predict(datagramInput(row));
    const title = titleOfDatagrams(row);
    if (row.refused === null) assert.equal(unbounded, true, title);
    else assert.deepEqual([concurrent, fails], [row.most, row.refused], title);
  }
});

test('neither destinations nor TIME_WAIT, and no parity: an odd range is all there is', () => {
  assert.equal(connect({ addresses: 7, destinations: 9 }).concurrent, 100);
  assert.equal(connect({ range: { low: 40_000, high: 40_002 } }).concurrent, 3);
  const { sustained, rule, again } = connect({ holdMs: 500 });
  assert.deepEqual([sustained, again], [200, 0.5]);
  assert.match(rule, /UDP has no TIME_WAIT/);
  assert.equal(connect({ holdMs: 500, close: 'server', twReuse: 1 }).sustained, 200);
});

test('ports of others, on this address and elsewhere', () => {
  assert.equal(connect({ heldHere: 10, heldElsewhere: 20 }).concurrent, 70);
  const bound = { strategy: 'bind', datagram: { options: [], peer: 'connect', sockets: 'each' } } as const;
  assert.equal(predict(input({ ...bound, addresses: 2, heldHere: 10, heldElsewhere: 20 })).concurrent, 180);
});

test('the slow wall is at 98 %, not at half', () => {
  const range = { low: 32_768, high: 60_999 };
  assert.equal(connect({ range }).slowWall?.tuples, Math.floor(28_232 * 0.98));
  const shared = { options: ['SO_REUSEADDR'], peer: 'connect', sockets: 'each' } as const;
  assert.equal(connect({ range, datagram: shared }).slowWall, null);
});

test('an option that the kernel lacks', () => {
  const range = { options: ['IP_LOCAL_PORT_RANGE'], peer: 'connect', sockets: 'each' } as const;
  const { concurrent, fails, rule } = connect({ kernel: '5.10.1', datagram: range });
  assert.deepEqual([concurrent, fails], [0, 'setsockopt:ENOPROTOOPT']);
  assert.match(rule, /IP_LOCAL_PORT_RANGE came with 6\.3/);
});

test('how it is known', () => {
  assert.equal(connect().known?.how, 'measured');
  assert.equal(connect({ kernel: '4.19' }).known?.how, 'assumed');
});

test('counts are exact where nothing is freed, also where all succeed; not where answers go astray', () => {
  const exact = (load: Partial<LoadPlan>) =>
    predictArm(arm({ load: { ...UDP, ...load } }), KERNEL, {}).determinism({ lab: 'netns' }).deterministic;
  const exchange = { request: 64, response: 64 };
  assert.equal(exact({ exchange }), true);
  assert.equal(exact({ exchange, holdMs: 0 }), false);
  assert.equal(exact({ socketOptions: ['SO_REUSEPORT'] }), true);
  assert.equal(exact({ socketOptions: ['SO_REUSEPORT'], exchange }), false);
  assert.equal(exact({ strategy: 'sendto', peer: 'sendto', sockets: 'one', exchange }), true);
  assert.equal(exact({ exchange, answerAfterMs: 4500, timeoutMs: 5000 }), false);
});

test('a neighbour: of UDP it takes ports, of TCP none; one without an address takes them everywhere', () => {
  const ports = (load: Partial<LoadPlan>) => {
    const own = arm({ load: { ...UDP, strategy: 'bind' } });
    const neighbour = { ...arm().load, ...load, arrival: { shape: 'constant', rate: 100, durationMs: 100 } } as const;
    const neighbours = [{ name: 'other', where: 'beside', addresses: [], load: neighbour, afterMs: 0 } as const];
    return predictArm(
      own,
      KERNEL,
      {},
      neighbours.map((each) => ({ ...each, addresses: [] })),
    ).prediction.concurrent;
  };
  assert.equal(ports({}), 100);
  assert.equal(ports({ ...UDP }), 100);
  assert.equal(ports({ ...UDP, strategy: 'sendto', peer: 'sendto' }), 90);
});

test('capacity: what a rate needs', () => {
  const ask = (strategy: 'sendto' | 'bind', addresses = 1) =>
    capacityOf({
      kernel: parseKernelVersion('6.18.44', 250),
      strategy,
      datagram: { options: [], peer: 'sendto', sockets: 'each' },
      addresses,
      destinations: 100,
      hosts: 1,
      range: { low: 40_000, high: 40_099 },
      reserved: 0,
      heldHere: 0,
      heldElsewhere: 0,
      rate: 150,
      holdMs: 1000,
      close: 'client',
      pick: 'round-robin',
      loss: 1e-4,
      sysctls: {},
    });
  assert.deepEqual(ask('sendto').full, { tuples: 100, rate: 100 });
  assert.equal(ask('sendto').atRate?.needed.full.kind, 'useless');
  const bound = ask('bind', 2);
  assert.deepEqual(bound.full, { tuples: 200, rate: 200 });
  assert.deepEqual(bound.atRate?.needed.full, { kind: 'addresses', addresses: 2, perAddress: 100 });
});

test('a port is taken until the answer has come, and a relay for as long as its server keeps it', () => {
  const load = { strategy: 'bind-explicit-port-exclusive', ports: { low: 40_000, high: 40_059 } } as const;
  const rate = (proxy: Arm['proxy'], more: Partial<LoadPlan>) => {
    const { prediction } = predictArm(arm({ proxy, load: { ...load, holdMs: 0, ...more } }), KERNEL, {});
    return [prediction.concurrent, prediction.sustained];
  };
  const resolver = { ...unbound.defaults, ports: load.ports };
  assert.deepEqual(rate(resolver, { protocol: 'dns', answerAfterMs: 400 }), [60, 150]);
  assert.deepEqual(rate({ ...coturn.defaults, ports: load.ports }, { protocol: 'turn' }), [60, 0.1]);
  const own = predictArm(arm({ load: { ...UDP, holdMs: 100, answerAfterMs: 400 } }), KERNEL, {});
  assert.equal(own.prediction.sustained, 200);
});
