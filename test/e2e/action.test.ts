// needs: strace
/**
 * The GitHub action, without GitHub: its script with the variables that a runner sets.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT, scratchFolder } from '../support/cli.js';
import { tinyProfile } from '../support/tiny.js';

function act(cwd: string, variables: Record<string, string>) {
  const [output, summary] = [join(cwd, 'output'), join(cwd, 'summary')];
  const { status, stderr } = spawnSync(join(ROOT, 'scripts', 'action.sh'), {
    cwd,
    env: { ...process.env, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, ...variables },
    encoding: 'utf8',
  });
  const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const outputs = Object.fromEntries(
    textOf(output)
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  );
  return { status, stderr, outputs, summary: textOf(summary) };
}

test('a profile: summary, results, and the exit code of a threshold', (t) => {
  const cwd = scratchFolder(t);
  const profile = tinyProfile({ repeat: 2 });
  writeFileSync(join(cwd, 'ports.yaml'), profile);
  const met = act(cwd, { BINDSTORM_PROFILE: 'ports.yaml', BINDSTORM_ARGUMENTS: '--repeat 3 --quiet' });
  assert.equal(met.status, 0, met.stderr);
  assert.equal(met.outputs.code, '0');
  for (const file of ['report.html', 'junit.xml', 'results.json', 'summary.md'])
    assert.ok(existsSync(join(cwd, met.outputs.folder!, file)), file);
  assert.match(met.summary, /wider-range/);

  writeFileSync(join(cwd, 'ports.yaml'), `${profile}\nthresholds: [{ metric: failures.share, max: 0 }]\n`);
  const missed = act(cwd, { BINDSTORM_PROFILE: 'ports.yaml', BINDSTORM_OUT: 'elsewhere' });
  assert.equal(missed.status, 1, missed.stderr);
  assert.equal(missed.outputs.code, '1');
  assert.match(missed.outputs.folder!, /^elsewhere\//);
});

test('a command that is tried', (t) => {
  const cwd = scratchFolder(t);
  const { status, stderr, outputs, summary } = act(cwd, {
    BINDSTORM_TRY: `REQUESTS=40 node '${join(ROOT, 'examples', 'node-http', 'service.js')}'`,
    BINDSTORM_ARGUMENTS: '--quiet --env AGENT=shared',
  });
  assert.equal(status, 0, stderr);
  assert.match(outputs.folder!, /^bindstorm-reports\//);
  assert.match(summary, /^\| \*\*env\*\* \|.*better/m);
});

test('neither a profile nor a command, or both: bad input', (t) => {
  const cwd = scratchFolder(t);
  const both: Record<string, string>[] = [{}, { BINDSTORM_PROFILE: 'a.yaml', BINDSTORM_TRY: 'true' }];
  for (const variables of both) {
    const { status, stderr } = act(cwd, variables);
    assert.equal(status, 2);
    assert.match(stderr, /needs one of the inputs "profile" and "try", and not both/);
  }
});

test('a command stays one word of the script, whatever is in it', (t) => {
  const cwd = scratchFolder(t);
  const { status } = act(cwd, { BINDSTORM_PROFILE: '$(touch broken); touch broken' });
  assert.equal(status, 2);
  assert.equal(existsSync(join(cwd, 'broken')), false);
});

test('the action hands its inputs over by the environment, and keeps the reports when the run failed', () => {
  const { inputs, runs } = parse(readFileSync(join(ROOT, 'action.yml'), 'utf8'));
  const [run, upload] = runs.steps;
  assert.equal(run.run, '"$GITHUB_ACTION_PATH/scripts/action.sh"');
  const handed = Object.values<string>(run.env).map((value) => /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value)?.[1]);
  assert.deepEqual([...handed, 'artifact'].sort(), Object.keys(inputs).sort());
  assert.match(upload.if, /always\(\)/);
});
