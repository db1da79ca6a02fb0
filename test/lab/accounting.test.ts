// needs: lsof, net-tools, psmisc, iproute2
/**
 * Which common numbers are wrong by how much: 20 of 20 ports are taken, the next bind() is refused, and each tool says something else. The table is in
 * docs/watch.md.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, release } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { CLI, ROOT } from '../support/cli.js';

const DRIVER = fileURLToPath(new URL('../support/twenty-ports.js', import.meta.url));
const listsBound = atLeast(parseKernelVersion(release()), '6.8');

describe('of 20 ports that are all taken', () => {
  let said: Record<string, number | string> = {};
  before(() => {
    const [program, ...args] = netnsCommand([process.execPath, DRIVER, CLI], process.getuid?.() === 0);
    const { stdout, stderr, status } = spawnSync(program!, args, { encoding: 'utf8', timeout: 60_000 });
    assert.equal(status, 0, stderr);
    said = JSON.parse(stdout);
  });

  test('the next bind() is refused', () => assert.equal(said.refused, constants.errno.EADDRINUSE));
  test('watch counts 20', { skip: !listsBound && 'before Linux 6.8 nobody lists bound sockets' }, () =>
    assert.equal(said.watch, 20),
  );

  /** The rows of the page, by what they are called there. */
  const ROWS: readonly (readonly [label: string, key: string, says: number | string])[] = [
    ['`netstat -tan`', 'netstat', 16],
    ['`/proc/net/tcp`', 'proc', 16],
    ['`lsof -iTCP`', 'lsof', 9],
    ['`fuser -n tcp PORT`', 'fuser', ''],
    ['`ss -s`, timewait', 'ssTimeWait', 9],
    ['`/proc/net/sockstat`, tw', 'sockstatTimeWait', 9],
    ['`nstat`, TcpExtTW', 'tw', 9],
    ['`ss -s`, estab', 'ssEstab', 15],
    ['`netstat -tan`, lines with ESTABLISHED', 'netstatEstablished', 10],
  ];
  const page = readFileSync(join(ROOT, 'docs', 'watch.md'), 'utf8');
  for (const [label, key, says] of ROWS) {
    test(`${label} says ${says === '' ? 'nothing' : says}, and so does the page`, () => {
      assert.equal(said[key], says, JSON.stringify(said));
      const row = page.split('\n').find((line) => line.startsWith(`| ${label} |`));
      assert.ok(row?.startsWith(`| ${label} | ${says === '' ? 'nothing' : says} |`), `${label}: ${row}`);
    });
  }

  test('and 4 sockets are in TIME_WAIT, 10 in ESTABLISHED, both ends of 5 connections', () =>
    assert.deepEqual([said.timeWaitRows, said.establishedRows], [4, 10]));
  test('ss -tan has those that are bound only where it asks for them', () =>
    assert.ok(said.ss === 16 || (listsBound && said.ss === 20), String(said.ss)));
});
