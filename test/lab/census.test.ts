// needs: ruby, php-cli, golang-go, default-jdk-headless
/**
 * Where runtimes fail, and with which words, when 8 ports are gone: as measured by hand, with strace, on Debian 12.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onInternet } from '../support/internet.js';
import { RUNTIMES, SOURCES } from '../support/runtimes.js';

const SOURCE = '10.9.0.1';
const RANGE = { 'net.ipv4.ip_local_port_range': '41000 41007' };
const P = 8;

/** P for each destination, or P for the address; and what is said when there is no more. */
interface Row {
  readonly bound: 'P' | 'P·D';
  readonly connectSays: string;
  readonly bindSays: string;
}

const EXPECTED: Readonly<Record<keyof typeof RUNTIMES, Row>> = {
  'Node.js, net': {
    bound: 'P',
    connectSays: 'EADDRNOTAVAIL connect connect EADDRNOTAVAIL 192.0.2.10:8081 - Local (0.0.0.0:0)',
    bindSays: 'EADDRINUSE connect connect EADDRINUSE 192.0.2.10:8081',
  },
  'Python, http.client': {
    bound: 'P',
    connectSays: "OSError(99, 'Cannot assign requested address')",
    bindSays: "OSError(98, 'Address already in use')",
  },
  'Ruby, Net::HTTP': {
    bound: 'P',
    connectSays:
      'Errno::EADDRNOTAVAIL Failed to open TCP connection to 192.0.2.10:8081 (Cannot assign requested address - connect(2) for 192.0.2.10:8081)',
    bindSays:
      'Errno::EADDRINUSE Failed to open TCP connection to 192.0.2.10:8081 (Address already in use - bind(2) for 10.9.0.1)',
  },
  'Ruby, TCPSocket': {
    bound: 'P',
    connectSays: 'Errno::EADDRNOTAVAIL Cannot assign requested address - connect(2) for "192.0.2.10" port 8081',
    bindSays: 'Errno::EADDRINUSE Address already in use - bind(2) for "10.9.0.1" port ',
  },
  PHP: {
    // IP_BIND_ADDRESS_NO_PORT
    bound: 'P·D',
    connectSays: '99 Cannot assign requested address',
    bindSays: '99 Cannot assign requested address',
  },
  'Java, Socket': {
    bound: 'P',
    connectSays: 'java.net.BindException: Cannot assign requested address',
    bindSays: 'java.net.BindException: Address already in use',
  },
  Go: {
    bound: 'P',
    connectSays: 'dial tcp 192.0.2.10:8081: connect: cannot assign requested address',
    bindSays: 'dial tcp 10.9.0.1:0->192.0.2.10:8081: bind: address already in use',
  },
};

describe('runtimes with 8 ports', { concurrency: 2 }, () => {
  const classes = mkdtempSync(join(tmpdir(), 'bindstorm-census-'));

  before(() => {
    for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(classes, name), text);
    const env = { ...process.env, HOME: classes, GOCACHE: join(classes, 'cache'), GO111MODULE: 'off' };
    for (const [compiler, ...rest] of [
      ['javac', 'Census.java'],
      ['go', 'build', 'census.go'],
    ] as const) {
      const { status, stderr } = spawnSync(compiler, rest, { cwd: classes, env, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
  });
  after(() => rmSync(classes, { recursive: true, force: true }));

  for (const [name, { bound, connectSays, bindSays }] of Object.entries(EXPECTED)) {
    for (const source of [null, SOURCE]) {
      const second = source === null || bound === 'P·D' ? P : 0;
      it(`${name}${source === null ? '' : `, source ${source}`}: ${P} to the first, ${second} to the second`, async () => {
        const command = RUNTIMES[name]!(source).map((word) => word.replace('{classes}', classes));
        const run = await onInternet(command, { addresses: [SOURCE], sysctls: RANGE, until: 'done' });
        const lines = run.stdout.trim().split('\n');
        const says = source === null ? connectSays : bindSays;
        assert.deepEqual(
          lines.slice(0, 2).map((line) => line.split(' ')[1]),
          [`${P}`, `${second}`],
          run.stderr,
        );
        assert.equal(lines[1]!.split(' ').slice(2).join(' '), says);
        assert.equal(run.stats.accepted, P + second);
        assert.equal(run.states.ESTABLISHED, P + second);
      });
    }
  }
});
