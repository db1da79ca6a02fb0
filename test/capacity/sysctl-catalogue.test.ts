import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { judgeSysctl, PORT_SYSCTLS } from '../../src/capacity/sysctl-catalogue.js';
import { INTERFACE_TREES, NETNS_KEYS } from '../../src/capacity/sysctl-data.js';
import { LABS, type LabKind } from '../../src/domain/lab.js';
import { checkSysctlName, checkSysctlValue } from '../../src/domain/sysctl-syntax.js';

const now = parseKernelVersion('6.18.44');
const old = parseKernelVersion('3.2.71');

function reason(name: string, kernel = now, lab: LabKind = 'netns'): string {
  const judgement = judgeSysctl(name, kernel, LABS[lab].sysctls);
  return judgement.ok ? 'ok' : judgement.reason;
}

/** The list that torservers.net suggested and the noisebridge exit tried in January 2012, in its order. */
const TORSERVERS: [line: string, on618: RegExp, on32: RegExp][] = [
  ['net.core.rmem_max = 33554432', /is global: .*VM lab .*host lab\. .*net\.ipv4\.tcp_rmem/, /is global/],
  ['net.core.wmem_max = 33554432', /is global/, /is global/],
  ['net.ipv4.tcp_rmem = 4096 87380 33554432 ', /^ok$/, /is global on 3\.2 .*since 4\.15;/],
  ['net.ipv4.tcp_wmem = 4096 65536 33554432  ', /^ok$/, /is global on 3\.2 .*since 4\.15;/],
  ['net.core.netdev_max_backlog = 2500', /is global/, /is global/],
  ['net.ipv4.tcp_no_metrics_save = 1', /^ok$/, /is global on 3\.2 .*since 4\.15;/],
  ['net.ipv4.tcp_moderate_rcvbuf = 1', /^ok$/, /is global on 3\.2 .*since 4\.15;/],
  [
    'net.ipv4.tcp_tw_recycle = 1',
    /was removed in 4\.12: .*behind one NAT.*tcp_tw_reuse=1/,
    /is global on 3\.2 .*since 4\.11;/,
  ],
  ['net.ipv4.tcp_max_syn_backlog = 10240', /^ok$/, /is global on 3\.2 .*since 4\.11;/],
  ['net.ipv4.tcp_fin_timeout = 4 ', /^ok$/, /is global on 3\.2 .*since 4\.6;/],
  [
    'vm.min_free_kbytes = 65536',
    /is global: vm\.\* does not belong to a network namespace.*VM lab/,
    /is global: vm\.\*/,
  ],
  [
    'net.ipv4.netfilter.ip_conntrack_max = 196608',
    /was removed in 4\.9: .*use net\.netfilter\.nf_conntrack_max\.$/,
    /is global on 3\.2, and was removed in 4\.9; use net\.netfilter\.nf_conntrack_max\.$/,
  ],
  [
    'net.netfilter.nf_conntrack_tcp_timeout_established = 7200',
    /^ok$/,
    /is global on 3\.2 .*since 3\.10 at the latest;/,
  ],
  ['net.netfilter.nf_conntrack_checksum = 0', /^ok$/, /^ok$/],
  ['net.netfilter.nf_conntrack_max = 196608 ', /is global: .*counts its own entries/, /is global/],
  ['net.netfilter.nf_conntrack_tcp_timeout_syn_sent = 15', /^ok$/, /is global on 3\.2 .*since 3\.10 at the latest;/],
  ['net.nf_conntrack_max = 196608', /is global: .*another name of net\.netfilter\.nf_conntrack_max/, /is global/],
  ['net.ipv4.tcp_keepalive_time = 60', /^ok$/, /is global on 3\.2 .*since 4\.5;/],
  ['net.ipv4.tcp_keepalive_intvl = 10', /^ok$/, /is global on 3\.2 .*since 4\.5;/],
  ['net.ipv4.tcp_keepalive_probes = 3', /^ok$/, /is global on 3\.2 .*since 4\.5;/],
  ['net.ipv4.ip_local_port_range = 1025 65530', /^ok$/, /is global on 3\.2 .*since 3\.13;/],
  ['net.core.somaxconn = 20480', /^ok$/, /^ok$/],
  ['net.ipv4.tcp_max_tw_buckets = 2000000', /^ok$/, /is global on 3\.2 .*since 4\.11;/],
  ['net.ipv4.tcp_timestamps = 0', /^ok$/, /is global on 3\.2 .*since 4\.13;/],
];

for (const [line, on618, on32] of TORSERVERS) {
  test(`the 2012 list: ${line.trim()}`, () => {
    const [name, value] = line.split(' = ') as [string, string];
    assert.equal(checkSysctlName(name), undefined);
    assert.equal(checkSysctlValue(name, value.trim()), undefined);
    assert.match(reason(name), on618);
    assert.match(reason(name, old), on32);
  });
}

test('every reason is whole sentences that begin with the key and say where to go', () => {
  const names = ['vm.swappiness', 'fs.file-max', 'kernel.pid_max', 'net.core.netdev_budget', 'net.ipv4.tcp_mem'];
  names.push('net.ipv4.tcp_max_orphans', 'net.ipv4.neigh.default.gc_thresh3', 'net.netfilter.nf_conntrack_buckets');
  for (const name of names) {
    const text = reason(name);
    assert.ok(text.startsWith(`${name} is global`) && text.endsWith('.'), text);
    assert.match(text, /needs the VM lab \(--lab vm\) or the guarded host lab/);
  }
});

test('boundaries are at the release that made the key per namespace', () => {
  const boundaries: [name: string, before: string, from: string][] = [
    ['net.ipv4.tcp_tw_reuse', '4.9.154', '4.10'],
    ['net.ipv4.tcp_fin_timeout', '4.5', '4.6.2'],
    ['net.ipv4.ip_local_reserved_ports', '3.15', '3.16'],
    ['net.ipv4.tcp_timestamps', '4.12', '4.13'],
    ['net.ipv4.ip_autobind_reuse', '5.6', '5.7'],
    ['net.ipv4.tcp_tw_reuse_delay', '6.13.7', '6.14'],
    ['net.ipv4.ip_local_port_step_width', '6.18', '7.1.3'],
  ];
  for (const [name, before, from] of boundaries) {
    assert.notEqual(reason(name, parseKernelVersion(before)), 'ok', `${name} on ${before}`);
    assert.equal(reason(name, parseKernelVersion(from)), 'ok', `${name} on ${from}`);
  }
  assert.match(
    reason('net.ipv4.tcp_tw_reuse_delay', parseKernelVersion('6.12')),
    /does not exist on 6\.12: it came with 6\.14/,
  );
});

test('tcp_tw_recycle was per namespace in 4.11 only', () => {
  assert.match(reason('net.ipv4.tcp_tw_recycle', parseKernelVersion('4.10')), /global on 4\.10/);
  assert.equal(reason('net.ipv4.tcp_tw_recycle', parseKernelVersion('4.11.12')), 'ok');
  assert.match(reason('net.ipv4.tcp_tw_recycle', parseKernelVersion('4.12')), /was removed in 4\.12/);
  assert.match(reason('net.ipv4.tcp_tw_recycle', now, 'host'), /was removed in 4\.12/);
  assert.equal(reason('net.ipv4.tcp_tw_recycle', old, 'host'), 'ok');
});

test('the host lab may set global keys, but none that cannot be put back', () => {
  for (const name of [
    'vm.min_free_kbytes',
    'net.core.rmem_max',
    'fs.file-max',
    'kernel.pid_max',
    'net.ipv4.tcp_tw_reuse',
  ])
    assert.equal(reason(name, now, 'host'), 'ok');
  assert.match(reason('net.netfilter.nf_hooks_lwtunnel', now, 'host'), /cannot be switched off again/);
  assert.match(reason('vm.drop_caches', now, 'host'), /an action and not a setting/);
  assert.match(reason('kernel.modules_disabled', now, 'host'), /refused in the host lab/);
  assert.match(reason('net.ipv4.tcp_tw_reuse_delay', parseKernelVersion('6.1.0'), 'host'), /does not exist on 6\.1/);
});

test('a file that looks writable in a namespace and is the whole machine’s is refused', () => {
  assert.match(reason('net.netfilter.nf_hooks_lwtunnel'), /one switch of the whole machine/);
  assert.match(reason('net.ipv4.tcp_early_demux', parseKernelVersion('5.10.0')), /is global on 5\.10/);
  assert.match(reason('net.ipv4.tcp_congestion_control', parseKernelVersion('4.19')), /is global on 4\.19/);
});

test('interface trees: any interface, known keys, and never the defaults of neigh', () => {
  assert.equal(reason('net.ipv4.conf.eth0/100.rp_filter'), 'ok');
  assert.equal(reason('net.ipv6.conf.all.disable_ipv6', old), 'ok');
  assert.equal(reason('net.ipv4.neigh.bs0.gc_stale_time'), 'ok');
  assert.match(reason('net.ipv4.neigh.default.gc_thresh1'), /is global/);
  assert.match(reason('net.ipv4.neigh.default.gc_stale_time'), /is global/);
  assert.match(
    reason('net.ipv4.conf.all.rp_filte'),
    /has no key rp_filte that can be written; did you mean rp_filter\?$/,
  );
  assert.match(reason('net.ipv4.conf.all.mc_forwarding'), /can be read and not written/);
});

test('an unknown key is refused, with the nearest known one', () => {
  assert.match(
    reason('net.ipv4.tcp_tw_resue'),
    /not known to be per network namespace on 6\.18.*did you mean net\.ipv4\.tcp_tw_reuse\?$/,
  );
  assert.match(reason('net.dccp.default.seq_window'), /not known .*use the guarded host lab\.$/);
  assert.match(reason('net.ipv4.constructor'), /not known/);
});

test('no key stands twice, each can be parsed, and each is judged ok where it is per namespace', () => {
  const names = NETNS_KEYS.flatMap((row) => row.names.map((name) => row.prefix + name));
  assert.equal(new Set(names).size, names.length);
  const newest = parseKernelVersion('7.1');
  for (const name of names) {
    assert.equal(checkSysctlName(name), undefined);
    if (name !== 'net.ipv4.tcp_tw_recycle') assert.equal(reason(name, newest), 'ok');
  }
  for (const { tree, keys } of INTERFACE_TREES) {
    assert.equal(new Set(keys).size, keys.length);
    for (const key of keys) assert.equal(reason(`${tree}.lo.${key}`), 'ok');
  }
});

test('the keys that decide about ports are known', () => {
  assert.equal(PORT_SYSCTLS.length, new Set(PORT_SYSCTLS).size);
  for (const name of PORT_SYSCTLS) {
    assert.equal(checkSysctlName(name), undefined);
    assert.doesNotMatch(reason(name), /not known/);
  }
});

test('in a guest every sysctl that exists may be set: nothing of it is anybody else’s', () => {
  for (const name of [
    'vm.min_free_kbytes',
    'fs.file-max',
    'kernel.panic',
    'net.core.netdev_max_backlog',
    'net.core.rmem_max',
  ])
    for (const lab of ['vm', 'vagrant'] as const) assert.equal(reason(name, now, lab), 'ok', name);
  assert.match(reason('net.ipv4.tcp_tw_recycle', now, 'vm'), /was removed in 4\.12/);
  assert.equal(reason('net.ipv4.tcp_tw_recycle', old, 'vm'), 'ok');
  assert.match(reason('net.ipv4.tcp_tw_reuse_delay', parseKernelVersion('6.1.0'), 'vm'), /does not exist on 6\.1/);
  assert.match(reason('vm.drop_caches', now, 'vm'), /refused in every lab|action and not a setting/);
});
