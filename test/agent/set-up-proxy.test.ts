import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddresses } from '../../src/agent/place/network.js';
import { clientAddressesEach } from '../../src/agent/proxy/set-up-proxy.js';
import { labNetOf } from '../../src/domain/reserved.js';
import type { Arrival } from '../../src/plan/plan.js';

const each = (arrival: Arrival, outgoing: number) => clientAddressesEach([{ arrival }], outgoing);
const constant = (rate: number, seconds: number): Arrival => ({ shape: 'constant', rate, durationMs: seconds * 1000 });

test('a client address makes no more than 20,000 connections in a run', () => {
  assert.equal(each(constant(100, 1), 1), 1);
  assert.equal(each(constant(20_000, 1), 1), 1);
  assert.equal(each(constant(20_001, 1), 1), 2);
  assert.equal(each(constant(1500, 100), 1), 8);
  assert.equal(each(constant(1500, 100), 50), 1);
  assert.equal(
    each({ shape: 'hold', connections: 10, durationMs: 1000 }, 1),
    10,
    'nobody knows how many there will be',
  );
  assert.equal(each(constant(1_000_000, 1000), 50), 81, 'and there is an end to it');
});

test('clients are on addresses of the lab, each of its own', () => {
  for (const [family, net] of [
    [4, '198.18.0.0/15'],
    [6, 'fdb5::/32'],
  ] as const) {
    const addresses = clientAddresses(family, 4096);
    assert.equal(new Set(addresses).size, 4096);
    assert.deepEqual([...new Set(addresses.map(labNetOf))], [net]);
  }
  assert.deepEqual(clientAddresses(4, 2), ['198.18.128.1', '198.18.128.2']);
  assert.equal(clientAddresses(4, 256).at(-1), '198.18.129.0');
});
