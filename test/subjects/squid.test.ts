import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { squid } from '../../src/subjects/squid/squid.js';
import type { ProxySetup } from '../../src/subjects/subject.js';
import { SQUID } from '../support/proxies.js';

const SETUP: ProxySetup = {
  directory: '/dev/shm/proxy',
  listen: [{ address: '198.18.1.2', port: 3128 }],
  destinations: [{ address: '198.19.0.1', port: 9000 }],
  outgoing: ['10.50.0.1', '10.50.0.2', '10.50.0.3'],
  clients: [['198.18.128.1', '198.18.128.2'], ['198.18.128.3', '198.18.128.4'], ['198.18.128.5']],
  descriptors: 9000,
};

function configOf(settings: Partial<typeof SQUID> = {}, place: Partial<ProxySetup> = {}): string[] {
  const { files } = squid.configure({ ...SQUID, ...settings }, '/usr/sbin/squid', { ...SETUP, ...place });
  return files['squid.conf']!.split('\n');
}

describe('the configuration of squid', () => {
  it('gives each outgoing address to its own clients', () => {
    const lines = configOf().filter((line) => /^(?:acl|tcp_outgoing_address) /.test(line));
    assert.deepEqual(lines, [
      'acl client0 src 198.18.128.1-198.18.128.2',
      'tcp_outgoing_address 10.50.0.1 client0',
      'acl client1 src 198.18.128.3-198.18.128.4',
      'tcp_outgoing_address 10.50.0.2 client1',
      'acl client2 src 198.18.128.5',
      'tcp_outgoing_address 10.50.0.3 client2',
    ]);
  });

  it('draws with equal chances: 1/K, 1/(K-1) …, and the last for all that are left', () => {
    const lines = configOf({ outgoing: 'random' }).filter((line) => /^(?:acl|tcp_outgoing_address) /.test(line));
    assert.deepEqual(lines, [
      'acl draw0 random 1/3',
      'tcp_outgoing_address 10.50.0.1 draw0',
      'acl draw1 random 1/2',
      'tcp_outgoing_address 10.50.0.2 draw1',
      'tcp_outgoing_address 10.50.0.3',
    ]);
  });

  it('asks no ACL for a single address', () => {
    const lines = configOf({}, { outgoing: ['10.50.0.1'], clients: [['198.18.128.1']] });
    assert.deepEqual(
      lines.filter((line) => /acl|outgoing/.test(line)),
      ['tcp_outgoing_address 10.50.0.1'],
    );
  });

  it('has what the profile asks for, its own lines last', () => {
    const lines = configOf({ persistent: true, config: ['forwarded_for delete', 'via off'] });
    assert.ok(lines.includes('http_port 198.18.1.2:3128'));
    assert.ok(lines.includes('max_filedescriptors 9000'));
    assert.ok(lines.includes('server_persistent_connections on'));
    assert.deepEqual(lines.slice(-3), ['forwarded_for delete', 'via off', '']);
    assert.ok(configOf().includes('server_persistent_connections off'));
    assert.ok(
      configOf({}, { listen: [{ address: 'fdb5:0:2::2', port: 3128 }] }).includes('http_port [fdb5:0:2::2]:3128'),
    );
  });

  it('stays in the foreground', () => {
    const { argv } = squid.configure(SQUID, '/opt/squid', SETUP);
    assert.deepEqual(argv, ['/opt/squid', '-N', '-n', 'bindstorm', '-f', '/dev/shm/proxy/squid.conf']);
  });
});

describe('what the log of squid says', () => {
  const read = (line: string, log = 'cache.log') => squid.readLine(log, line, SETUP);
  const inUse = { kind: 'failure', call: 'bind', errno: 'EADDRINUSE' };

  it('an outgoing address that has no port left, as 2014 and 5.7 say it', () => {
    assert.deepEqual(
      read('2026/11/22 04:49:49| commBind Cannot bind socket FD 415 to 10.50.0.1: (98) Address already in use'),
      inUse,
    );
    assert.deepEqual(
      read('2014/05/22 20:12:40| commBind: Cannot bind socket FD 482 to 10.50.0.2: (98) Address already in use'),
      inUse,
    );
    assert.deepEqual(
      read('2026/11/22 04:49:49 kid1| ERROR: commBind Cannot bind socket FD 9 to 10.50.0.3: (99) Cannot assign'),
      { kind: 'failure', call: 'bind', errno: 'EADDRNOTAVAIL' },
    );
  });

  it('IPv6 addresses, in brackets or without', () => {
    const place = { ...SETUP, outgoing: ['fd00:50::1'] };
    for (const address of ['[fd00:50::1]', 'fd00:50::1'])
      assert.deepEqual(
        squid.readLine(
          'cache.log',
          `2026/11/22 04:49:49| commBind Cannot bind socket FD 9 to ${address}: (98) Address already in use`,
          place,
        ),
        inUse,
      );
  });

  it('a listener that cannot be bound is no outgoing failure', () => {
    assert.deepEqual(
      read('2026/11/22 04:33:13| commBind Cannot bind socket FD 13 to 10.8.0.7:99: (13) Permission denied'),
      { kind: 'trouble', what: 'it could not bind its listener 10.8.0.7:99 (EACCES: Permission denied)' },
    );
  });

  it('descriptors, and giving up', () => {
    assert.deepEqual(read('2026/11/22 04:33:13| WARNING! Your cache is running out of filedescriptors'), {
      kind: 'trouble',
      what: 'it ran out of descriptors',
    });
    assert.deepEqual(read('2026/11/22 04:40:24| FATAL: Unable to open HTTP Socket'), {
      kind: 'trouble',
      what: 'it gave up: FATAL: Unable to open HTTP Socket',
    });
  });

  it('how a request ended', () => {
    const line = '1795322989.123      2 198.18.128.1 NONE_NONE/503 0 CONNECT 198.19.0.1:9000 - HIER_NONE/- -';
    assert.deepEqual(read(line, 'access.log'), { kind: 'request', result: 'NONE_NONE/503' });
    assert.equal(read('nonsense', 'access.log'), null);
  });

  it('nothing, most of the time', () => {
    assert.equal(read('2026/11/22 04:33:13| HTCP Disabled.'), null);
    assert.equal(read('    current master transaction: master474'), null);
    assert.equal(read('2026/11/22 04:40:24| FATAL: bungled', 'standard error'), null);
  });

  it('the version', () => {
    assert.equal(squid.version!.pattern.exec('Squid Cache: Version 5.7\nService Name: squid\n')?.[1], '5.7');
  });
});
