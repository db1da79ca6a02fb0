/** What unbound and dnsdist are configured with, what they may be told, and what their logs say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dnsdist } from '../../src/subjects/dnsdist/dnsdist.js';
import type { ProxySetup } from '../../src/subjects/subject.js';
import { unbound } from '../../src/subjects/unbound/unbound.js';

const SETUP: ProxySetup = {
  directory: '/dev/shm/proxy',
  listen: [{ address: '198.18.64.1', port: 3128 }],
  destinations: [
    { address: '198.19.0.1', port: 9000 },
    { address: '198.19.0.1', port: 9001 },
  ],
  outgoing: ['10.50.0.1', '10.50.0.2'],
  clients: [['198.18.128.1'], ['198.18.128.2']],
  descriptors: 9000,
};

describe('unbound', () => {
  const textOf = (settings: Partial<typeof unbound.defaults> = {}) =>
    unbound.configure({ ...unbound.defaults, ...settings }, '/usr/sbin/unbound', SETUP).files['unbound.conf']!;

  it('listens where its clients are, asks from its outgoing addresses, and forwards to each destination', () => {
    const text = textOf();
    for (const line of [
      'interface: 198.18.64.1@3128',
      'outgoing-interface: 10.50.0.1',
      'outgoing-interface: 10.50.0.2',
      'forward-addr: 198.19.0.1@9000',
      'forward-addr: 198.19.0.1@9001',
    ])
      assert.ok(
        text.split('\n').some((each) => each.trim() === line),
        `${line}\n${text}`,
      );
    assert.doesNotMatch(text, /outgoing-port/);
  });

  it('has the ports of its own list and no others', () => {
    const lines = textOf({ ports: { low: 40_000, high: 40_019 } }).split('\n');
    const avoid = lines.findIndex((line) => line.includes('outgoing-port-avoid: "0-65535"'));
    const permit = lines.findIndex((line) => line.includes('outgoing-port-permit: "40000-40019"'));
    assert.ok(avoid >= 0 && permit > avoid, 'later lines win');
  });

  it('is modelled where the list decides alone', () => {
    const why = (settings: Partial<typeof unbound.defaults>) =>
      unbound.unmodelled!({ ...unbound.defaults, ports: { low: 40_000, high: 40_019 }, ...settings });
    assert.equal(why({}), null);
    assert.match(why({ threads: 2 })!, /each thread/);
    assert.match(why({ ports: null })!, /IANA/);
    assert.match(why({ outgoingRange: 10 })!, /at most 10 sockets/);
  });

  it('says that it found no port', () => {
    const read = (line: string) => unbound.readLine('unbound.log', line, SETUP);
    assert.deepEqual(read('[1764518400] unbound[17:0] error: failed to find an open port, drop msg'), {
      kind: 'failure',
      call: 'bind',
      errno: 'EADDRINUSE',
    });
    assert.deepEqual(read('[1764518400] unbound[17:0] fatal error: could not open ports'), {
      kind: 'trouble',
      what: 'it gave up: could not open ports',
    });
    assert.equal(read('[1764518400] unbound[17:0] info: start of service (unbound 1.17.1).'), null);
  });
});

describe('dnsdist', () => {
  const textOf = (settings: Partial<typeof dnsdist.defaults> = {}) =>
    dnsdist.configure({ ...dnsdist.defaults, ...settings }, '/usr/bin/dnsdist', SETUP).files['dnsdist.conf']!;

  it('has a server for each destination and outgoing address, with so many sockets', () => {
    const text = textOf({ sockets: 8 });
    assert.match(text, /^setLocal\("198\.18\.64\.1:3128"\)$/m);
    const servers = text.split('\n').filter((line) => line.startsWith('newServer'));
    assert.equal(servers.length, 4);
    assert.equal(servers[0], 'newServer({address="198.19.0.1:9000", sockets=8, source="10.50.0.1"}):setUp()');
  });

  it('leaves the address to the kernel without source', () => {
    const servers = textOf({ source: false })
      .split('\n')
      .filter((line) => line.startsWith('newServer'));
    assert.deepEqual(servers, [
      'newServer({address="198.19.0.1:9000", sockets=1}):setUp()',
      'newServer({address="198.19.0.1:9001", sockets=1}):setUp()',
    ]);
  });
});
