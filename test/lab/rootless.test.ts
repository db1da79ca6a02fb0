/**
 * Without root, a lab is made in a user namespace; where that is forbidden, the command line says so and what to do.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { type CliEnd, type CliOptions, runCli, scratchFolder, startCli, until } from '../support/cli.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';
import { loadingAgent, newMark } from '../support/processes.js';
import { TINY_OUTCOMES, tinyProfile } from '../support/tiny.js';

test('an ordinary user gets the same counts as root, or is told why not and what to do', async (t) => {
  const user = await ordinaryUser(t);
  if (typeof user === 'string') return t.skip(user);
  writeFileSync(join(user.cwd, 'tiny.yaml'), tinyProfile());
  const end = await runCli(['run', 'tiny.yaml', '--json'], user);
  const doctor = await runCli(['doctor'], user);
  if (!mayHaveNamespaces(user)) {
    assertNoLab(end, /What to do: run as root/);
    assert.equal(doctor.code, 3);
    assert.match(doctor.stdout, /^MISSING +network namespaces .*\n +→ run as root/m);
    return;
  }
  assert.equal(end.code, 0, end.stderr);
  assert.equal(doctor.code, 0, doctor.stdout);
  const { folder, ...results } = JSON.parse(end.stdout) as Results & { folder: string };
  const { environment, variants } = resultsSchema.parse(results);
  assert.equal(environment.root, false);
  assert.match(environment.lab, /^network namespace in a user namespace, /);
  for (const { name, runs, verdict } of variants) {
    for (const run of runs) {
      assert.deepEqual(run.outcomes, TINY_OUTCOMES[name], run.id);
      assert.deepEqual(run.problems, []);
    }
    const expected = { 'wider-range': 'better', 'fin-timeout': 'no difference' }[name];
    assert.equal(verdict?.verdict, expected);
  }
  assert.match(readFileSync(join(user.cwd, folder, 'report.md'), 'utf8'), /, without root$/m);
});

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`nothing of an ordinary user's lab is left after ${signal} to the controller`, async (t) => {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') return t.skip(user);
    if (!mayHaveNamespaces(user))
      return t.skip('user namespaces are forbidden here; the test above asserts what is said');
    writeFileSync(join(user.cwd, 'tiny.yaml'), tinyProfile({ loadMs: 1000, repeat: 1 }));
    const mark = newMark();
    const cli = startCli(['run', 'tiny.yaml', '--quiet', '--force'], { ...user, env: { ...user.env, ...mark.env } });
    await until('load', () => loadingAgent(mark));
    cli.kill(signal);
    const end = await cli.ended;
    assert.deepEqual([end.code, end.signal], signal === 'SIGINT' ? [130, null] : [null, 'SIGKILL'], end.stderr);
    await until('all processes are gone', () => mark.processes().length === 0, 2_000).catch(() =>
      assert.deepEqual(mark.processes(), []),
    );
  });
}

test('without unshare or setpriv on the PATH: exit code 3, and which package to install', async (t) => {
  const scene = withProfile(t);
  for (const missing of ['unshare', 'setpriv']) {
    const bin = join(scene.cwd, `without-${missing}`);
    mkdirSync(bin);
    for (const program of ['unshare', 'setpriv'].filter((name) => name !== missing)) {
      symlinkSync(
        spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim(),
        join(bin, program),
      );
    }
    const there = { ...scene, env: { PATH: bin } };
    const remedy = new RegExp(`^What to do: install ${missing}, for example: apt-get install util-linux\\.$`, 'm');
    assertNoLab(await runCli(['run', 'tiny.yaml'], there), remedy);
    const doctor = await runCli(['doctor'], there);
    assert.equal(doctor.code, 3);
    assert.match(doctor.stdout, new RegExp(`^MISSING +${missing} +not found\\n +→ install util-linux`, 'm'));
  }
  assertNothingWritten(scene.cwd);
});

test('when the kernel refuses a namespace: exit code 3, what was refused, and what to do', async (t) => {
  const scene = withProfile(t);
  const forbidden = { ...scene, within: noMoreNamespaces() };
  const { status } = spawnSync(forbidden.within[0]!, [...forbidden.within.slice(1), 'id', '-u'], { encoding: 'utf8' });
  if (status !== 0) return t.skip('user namespaces are forbidden here, in which this would be pretended');
  const end = await runCli(['run', 'tiny.yaml'], forbidden);
  assertNoLab(end, /^What to do: run as root/m);
  assert.match(end.stderr, /the lab did not come up: .*unshare/);
  const plan = await runCli(['plan', 'tiny.yaml'], forbidden);
  assert.equal(plan.code, 3);
  assert.match(plan.stdout, /capacity 40 at once/, 'the arithmetic needs no lab');
  assert.match(plan.stdout.replace(/\s+/g, ' '), /it cannot run here: the lab did not come up: /);
  assertNothingWritten(scene.cwd);
});

test('when root is refused, as in a container: exit code 3, and how to start the container', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  const scene = withProfile(t);
  const bin = join(scene.cwd, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'unshare'),
    '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n',
  );
  chmodSync(join(bin, 'unshare'), 0o755);
  const end = await runCli(['run', 'tiny.yaml'], { ...scene, env: { PATH: `${bin}:${process.env.PATH}` } });
  assertNoLab(end, /^What to do: root in a container may lack CAP_SYS_ADMIN: run the container with --privileged/m);
  assert.match(end.stderr, /unshare failed: Operation not permitted/);
});

function withProfile(t: TestContext): CliOptions {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  return { cwd };
}

/** A user who is not root and whose quota of user namespaces is used up by the one that it is in (namespaces(7)). */
function noMoreNamespaces(): readonly string[] {
  const last = 'echo 1 >/proc/sys/user/max_user_namespaces && exec unshare --user --map-user=1000 -- "$@"';
  return ['unshare', '--user', '--map-root-user', '--', 'sh', '-c', last, 'sh'];
}

function assertNoLab({ code, stdout, stderr }: CliEnd, remedy: RegExp): void {
  assert.equal(code, 3, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, remedy);
  assert.match(stderr, /^Run `bindstorm doctor` to see what this machine lacks/m);
  assert.doesNotMatch(stderr, /^ {4}at /m);
}

function assertNothingWritten(cwd: string): void {
  assert.ok(!readdirSync(cwd).includes('reports'), 'no result folder');
}
