import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unfitAddress } from '../../src/domain/addresses.js';
import { formatTarget } from '../../src/domain/format.js';
import { LAB_NET_V4, LAB_NET_V6, labNetOf } from '../../src/domain/reserved.js';
import { UnitError } from '../../src/domain/units.js';
import { parseTarget } from '../../src/plan/targets.js';

test('a target reads and writes back canonical', () => {
  assert.deepEqual(parseTarget('10.20.0.10:3128'), { address: '10.20.0.10', port: 3128 });
  assert.equal(formatTarget(parseTarget('[FD00:0::A]:65535')), '[fd00::a]:65535');
});

test('anything that could mean another machine is refused', () => {
  for (const text of [
    '',
    ':80',
    '[]:80',
    '10.20.0.10:',
    '10.20.0.10:+80',
    '10.20.0.10:65536',
    '10.20.10:80',
    '0x0a.1.1.1:80',
    '010.20.0.10:80',
    '[10.20.0.10]:80',
    '[fe80::1%eth0]:80',
    '[::ffff:10.20.0.10]:80',
    '0.0.0.0:80',
    '[::]:80',
    '10.20.0.10:80 ',
    'user@10.20.0.10:80',
    '10.20.0.0/24:80',
  ]) {
    assert.throws(() => parseTarget(text), UnitError, text);
  }
});

test('documentation networks are placeholders; the benchmarking network is fit', () => {
  for (const address of ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1']) {
    assert.equal(unfitAddress(address), 'a documentation address', address);
  }
  assert.equal(unfitAddress('198.18.0.1'), undefined);
  assert.equal(unfitAddress('240.0.0.1'), 'a reserved address');
});

test("the lab's own networks, to their edges", () => {
  assert.deepEqual(['198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'].map(labNetOf), [
    undefined,
    LAB_NET_V4,
    LAB_NET_V4,
    undefined,
  ]);
  assert.deepEqual(['fdb4:ffff::1', 'fdb5::1', 'fdb5:0:ffff::1', 'fdb5:1::1'].map(labNetOf), [
    undefined,
    LAB_NET_V6,
    LAB_NET_V6,
    undefined,
  ]);
});
