/**
 * The package of npm on a machine that has Node, util-linux and nothing else: packed, installed as its users do it, and started as root and as an
 * ordinary user.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bareRoot, noBareRoot } from '../support/bare-root.js';
import { ROOT, scratchFolder } from '../support/cli.js';
import { smokeTest } from '../support/smoke.js';

/** Of npm where the registry is not reached, and its cache lacks a package. */
const NO_REGISTRY = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/;

test('the package of npm, installed where there is nothing but Node and util-linux', {
  skip: noBareRoot,
}, async (t) => {
  const folder = scratchFolder(t);
  // What scripts/test.mjs has taken away, with which npm may know its registry.
  const { BINDSTORM_TEST_CA_CERTS, ...rest } = process.env;
  const env = BINDSTORM_TEST_CA_CERTS ? { ...rest, NODE_EXTRA_CA_CERTS: BINDSTORM_TEST_CA_CERTS } : rest;
  const npm = (...args: string[]) => spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', env });
  const packed = npm('pack', '--ignore-scripts', '--pack-destination', folder);
  assert.equal(packed.status, 0, packed.stderr);
  const [archive] = readdirSync(folder);
  const root = bareRoot(t);
  root.add(process.execPath, '/usr/local/bin/node');
  // #!/usr/bin/env node
  root.add('env');
  const prefix = join(root.folder, 'usr/local');
  const options = ['--global', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', '--prefix', prefix];
  const installed = npm('install', ...options, join(folder, archive!));
  if (installed.status !== 0 && NO_REGISTRY.test(installed.stderr)) {
    t.skip(`npm cannot be reached: ${installed.stderr.trim().split('\n')[0]}`);
    return;
  }
  assert.equal(installed.status, 0, installed.stderr);
  assert.ok(existsSync(join(prefix, 'share/man/man1/bindstorm.1')), 'the manual page');
  await smokeTest(root, '/usr/local/bin/bindstorm');
});
