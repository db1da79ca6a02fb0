import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sideEffectOf } from '../../src/capacity/side-effects.js';

const of = (name: string, before: string | null, value: string) =>
  sideEffectOf({ name: `net.ipv4.${name}`, before, value });

test('a step that costs something says what, and the way back costs nothing', () => {
  for (const [name, before, value, says] of [
    ['tcp_max_tw_buckets', '65536', '100', /leaves no TIME_WAIT.*RFC 1337/],
    ['tcp_tw_recycle', '0', '1', /clients behind one NAT/],
    ['tcp_timestamps', '1', '0', /PAWS/],
    ['tcp_tw_reuse', '2', '1', /ports that connect\(\) chooses/],
    ['tcp_tw_reuse_delay', '1000', '1', /RFC 7323/],
    ['tcp_fin_timeout', '60', '5', /answered by RST/],
    ['tcp_rfc1337', '1', '0', /assassination/],
    ['ip_autobind_reuse', '0', '1', /EADDRNOTAVAIL/],
  ] as const) {
    assert.match(of(name, before, value)?.text ?? '', says, name);
    assert.equal(of(name, value, before), null, `${name} back`);
  }
  assert.equal(of('tcp_keepalive_time', '7200', '60'), null);
});

test('what gives up a protection is marked, and is believed lowered where nobody knows what it was', () => {
  assert.equal(of('tcp_max_tw_buckets', '65536', '100')?.givesUp, 'what TIME_WAIT protects from');
  assert.equal(of('tcp_max_tw_buckets', null, '100')?.givesUp, 'what TIME_WAIT protects from');
  assert.equal(of('tcp_tw_recycle', null, '1')?.givesUp, 'connections from clients behind one NAT');
  assert.equal(of('tcp_timestamps', '1', '0')?.givesUp, null);
});
