import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSysctl, reservedRanges, sysctlPath } from '../../src/capacity/sysctl-syntax.js';

test('names and values as sysctl(8) writes them', () => {
  const good: [string, string | number, string][] = [
    ['net.ipv4.ip_local_port_range', '1024 65535', '1024 65535'],
    ['net.ipv4.ip_local_port_range', ' 32768\t60999 ', '32768 60999'],
    ['net.ipv4.tcp_rmem', '4096 87380 33554432 ', '4096 87380 33554432'],
    ['net.ipv4.tcp_tw_reuse', 1, '1'],
    ['net.ipv4.tcp_adv_win_scale', '-2', '-2'],
    ['net.ipv4.tcp_congestion_control', 'cubic', 'cubic'],
    ['net.ipv4.ip_local_reserved_ports', '8080,9000-9100', '8080,9000-9100'],
    ['net.ipv4.ip_local_reserved_ports', '', ''],
    ['net.ipv4.conf.eth0/100.rp_filter', '0', '0'],
    ['net.ipv6.conf.Wg_0-a.disable_ipv6', '1', '1'],
    ['net.bridge.bridge-nf-call-iptables', '0', '0'],
    ['vm.min_free_kbytes', '65536', '65536'],
    ['fs.file-max', '100000', '100000'],
  ];
  for (const [name, value, expected] of good) assert.deepEqual(parseSysctl(name, value), { name, value: expected });
});

test('hostile names are refused', () => {
  const bad = [
    '',
    'net',
    'net.',
    '.net.ipv4',
    'net..ipv4',
    'net.ipv4.',
    'net/ipv4/ip_forward',
    '/proc/sys/net/ipv4/ip_forward',
    '../../etc/passwd',
    'net.ipv4/../../../etc/passwd',
    'net.ipv4.conf.//.rp_filter',
    'net.ipv4.conf.eth0//100.rp_filter',
    'net.ipv4.conf./eth0.rp_filter',
    'net.ipv4.conf.eth0/.rp_filter',
    'net.ipv4.conf...rp_filter',
    'net.ipv4.conf.eth0/100',
    'net.ipv4.route/x.flush',
    'vm/../net.ipv4',
    'Net.ipv4.ip_forward',
    'net.IPv4.ip_forward',
    'net.ipv4.ip_forward=1',
    'net.ipv4.ip_forward;reboot',
    'net.ipv4.$(reboot)',
    'net.ipv4.`reboot`',
    'net.ipv4.ip forward',
    'net.ipv4.ip_forward\n',
    'net.ipv4.ip_forward\0',
    'net.ipv4.*',
    'net.ipv4.ip_förward',
    '-w',
    'user.max_net_namespaces',
    'dev.cdrom.lock',
    'abi.vsyscall32',
    `net.${'a'.repeat(200)}`,
    '__proto__',
    'constructor',
  ];
  for (const name of bad) {
    const result = parseSysctl(name, '1');
    assert.equal(typeof result, 'string', JSON.stringify(name));
    assert.doesNotMatch(result as string, /\n|\0/, 'the message stays on one line');
  }
});

test('hostile values are refused', () => {
  const bad = [
    '',
    ' ',
    '1\n2',
    '1\n',
    '1\r',
    '1\0',
    '1;reboot',
    '$(reboot)',
    '|/bin/sh',
    '/bin/sh',
    '0x10',
    '1.5',
    '--1',
    'two words',
    '1,2,',
    '70000-70001',
    '1'.repeat(2000),
    Array.from({ length: 17 }, () => '1').join(' '),
    '１',
  ];
  for (const value of bad) {
    assert.equal(typeof parseSysctl('net.ipv4.tcp_rmem', value), 'string', JSON.stringify(value));
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e21, 0.5]) {
    assert.match(parseSysctl('net.ipv4.tcp_rmem', value) as string, /a number must be a whole one/);
  }
  for (const value of ['8080\n', '\n', '8080,\u2028 9000']) {
    assert.equal(typeof parseSysctl('net.ipv4.ip_local_reserved_ports', value), 'string', JSON.stringify(value));
  }
});

test('port lists and ranges are checked for sense', () => {
  for (const value of ['1024-65535', '0 65535', '1024 65536', '2000 1000', '1024', '1024 2000 3000', 'cubic', '']) {
    assert.match(parseSysctl('net.ipv4.ip_local_port_range', value) as string, /two ports from 1 to 65535 and a space/);
  }
  for (const value of ['0', '9100-9000', '65536', '80, 90', '80 90', 'http']) {
    assert.match(parseSysctl('net.ipv4.ip_local_reserved_ports', value) as string, /with commas and no spaces/);
  }
});

test('a path is answered with its dotted form', () => {
  assert.match(
    parseSysctl('/proc/sys/net/ipv4/ip_forward', 1) as string,
    /write it with dots, as net\.ipv4\.ip_forward$/,
  );
  assert.match(parseSysctl('net/ipv4/ip_forward', 1) as string, /as net\.ipv4\.ip_forward$/);
});

test('the file of a name', () => {
  assert.equal(sysctlPath('net.ipv4.conf.eth0/100.rp_filter'), 'net/ipv4/conf/eth0.100/rp_filter');
  assert.equal(sysctlPath('net.core.somaxconn'), 'net/core/somaxconn');
});

test('reserved ranges', () => {
  assert.deepEqual(reservedRanges('8080,9000-9100'), [
    { low: 8080, high: 8080 },
    { low: 9000, high: 9100 },
  ]);
  assert.deepEqual(reservedRanges(''), []);
});
