import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { isKnownSysctl, needsConntrack, sysctlLife } from '../../src/capacity/sysctl-presence.js';

const life = (name: string, release: string) => sysctlLife(name, parseKernelVersion(release));

test('since and until when kernels have a sysctl', () => {
  assert.equal(life('net.ipv4.tcp_tw_reuse_delay', '6.12.101'), 'since Linux 6.14');
  assert.equal(life('net.ipv4.tcp_tw_reuse_delay', '6.14.0'), undefined);
  assert.equal(life('net.ipv4.tcp_tw_recycle', '4.12.0'), 'until Linux 4.11');
  assert.equal(life('net.ipv4.tcp_tw_recycle', '4.11.12'), undefined);
  assert.equal(life('net.ipv4.netfilter.ip_conntrack_max', '6.1.0'), 'until Linux 4.8');
  assert.equal(life('net.ipv4.tcp_thin_dupack', '6.1.0'), 'gone since Linux 4.15 at the latest');
  assert.equal(life('vm.min_free_kbytes', '6.1.0'), undefined);
});

test('a name that kernels have, or had, is told from a typo', () => {
  for (const known of [
    'net.ipv4.tcp_tw_recycle',
    'net.ipv4.netfilter.ip_conntrack_max',
    'net.core.rmem_max',
    'net.nf_conntrack_max',
    'net.ipv4.tcp_tw_reuse_delay',
    'net.ipv4.conf.all.rp_filter',
  ])
    assert.ok(isKnownSysctl(known), known);
  for (const unknown of ['net.ipv4.tcp_tw_reuze', 'net.core.netdev_max_backlogg', 'vm.nothing', 'net.ipv4.conf.all.x'])
    assert.ok(!isKnownSysctl(unknown), unknown);
});

test('the sysctls of connection tracking, by whatever name', () => {
  for (const name of [
    'net.netfilter.nf_conntrack_max',
    'net.netfilter.nf_conntrack_tcp_timeout_syn_sent',
    'net.nf_conntrack_max',
    'net.ipv4.netfilter.ip_conntrack_max',
  ])
    assert.ok(needsConntrack(name), name);
  for (const name of ['net.netfilter.nf_log.0', 'net.ipv4.tcp_tw_reuse', 'net.core.somaxconn'])
    assert.ok(!needsConntrack(name), name);
});
