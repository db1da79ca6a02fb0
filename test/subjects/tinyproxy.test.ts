import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProxySetup } from '../../src/subjects/subject.js';
import { tinyproxy } from '../../src/subjects/tinyproxy/tinyproxy.js';

const SETUP: ProxySetup = {
  directory: '/dev/shm/proxy',
  listen: [{ address: '198.18.64.1', port: 3128 }],
  destinations: [{ address: '198.19.0.1', port: 9000 }],
  outgoing: ['10.50.0.1', '10.50.0.2'],
  clients: [['198.18.128.1'], ['198.18.128.2']],
  descriptors: 9050,
};

describe('tinyproxy', () => {
  it('listens where its clients are, and has a Bind line for each outgoing address', () => {
    const { files, argv } = tinyproxy.configure(tinyproxy.defaults, '/usr/bin/tinyproxy', SETUP);
    const lines = files['tinyproxy.conf']!.split('\n');
    assert.deepEqual(
      lines.filter((line) => /^(Listen|Port|Bind) /.test(line)),
      ['Listen 198.18.64.1', 'Port 3128', 'Bind 10.50.0.1', 'Bind 10.50.0.2'],
    );
    assert.ok(lines.includes('MaxClients 4500'), 'two descriptors for each');
    assert.ok(argv.includes('-d'), 'in the foreground');
  });

  it('says which version it is', () => {
    assert.equal(tinyproxy.version?.pattern.exec('tinyproxy 1.11.1\n')?.[1], '1.11.1');
  });

  it('says in its log what failed, but not the errno', () => {
    const at = 'Nov 29 12:18:57.442 [21826]:';
    const read = (line: string) => tinyproxy.readLine('tinyproxy.log', line, SETUP);
    assert.deepEqual(read(`ERROR     ${at} opensock: Could not establish a connection to 198.19.0.1:9000`), {
      kind: 'failure',
      call: null,
      errno: null,
    });
    assert.equal(
      read(`WARNING   ${at} Maximum number of connections reached. Refusing new connections.`)?.kind,
      'trouble',
    );
    assert.deepEqual(tinyproxy.readLine('standard error', 'Syntax error on line 8', SETUP), {
      kind: 'trouble',
      what: 'it gave up: Syntax error on line 8',
    });
    assert.equal(read(`CONNECT   ${at} Connect (file descriptor 5): 198.18.128.1`), null);
  });
});
