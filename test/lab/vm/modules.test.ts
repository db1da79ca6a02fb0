import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONNTRACK, dependenciesOf, modulesToLoad, orderModules } from '../../../src/lab/vm/modules.js';
import { scratchFolder } from '../../support/cli.js';

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  veth: [],
  ipv6: ['crc_ccitt'],
  tcp_diag: ['inet_diag', 'sock_diag'],
  inet_diag: ['sock_diag'],
  sock_diag: [],
  crc_ccitt: [],
};
const order = (...wanted: string[]) => orderModules(wanted, (name) => NEEDS[name]);

test('each module follows those that it needs, the deepest first', () => {
  assert.deepEqual(order('veth', 'tcp_diag', 'ipv6'), [
    'veth',
    'sock_diag',
    'inet_diag',
    'tcp_diag',
    'crc_ccitt',
    'ipv6',
  ]);
});

test('what is built in or missing is left out', () => {
  assert.deepEqual(order('virtio_net', 'crc_ccitt'), ['crc_ccitt']);
  assert.deepEqual(
    orderModules(['a'], (name) => (name === 'a' ? ['built_in'] : undefined)),
    ['a'],
  );
});

test('modules are those that are installed, not those where the kernel was built', (t) => {
  const folder = scratchFolder(t);
  const [installed, built] = [join(folder, '6.1.0', 'kernel', 'net'), join(folder, 'build')];
  for (const path of [installed, built]) {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'veth.ko'), '');
  }
  symlinkSync(built, join(folder, '6.1.0', 'source'));
  assert.deepEqual(modulesToLoad(join(folder, '6.1.0')), [join(installed, 'veth.ko')]);
});

test('what is no module needs nothing', () => {
  assert.deepEqual(dependenciesOf(Buffer.from('not a module')), []);
});

test('connection tracking is the module, and before 4.19 that of IPv4 too', () => {
  const needs: Record<string, string[]> = { nf_conntrack: ['nf_defrag_ipv4'], nf_defrag_ipv4: [] };
  const ordered = (names: Record<string, string[]>) => orderModules(CONNTRACK, (name) => names[name]);
  assert.deepEqual(ordered(needs), ['nf_defrag_ipv4', 'nf_conntrack']);
  const old = { ...needs, nf_conntrack_ipv4: ['nf_conntrack'] };
  assert.deepEqual(ordered(old), ['nf_defrag_ipv4', 'nf_conntrack', 'nf_conntrack_ipv4']);
});
