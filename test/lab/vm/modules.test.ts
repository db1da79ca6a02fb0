import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderModules } from '../../../src/lab/vm/modules.js';

const DEPENDENCIES = `kernel/drivers/net/veth.ko:
kernel/net/ipv6/ipv6.ko: kernel/lib/crc-ccitt.ko
kernel/net/ipv4/tcp_diag.ko.xz: kernel/net/ipv4/inet_diag.ko.xz kernel/net/core/sock-diag.ko.xz
kernel/lib/crc-ccitt.ko:
`;

test('each module follows those that it needs, the deepest first', () => {
  assert.deepEqual(orderModules(DEPENDENCIES, ['veth', 'tcp_diag', 'ipv6']), [
    'kernel/drivers/net/veth.ko',
    'kernel/net/core/sock-diag.ko.xz',
    'kernel/net/ipv4/inet_diag.ko.xz',
    'kernel/net/ipv4/tcp_diag.ko.xz',
    'kernel/lib/crc-ccitt.ko',
    'kernel/net/ipv6/ipv6.ko',
  ]);
});

test('what is built in or missing is left out, and a dash is an underscore', () => {
  assert.deepEqual(orderModules(DEPENDENCIES, ['virtio_net', 'crc_ccitt']), ['kernel/lib/crc-ccitt.ko']);
  assert.deepEqual(orderModules('', ['veth']), []);
});
