/**
 * The smoke test of an installation, whatever it was made as: the package of npm, a single file, a Debian package.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CapacityAnswer } from '../../src/capacity/question.js';
import type { Look } from '../../src/gauge/look.js';
import type { Finding } from '../../src/lab/finding.js';
import type { Results } from '../../src/results/schema.js';
import { type BareRoot, WHO } from './bare-root.js';
import { type CliEnd, ROOT, runCli } from './cli.js';
import { TINY_OUTCOMES, tinyProfile } from './tiny.js';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const LINE = 'connect() to 10.9.255.1:8080 failed (99: Cannot assign requested address) while connecting to upstream';

/** Start it as root and as an ordinary user, in its root folder, and let it do a little of each thing. @param program its path there */
export async function smokeTest(root: Pick<BareRoot, 'folder' | 'within'>, program: string): Promise<void> {
  for (const who of WHO) {
    const within = root.within(who);
    const env = { XDG_CACHE_HOME: '', XDG_STATE_HOME: '' };
    const run = (...args: string[]) => runCli(args, { cwd: ROOT, within, env, program: [program] });
    const json = async <T>(...args: string[]) => JSON.parse(passed(await run(...args)).stdout) as T;

    assert.equal(passed(await run('--version')).stdout, `${version}\n`, who);
    assert.match(passed(await run('explain', LINE)).stdout, /nginx[\s\S]*EADDRNOTAVAIL/, who);
    const asked = ['capacity', '--strategy', 'bind', '--kernel', '6.1', '--range', '40000-40099', '--json'];
    assert.equal((await json<CapacityAnswer>(...asked)).ports, 100, who);
    const look = await json<Look>('watch', '--once', '--json');
    assert.ok(look.capacity.ports > 0 && look.capacity.ports <= 65_535, who);
    const findings = await json<Finding[]>('doctor', '--json');
    assert.deepEqual(
      findings.filter(({ state }) => state === 'missing'),
      [],
      who,
    );
    assert.equal(findings.find(({ what }) => what === 'network namespaces')?.state, 'ok', who);

    // A small experiment: agents, roles and load workers, each started from a file of its own.
    writeFileSync(join(root.folder, 'tmp', 'tiny.yaml'), tinyProfile());
    const out = `/tmp/reports-${WHO.indexOf(who)}`;
    const results = await json<Results>('run', '/tmp/tiny.yaml', '--out', out, '--json', '--quiet');
    const outcomes = results.variants.map(({ name, runs }) => [name, runs[0]!.outcomes]);
    assert.deepEqual(Object.fromEntries(outcomes), TINY_OUTCOMES, who);
  }
}

/** With exit code 0. */
function passed(end: CliEnd): CliEnd {
  assert.equal(end.code, 0, `${end.stdout}\n${end.stderr}`);
  return end;
}
