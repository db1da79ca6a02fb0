// needs: nats-server
/** An agent of another build becomes that of the controller where it was told to, and only then. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Results } from '../../../src/results/schema.js';
import { type RunningCli, runCli } from '../../support/cli.js';
import { said, startFleet } from '../../support/fleet.js';
import { otherBuild } from '../../support/fleet-builds.js';
import { TINY_OUTCOMES, tinyProfile } from '../../support/tiny.js';

const RUN = ['run', 'tiny.yaml', '--fixed', '--quiet', '--json'];

function assertMadeBy(name: string, { code, stdout, stderr }: Awaited<RunningCli['ended']>): void {
  assert.equal(code, 0, stderr);
  for (const variant of (JSON.parse(stdout) as Results).variants)
    for (const { outcomes, machine } of variant.runs)
      assert.deepEqual([outcomes, machine], [TINY_OUTCOMES[variant.name], name]);
}

test('an agent takes a build by its SHA-256, goes on with it, and takes the next', async (t) => {
  const fleet = await startFleet(t);
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile());
  const program = [process.execPath, otherBuild(join(fleet.cwd, 'other'))];

  const stubborn = await fleet.agent('stubborn', { program });
  const pinned = await fleet.agent('pinned', { program, args: ['--take-build', '0'.repeat(64)] });
  const refused = await fleet.command([...RUN, '--wait', '20s']).ended;
  assert.equal(refused.code, 3, refused.stderr);
  const text = refused.stderr.replaceAll(/\s+/g, ' ');
  const { sha256 } = JSON.parse((await runCli(['fleet', 'build', '--archive'], { cwd: fleet.cwd })).stdout) as {
    sha256: string;
  };
  assert.match(
    text,
    new RegExp(`pinned is not taken: .* of another build .*, and does not take this one: .*${sha256}`),
  );
  assert.match(text, /stubborn is not taken: bindstorm \S+ of another build \([^)]*\)(?:;| What)/);
  for (const agent of [stubborn, pinned]) {
    assert.doesNotMatch(agent.stderr(), /takes the build/);
    agent.kill('SIGKILL');
    await agent.ended;
  }

  const willing = await fleet.agent('willing', { program, args: ['--take-build', sha256] });
  assertMadeBy('willing', await fleet.command([...RUN, '--wait', '120s']).ended);
  assert.match(willing.stderr(), /takes the build \w+ of a controller \(SHA-256 /);
  // The next controller is of the first build, which was not the one that it may take.
  const other = await fleet.command([...RUN, '--wait', '20s'], { program }).ended;
  assert.equal(other.code, 3, other.stderr);
  assert.match(
    other.stderr.replaceAll(/\s+/g, ' '),
    /willing is not taken: .*does not take this one: it takes the build/,
  );
  willing.kill('SIGTERM');
  const ended = await willing.ended;
  assert.equal(ended.code, 0, ended.stderr);

  const any = await fleet.agent('any', { args: ['--take-build'] });
  assertMadeBy('any', await fleet.command([...RUN, '--wait', '120s'], { program }).ended);
  assertMadeBy('any', await fleet.command([...RUN, '--wait', '120s']).ended);
  assert.equal(any.stderr().split('takes the build').length - 1, 2);
  any.kill('SIGKILL');
  await any.ended;
  // What it has started ends with it.
  const gone = await fleet.command([...RUN, '--wait', '15s']).ended;
  assert.equal(gone.code, 3, gone.stdout);
  await said(fleet.server(), 'the fleet is up');
});
