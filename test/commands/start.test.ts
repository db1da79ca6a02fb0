/** What a health check starts every few seconds loads no more than it needs: the start of a program is most of what a look costs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { CLI, ROOT } from '../support/cli.js';

/** Node's own modules that take milliseconds each, and the files of ours. */
const LATE = ['http', 'child_process', 'worker_threads', 'inspector', 'readline/promises', 'zlib', 'crypto', 'dgram'];
const SPY = `process.on('exit', () => require('node:fs').writeFileSync(process.env.SPY_REPORT, JSON.stringify({
  builtin: process.moduleLoadList.filter((each) => each.startsWith('NativeModule ')).map((each) => each.slice(13)),
  files: Object.keys(require.cache),
})));`;

interface Loaded {
  readonly builtin: readonly string[];
  readonly files: readonly string[];
}

/** What a command line has loaded in the end. */
function loadedBy(...args: readonly string[]): Loaded & { readonly stdout: string; readonly code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-start-'));
  try {
    const [spy, report] = [join(folder, 'spy.cjs'), join(folder, 'report.json')];
    writeFileSync(spy, SPY);
    const { status, stdout } = spawnSync(process.execPath, ['--require', spy, CLI, ...args], {
      encoding: 'utf8',
      env: { ...process.env, SPY_REPORT: report },
      timeout: 60_000,
    });
    const { builtin, files } = JSON.parse(readFileSync(report, 'utf8')) as Loaded;
    const own = files.filter((file) => file !== spy).map((file) => relative(ROOT, file));
    return { builtin, files: own, stdout, code: status };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const lateOf = ({ builtin }: Loaded) => LATE.filter((each) => builtin.includes(each));

describe('the start', () => {
  it('of --version: one file, and nothing of its own', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    for (const flag of ['--version', '-V']) {
      const loaded = loadedBy(flag);
      assert.deepEqual([loaded.stdout, loaded.code], [`${version}\n`, 0]);
      assert.deepEqual(loaded.files, ['dist/bundle/cli/main.js']);
      assert.deepEqual(lateOf(loaded), []);
    }
  });

  it('of a look: one file and what calls C', () => {
    const loaded = loadedBy('watch', '--once', '--json');
    assert.ok('addresses' in (JSON.parse(loaded.stdout) as object));
    const [main, ...others] = loaded.files;
    assert.equal(main, 'dist/bundle/cli/main.js');
    assert.ok(
      others.length > 0 && others.every((file) => /^node_modules\/(?:@koromix|koffi)\//.test(file)),
      `${others}`,
    );
    assert.deepEqual(
      lateOf(loaded).filter((each) => each !== 'inspector' && each !== 'worker_threads'),
      [],
      'the inspector is looked at after 100 ms, which a slow machine may take',
    );
  });

  it('of another command is seen to be more, so that this test can tell', () => {
    assert.ok(lateOf(loadedBy('profiles')).includes('child_process'));
  });
});
