/**
 * Any program at the command line: `try` without a profile, `lab` with a command, and commands that nothing can be done with.
 */
// needs: strace
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';

/** Sixty GETs one after another, each by an agent of its own, which then closes: a local port each, of IPv4. */
const JOB = `const http = require('node:http');
const get = () => new Promise((done) => {
  const agent = new http.Agent({ keepAlive: true });
  const over = () => { agent.destroy(); done(); };
  http.get('http://203.0.113.7/', { agent }, (res) => { res.resume(); res.once('close', () => setImmediate(over)); }).once('error', over);
});
(async () => { for (let i = 0; i < 60; i++) await get(); })();
`;

function folderWith(t: TestContext, name: string, text: string): string {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, name), text);
  return cwd;
}

describe('bindstorm try', () => {
  it('says how a job uses its ports, and which fix helps it', async (t) => {
    const cwd = folderWith(t, 'job.js', JOB);
    const { code, stdout, stderr } = await runCli(['try', '--json', '--quiet', '--', process.execPath, 'job.js'], {
      cwd,
    });
    assert.equal(code, 0, stderr);
    const { folder, ...rest } = JSON.parse(stdout) as { folder: string };
    const { variants } = resultsSchema.parse(rest);
    const of = (name: string) => variants.find((variant) => variant.name === name)!;
    for (const { outcomes, origin, proxy } of of('baseline').runs) {
      assert.deepEqual(outcomes, { ok: 32, 'connect:EADDRNOTAVAIL': 28 });
      assert.equal(origin?.accepted, 32);
      assert.deepEqual(proxy?.syscalls?.ways, [{ strategy: 'connect', to: '203.0.113.7:80', connections: 32 }]);
    }
    assert.equal(of('baseline').prediction.concurrent, 32);
    assert.ok(of('baseline').prediction.sustained! < 32 / 60, 'the program closes first');
    // Of what changes how long a port is in use, the first run says nothing; all else is as it was foreseen.
    for (const name of ['baseline', 'wider-range', 'tw-reuse', 'fin-timeout'])
      assert.deepEqual(of(name).foreseen, of(name).real, name);
    const { foreseen } = of('keep-alive');
    assert.equal(foreseen?.kind === 'scaled' && foreseen.limited, 'not by ports');
    for (const run of of('keep-alive').runs) assert.deepEqual([run.outcomes, run.origin?.accepted], [{ ok: 60 }, 1]);
    const verdicts = ['keep-alive', 'wider-range', 'fin-timeout'].map((name) => of(name).verdict?.verdict);
    assert.deepEqual(verdicts, ['better', 'better', 'no difference']);
    assert.ok(existsSync(join(cwd, folder, 'profile.yaml')));
  });

  it('without root: the same counts', async (t) => {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') return t.skip(user);
    if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
    writeFileSync(join(user.cwd, 'job.js'), JOB);
    const node = user.program?.[0] ?? process.execPath;
    const { code, stdout, stderr } = await runCli(['try', '--json', '--quiet', '--', node, 'job.js'], user);
    assert.equal(code, 0, stderr);
    const { variants } = JSON.parse(stdout) as Results;
    const counts = (name: string) => variants.find((each) => each.name === name)?.runs.map(({ outcomes }) => outcomes);
    assert.deepEqual(counts('baseline'), Array(2).fill({ ok: 32, 'connect:EADDRNOTAVAIL': 28 }));
    assert.deepEqual(counts('wider-range'), Array(2).fill({ ok: 60 }));
  });

  for (const [title, command, message] of [
    [
      'is not there',
      ['no-such-program'],
      /program no-such-program not found; command begins with the name of a program/,
    ],
    ['does nothing', ['true'], /neither made a connection nor listens on a port: it ended with code 0/],
    ['fails', ['sh', '-c', 'echo why >&2; exit 3'], /it ended with code 3; the end of what it printed:\nwhy/],
  ] as const)
    it(`refuses a command that ${title}, and leaves nothing`, async (t) => {
      const cwd = scratchFolder(t);
      const { code, stderr } = await runCli(['try', '--', ...command], { cwd });
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.deepEqual(readdirSync(cwd), []);
    });
});

describe('bindstorm lab', () => {
  it('counts what was refused, keeps files as they are, and ends as the command does', async (t) => {
    const cwd = folderWith(t, 'job.js', JOB);
    const script = `"$0" job.js; echo x > written; cat written; echo x > /etc/bindstorm-test; exit 5`;
    const { code, stdout, stderr } = await runCli(['lab', '--', 'sh', '-c', script, process.execPath], { cwd });
    assert.equal(code, 5, stderr);
    assert.equal(stdout, 'x\n', 'it seems to be written');
    assert.deepEqual(readdirSync(cwd), ['job.js']);
    assert.ok(!existsSync('/etc/bindstorm-test'));
    assert.match(stderr, /\n32 connections with 32 requests; at most 32 of 32 ports in use, 32 in TIME_WAIT/);
    assert.match(stderr, /refused: connect EADDRNOTAVAIL × 28 \(thread \d+\)/);
  });

  it('has the sysctls of a profile', async (t) => {
    const { code, stdout, stderr } = await runCli(
      ['lab', 'microsocks-ports', '--', 'cat', '/proc/sys/net/ipv4/ip_local_port_range'],
      { cwd: scratchFolder(t) },
    );
    assert.deepEqual([code, stdout.trim().split(/\s+/)], [0, ['40000', '40099']], stderr);
  });
});
