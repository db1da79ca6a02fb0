import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from './support/cli.js';
import {
  decide,
  type Group,
  installCommand,
  packagesOf,
  TEST_PACKAGES,
  type TestFile,
  withoutPackages,
} from './support/packages.js';

const squid = { name: 'squid', program: 'squid', why: 'the proxy squid, a subject' };
const strace = { name: 'strace', program: 'strace', why: 'counts calls' };
const file = (path: string, group: Group, needs?: string): TestFile => ({
  path: `/x/dist/test/${path}.test.js`,
  group,
  text: needs === undefined ? '/** A test. */' : `// needs: ${needs}\n/** A test. */`,
});
const files = [
  file('kernel/errno', 'unit'),
  file('lab/squid', 'lab', 'squid, strace'),
  file('lab/walls', 'lab', 'squid'),
  file('e2e/run', 'e2e'),
];

describe('packages that the tests need', () => {
  it('are read from the head of a test file', () => {
    assert.deepEqual(files.map(packagesOf), [
      [],
      ['util-linux', 'squid', 'strace'],
      ['util-linux', 'squid'],
      ['util-linux'],
    ]);
  });

  it('have a row each, and each row is needed by a test', () => {
    const named = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .flatMap((name) => packagesOf({ group: 'lab', text: readFileSync(join(ROOT, 'test', name), 'utf8') }));
    const rows = TEST_PACKAGES.map(({ name }) => name);
    assert.deepEqual(new Set(named), new Set(rows));
    assert.equal(new Set(rows).size, rows.length);
  });

  it('are not mentioned when none is missing', () => {
    assert.deepEqual(decide({ missing: [], mayInstall: true, declined: '1' }, files), { action: 'nothing', lines: [] });
  });

  it('are installed by root, which is told first what each is for and which tests need it', () => {
    const { action, lines } = decide({ missing: [squid, strace], mayInstall: true, declined: undefined }, files);
    assert.equal(action, 'install');
    assert.deepEqual(lines, [
      'the tests need Debian packages that are missing here:',
      '  squid   the proxy squid, a subject; needed by lab/squid.test, lab/walls.test',
      '  strace  counts calls; needed by lab/squid.test',
      'installing them: apt-get install --no-install-recommends squid strace (BINDSTORM_NO_APT=1 declines)',
    ]);
  });

  it('are not installed when declined', () => {
    for (const mayInstall of [true, false]) {
      const { action, lines } = decide({ missing: [squid], mayInstall, declined: '1' }, files);
      assert.equal(action, 'declined');
      assert.match(lines.at(-1)!, /nothing is installed; the tests that need them are skipped/);
    }
    assert.equal(decide({ missing: [squid], mayInstall: true, declined: '0' }, files).action, 'install');
    assert.equal(decide({ missing: [squid], mayInstall: true, declined: '' }, files).action, 'install');
  });

  it('are named, with the command, where they cannot be installed', () => {
    const { action, lines } = decide({ missing: [squid], mayInstall: false, declined: undefined }, files);
    assert.equal(action, 'cannot');
    assert.ok(lines.join('\n').includes(installCommand([squid])));
    assert.match(lines.join('\n'), /will fail/);
  });

  it('skip the files that need them, by name and with the reason', () => {
    assert.deepEqual(withoutPackages(files, [strace]), {
      run: [files[0], files[2], files[3]],
      skipped: ['lab/squid.test: needs strace, declined by BINDSTORM_NO_APT'],
    });
    assert.deepEqual(withoutPackages(files, []), { run: files, skipped: [] });
  });
});
