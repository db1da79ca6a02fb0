import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { normaliseSysctl } from '../../src/domain/sysctl-syntax.js';
import { readSysctl, readSysctls, writeSysctl } from '../../src/kernel/sysctl.js';

test('white space in a value is one space', () => {
  assert.equal(normaliseSysctl('32768\t60999\n'), '32768 60999');
  assert.equal(normaliseSysctl('  4096   131072\t 6291456 '), '4096 131072 6291456');
  assert.equal(normaliseSysctl('\n'), '', 'an empty list of reserved ports');
});

test('a sysctl is the file of its name, with / for each dot', () => {
  assert.deepEqual(readSysctl('kernel.ostype'), { ok: true, value: 'Linux' });
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  assert.deepEqual(readSysctl('net.ipv4.ip_local_port_range'), {
    ok: true,
    value: range.trim().split('\t').join(' '),
  });
});

test('a / in a name is a dot of the file’s name, so that it leads nowhere else', () => {
  assert.deepEqual(readSysctl('kernel/ostype'), { ok: false, errno: 'ENOENT' });
});

test('what cannot be read or written says why', () => {
  assert.deepEqual(readSysctl('net.ipv4.no_such_key'), { ok: false, errno: 'ENOENT' });
  assert.deepEqual(readSysctl('net.ipv4'), { ok: false, errno: 'EISDIR' });
  const written = writeSysctl('net.ipv4.no_such_key', '1');
  assert.ok(!written.ok && /^E[A-Z]+$/.test(written.errno), JSON.stringify(written));
});

test('of several, those that are there', () => {
  assert.deepEqual(readSysctls(['net.ipv4.no_such_key', 'kernel.ostype']), { 'kernel.ostype': 'Linux' });
  assert.deepEqual(readSysctls([]), {});
});
