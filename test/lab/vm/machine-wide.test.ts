import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../../src/capacity/kernel-version.js';
import { goneSysctls, setsMachine } from '../../../src/lab/vm/machine-wide.js';

const on = (release: string, sysctls: Record<string, string>, origin?: Record<string, string>) =>
  setsMachine({ sysctls, ...(origin ? { roles: { client: {}, origin } } : {}) }, parseKernelVersion(release));

test('what is per namespace on the kernel is the run’s own; what is not, or is not known to be, is the machine’s', () => {
  assert.equal(on('6.1', { 'net.ipv4.tcp_max_tw_buckets': '10', 'net.core.somaxconn': '77' }), false);
  assert.equal(on('6.1', { 'vm.swappiness': '11' }), true);
  assert.equal(on('6.1', { 'net.core.netdev_max_backlog': '1234' }), true);
  assert.equal(on('6.1', { 'net.ipv4.tcp_congestion_control': 'reno' }), false);
  assert.equal(on('5.10', { 'net.ipv4.tcp_congestion_control': 'reno' }), true);
  assert.equal(on('6.1', {}, { 'net.ipv4.tcp_max_orphans': '10' }), true);
  assert.equal(on('6.1', { 'net.ipv4.tcp_nobody_knows': '1' }), true);
});

test('what a kernel has not got changes nothing', () => {
  assert.equal(on('6.1', { 'net.ipv4.tcp_tw_recycle': '1', 'net.ipv4.tcp_tw_reuse_delay': '1' }), false);
  assert.equal(on('4.19', { 'net.ipv4.tcp_tw_recycle': '1' }), false);
});

test('before 4.15 every run does: tcp_rfc1337, which each lab sets, was one for all namespaces', () => {
  assert.equal(on('4.14', {}), true);
  assert.equal(on('4.15', {}), false);
  assert.equal(setsMachine({ sysctls: {} }), false, 'a kernel of which nothing is known yet');
});

test('what newer kernels have no more is named once, with the last that has it', () => {
  const recycle = { 'net.ipv4.tcp_tw_recycle': '1' };
  const roles = { client: {}, origin: recycle };
  assert.deepEqual(
    goneSysctls([{ sysctls: { 'net.ipv4.tcp_tw_reuse': '1' } }, { sysctls: recycle }, { sysctls: {}, roles }]),
    ['net.ipv4.tcp_tw_recycle: until Linux 4.11'],
  );
});
