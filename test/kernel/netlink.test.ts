import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, concat, cString, words } from '../../src/kernel/netlink.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('an attribute has its length without and its bytes with the padding', () => {
  // struct nlattr (include/uapi/linux/netlink.h): nla_len, nla_type, then the payload, padded to 4.
  assert.equal(hex(attribute(3, cString('lo'))), '0700' + '0300' + '6c6f00' + '00');
  assert.equal(hex(attribute(1, new Uint8Array([1, 2, 3, 4]))), '0800' + '0100' + '01020304');
  assert.equal(hex(attribute(18, new Uint8Array(0))), '04001200');
  for (let length = 0; length < 20; length++) {
    const bytes = attribute(1, new Uint8Array(length).fill(255));
    assert.equal(bytes.length % 4, 0);
    assert.equal(new DataView(bytes.buffer).getUint16(0, true), 4 + length);
    assert.ok(bytes.length - (4 + length) < 4);
  }
});

test('attributes nest: the outer length covers the padded inner ones', () => {
  const inner = attribute(1, cString('veth'));
  assert.equal(inner.length, 12);
  assert.equal(hex(attribute(18, inner)), `10001200${hex(inner)}`);
});

test('words are 32 bits, low byte first', () => {
  assert.equal(hex(words(1, 0xffffffff, 0x01020304)), '01000000' + 'ffffffff' + '04030201');
  assert.equal(words().length, 0);
});

test('parts are joined in their order', () => {
  assert.equal(hex(concat(new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3]))), '010203');
  assert.equal(concat().length, 0);
});

test('a text ends with NUL', () => {
  assert.equal(hex(cString('a')), '6100');
  assert.equal(hex(cString('')), '00');
});
