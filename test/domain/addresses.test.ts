import assert from 'node:assert/strict';
import { test } from 'node:test';
import ipaddr from 'ipaddr.js';
import { expandCidr, expandRange, isLoopback } from '../../src/domain/addresses.js';

/** What ipaddr.js makes of an address that is so many behind another. */
function behind(first: string, i: number): string {
  const bytes = ipaddr.parse(first).toByteArray();
  let carry = i;
  for (let at = bytes.length - 1; at >= 0; at--) {
    const sum = bytes[at]! + (carry % 256);
    carry = Math.floor(carry / 256) + (sum > 255 ? 1 : 0);
    bytes[at] = sum % 256;
  }
  return ipaddr.fromByteArray(bytes).toString();
}

test('every address of a set is as it would be written alone, also where its last parts change', () => {
  for (const [cidr, first] of [
    ['10.0.0.0/15', '10.0.0.1'],
    ['fd00:50::/64', 'fd00:50::1'],
    ['fd00:1:0:0:1::/80', 'fd00:1:0:0:1::1'],
    ['fd00:1:2:3:4:5:6:0/111', 'fd00:1:2:3:4:5:6:1'],
    ['fd00:1:0:3:4:5:0:0/96', 'fd00:1:0:3:4:5:0:1'],
  ] as const) {
    const all = expandCidr(cidr, 65_536);
    assert.equal(new Set(all).size, 65_536, cidr);
    for (const i of [0, 1, 8, 9, 14, 15, 254, 255, 256, 257, 511, 4094, 65_533, 65_534, 65_535])
      assert.equal(all[i], behind(first, i), `${cidr}, ${i}`);
  }
  assert.deepEqual(expandRange('10.0.0.254-10.0.1.1'), ['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1']);
  assert.deepEqual(expandRange('fd00::fffe-fd00::1:1'), ['fd00::fffe', 'fd00::ffff', 'fd00::1:0', 'fd00::1:1']);
});

test('loopback', () => {
  assert.deepEqual(
    ['127.0.0.1', '127.255.255.254', '126.255.255.255', '128.0.0.1', '::1', '::2', 'fd00::1'].map(isLoopback),
    [true, true, false, false, true, false, false],
  );
});
