import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { microsocks } from '../../src/subjects/microsocks/microsocks.js';
import type { ProxySetup } from '../../src/subjects/subject.js';

const SETUP: ProxySetup = {
  directory: '/dev/shm/proxy',
  listen: [{ address: '198.18.64.1', port: 3128 }],
  destinations: [{ address: '198.19.0.1', port: 9000 }],
  outgoing: ['10.50.0.1'],
  clients: [['198.18.128.1']],
  descriptors: 9000,
};

describe('microsocks', () => {
  it('listens where its clients are, and connects from its outgoing address', () => {
    const { files, argv } = microsocks.configure(microsocks.defaults, '/usr/bin/microsocks', SETUP);
    assert.deepEqual(files, {});
    assert.deepEqual(argv.slice(1), ['-i', '198.18.64.1', '-p', '3128', '-b', '10.50.0.1']);
  });

  it('says on standard error what failed', () => {
    const read = (line: string) => microsocks.readLine('standard error', line, SETUP);
    assert.deepEqual(read('socket/connect: Address already in use'), {
      kind: 'failure',
      call: 'bind',
      errno: 'EADDRINUSE',
    });
    assert.deepEqual(read('socket/connect: Cannot assign requested address'), {
      kind: 'failure',
      call: 'connect',
      errno: 'EADDRNOTAVAIL',
    });
    assert.deepEqual(read('socket/connect: Connection refused'), { kind: 'failure', call: null, errno: null });
    assert.deepEqual(read('socket/connect: Too many open files'), {
      kind: 'trouble',
      what: 'it ran out of descriptors',
    });
    assert.equal(read('client[4] 198.18.128.1: connected to 198.19.0.1:9000'), null);
  });
});
