import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { setPort, sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';

const bytesAt = (table: ReturnType<typeof sockaddrTable>, i: number) => {
  const offset = sockaddrAt(table, i) - table.memory.address;
  return Buffer.from(table.memory.bytes.subarray(offset, offset + table.length)).toString('hex');
};

test('IPv4: struct sockaddr_in, the family in the order of the machine, port and address in that of the network', () => {
  assert.equal(endianness(), 'LE');
  const table = sockaddrTable([
    { address: '10.50.0.1', port: 0 },
    { address: '198.19.0.255', port: 9000 },
  ]);
  assert.deepEqual([table.family, table.length, table.count], [2, 16, 2]);
  assert.equal(bytesAt(table, 0), '0200' + '0000' + '0a320001' + '0000000000000000');
  assert.equal(bytesAt(table, 1), '0200' + '2328' + 'c61300ff' + '0000000000000000');
});

test('IPv6: struct sockaddr_in6, without flow label and scope', () => {
  const table = sockaddrTable([
    { address: '::1', port: 443 },
    { address: 'fdb5:0:1::ab', port: 65_535 },
  ]);
  assert.deepEqual([table.family, table.length, table.count], [10, 28, 2]);
  assert.equal(bytesAt(table, 0), `0a0001bb00000000${'00'.repeat(15)}0100000000`);
  assert.equal(bytesAt(table, 1), `0a00ffff00000000fdb5000000010000${'00'.repeat(7)}ab00000000`);
});

test('the port of one entry is changed, and nothing else', () => {
  const table = sockaddrTable([
    { address: '10.50.0.1', port: 1 },
    { address: '10.50.0.2', port: 2 },
  ]);
  const [first, second] = [bytesAt(table, 0), bytesAt(table, 1)];
  setPort(table, 1, 40_099);
  assert.equal(bytesAt(table, 0), first);
  assert.equal(bytesAt(table, 1), second.replace('02000002', '02009ca3'));
});

test('entries never overlap', () => {
  const table = sockaddrTable(Array.from({ length: 300 }, (_, i) => ({ address: `fd00::${i.toString(16)}`, port: i })));
  for (let i = 0; i < 300; i++) {
    const hex = bytesAt(table, i);
    assert.equal(hex.slice(4, 8), i.toString(16).padStart(4, '0'));
    assert.equal(hex.slice(44, 48), i.toString(16).padStart(4, '0'));
  }
});
