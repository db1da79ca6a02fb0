import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRequest, GREETING, parseMethod, parseReply, replyName } from '../../src/domain/socks.js';

describe('SOCKS5 (RFC 1928)', () => {
  it('offers no authentication, and asks for an address of either family', () => {
    assert.deepEqual([...GREETING], [5, 1, 0]);
    assert.deepEqual([...connectRequest({ address: '198.19.0.1', port: 9000 })], [5, 1, 0, 1, 198, 19, 0, 1, 35, 40]);
    assert.deepEqual(
      [...connectRequest({ address: 'fdb5:0:1::1', port: 80 })],
      [5, 1, 0, 4, 0xfd, 0xb5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80],
    );
  });

  it('reads the choice of a method, whole and in parts', () => {
    assert.equal(parseMethod(Uint8Array.of()), 0);
    assert.equal(parseMethod(Uint8Array.of(5)), 0);
    assert.equal(parseMethod(Uint8Array.of(5, 0)), 2);
    assert.equal(parseMethod(Uint8Array.of(4, 0)), -1);
  });

  it('reads replies with every type of address, whole and in parts, and nothing else', () => {
    const replies = {
      ipv4: [5, 0, 0, 1, 10, 50, 0, 1, 1, 2],
      ipv6: [5, 0, 0, 4, ...Array.from({ length: 16 }, () => 7), 1, 2],
      name: [5, 0, 0, 3, 2, 97, 98, 1, 2],
    };
    for (const bytes of Object.values(replies)) {
      for (let length = 0; length < bytes.length; length++)
        assert.equal(parseReply(Uint8Array.from(bytes.slice(0, length))), 0);
      assert.equal(parseReply(Uint8Array.from([...bytes, 99])), bytes.length);
    }
    for (const bytes of [[72], [5, 0, 1], [5, 0, 0, 2], [4, 90]].map((list) => Uint8Array.from(list)))
      assert.equal(parseReply(bytes), -1);
  });

  it('names replies as section 6 does', () => {
    assert.equal(replyName(1), 'socks:general-failure');
    assert.equal(replyName(3), 'socks:network-unreachable');
    assert.equal(replyName(8), 'socks:address-type-not-supported');
    assert.equal(replyName(9), 'socks:reply-9');
  });
});
