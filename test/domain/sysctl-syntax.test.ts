import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSysctlName, checkSysctlValue } from '../../src/domain/sysctl-syntax.js';

test('names that sysctl(8) writes', () => {
  for (const name of [
    'net.ipv4.tcp_tw_reuse',
    'net.ipv4.conf.eth0.rp_filter',
    'net.netfilter.nf_conntrack_max',
    'vm.min_free_kbytes',
    'fs.file-max',
    'kernel.pid_max',
  ]) {
    assert.equal(checkSysctlName(name), undefined, name);
  }
});

test('names that could reach another file, or a shell', () => {
  for (const name of [
    '',
    '.',
    'net',
    'net.',
    '.net.ipv4',
    'net..x',
    'net.ipv4.../x',
    '../net.ipv4.x',
    '/proc/sys/net/ipv4/tcp_tw_reuse',
    'net.ipv4.x y',
    'net.ipv4.x\n',
    'net.ipv4.x\0',
    'net.ipv4.$x',
    'net.ipv4.`x`',
    'net.ipv4.*',
    'net.ipv4.ｘ',
    'sunrpc.x',
    `net.${'x'.repeat(125)}`,
  ]) {
    assert.match(checkSysctlName(name) ?? 'accepted', / a name/, JSON.stringify(name));
  }
});

test('a name that was nearly right is given right', () => {
  assert.match(checkSysctlName('/proc/sys/net/ipv4/tcp_tw_reuse')!, /write net\.ipv4\.tcp_tw_reuse$/);
  assert.match(checkSysctlName('ipv4.ip_forward')!, /write net\.ipv4\.ip_forward$/);
  assert.doesNotMatch(checkSysctlName('net/../kernel/x')!, /write/);
});

test('values: numbers, a word, a port list', () => {
  for (const value of [
    '1',
    '0',
    '-1',
    '1024 65535',
    '4096\t87380\t33554432',
    'cubic',
    'fq_codel',
    '8080,9000-9100',
    '0x1f',
  ]) {
    assert.equal(checkSysctlValue('net.ipv4.tcp_x', value), undefined, value);
  }
});

test('values that are more than that', () => {
  for (const value of [
    '',
    ' ',
    ' 1',
    '1 ',
    '1  2',
    '1\n',
    '1\n2',
    '1;2',
    '$(x)',
    '`x`',
    '|x',
    'a b',
    'a/b',
    '1,',
    '1-2,3-',
    '1\u00002',
    'yes',
    'True',
    'off',
    '9'.repeat(257),
  ]) {
    assert.match(
      checkSysctlValue('net.ipv4.tcp_x', value) ?? 'accepted',
      /; (?:a value|and the kernel|write)|is not a/,
      JSON.stringify(value),
    );
  }
});

test('port ranges and lists have a form of their own', () => {
  const range = (value: string) => checkSysctlValue('net.ipv4.ip_local_port_range', value);
  const reserved = (value: string) => checkSysctlValue('net.ipv4.ip_local_reserved_ports', value);
  assert.equal(range('1024 65535'), undefined);
  for (const value of ['1024', '1024-65535', '65535 1024', '0 100', '1024 70000', 'cubic'])
    assert.match(range(value)!, /two ports from 1 to 65535/);
  for (const value of ['', '8080', '8080,9000-9100']) assert.equal(reserved(value), undefined);
  for (const value of ['0', '70000', '9100-9000', '80 81', 'x'])
    assert.match(reserved(value)!, /is not a port list; write ports and ranges/);
});

test('an interface with a dot is written with a slash, as sysctl(8) does', () => {
  assert.equal(checkSysctlName('net.ipv4.conf.eth0/100.rp_filter'), undefined);
  assert.match(checkSysctlName('net.ipv4.conf/../../../vm/x')!, /; a name /);
  assert.match(checkSysctlName('net.ipv4.conf.eth0/../x.rp_filter')!, /; a name /);
});
