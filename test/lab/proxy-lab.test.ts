// needs: squid, haproxy, nginx, libnginx-mod-stream, dante-server, strace
/**
 * The lab of a proxy from outside: without root, and what is left of it after every kind of end.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MOST_OBSERVED_ATTEMPTS } from '../../src/experiment/order.js';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { type CliEnd, runCli, scratchFolder, startCli, until } from '../support/cli.js';
import { hostState } from '../support/host-state.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';
import { killRole, loadingAgent, type Mark, newMark } from '../support/processes.js';
import { TINY_SQUID_OUTCOMES, tinySquidProfile } from '../support/tiny-squid.js';

/** Short tunnels for twenty seconds, to be interrupted; too many for a run in which calls are counted, which nobody would interrupt. */
const LONG = tinySquidProfile(
  `arrival: { shape: constant, rate: ${MOST_OBSERVED_ATTEMPTS / 20 + 1}/s, duration: 20s }, lagBudget: 60s`,
);

function resultsOf(end: CliEnd): Results {
  const { folder, ...results } = JSON.parse(end.stdout) as Results & { folder: string };
  return resultsSchema.parse(results);
}

function assertTinyOutcomes(results: Results): void {
  for (const { name, runs, verdict } of results.variants) {
    for (const run of runs) {
      assert.deepEqual(run.outcomes, TINY_SQUID_OUTCOMES[name], run.id);
      assert.deepEqual(run.problems, []);
    }
    assert.equal(verdict?.verdict, name === 'baseline' ? undefined : 'better');
  }
  assertFourSides(results);
}

/** Squid 5 makes one failing call and one line for each request that fails: the four sides agree to the number. */
function assertFourSides(results: Results): void {
  for (const [name, failed] of [
    ['baseline', 10],
    ['wider-range', 0],
  ] as const) {
    const observed = results.variants.find((variant) => variant.name === name)?.observed;
    const { proxy } = observed ?? {};
    const counts = failed === 0 ? [] : [{ call: 'bind', errno: 'EADDRINUSE', count: failed }];
    assert.deepEqual(observed?.outcomes, TINY_SQUID_OUTCOMES[name]);
    assert.deepEqual(
      proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
      counts,
    );
    assert.equal(proxy?.unobserved, undefined);
    assert.deepEqual(
      proxy?.syscalls?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
      counts,
    );
    assert.deepEqual(observed?.ports.peakPerAddress, failed === 0 ? [25, 25] : [20, 20]);
    if (!results.environment.root) assert.equal(proxy?.syscalls?.by, 'strace');
  }
}

test('an ordinary user gets the same counts through squid as root', async (t) => {
  const user = await ordinaryUser(t);
  if (typeof user === 'string') return t.skip(user);
  if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
  writeFileSync(join(user.cwd, 'tiny.yaml'), tinySquidProfile());
  const end = await runCli(['run', 'tiny.yaml', '--json', '--quiet'], user);
  assert.equal(end.code, 0, end.stderr);
  const results = resultsOf(end);
  assert.equal(results.environment.root, false);
  assertTinyOutcomes(results);
});

for (const [kind, errno] of [
  ['haproxy', 'connect EADDRNOTAVAIL'],
  ['nginx', 'connect EADDRNOTAVAIL'],
  ['dante', 'bind EADDRINUSE'],
] as const) {
  test(`an ordinary user gets the failures of ${kind} too`, async (t) => {
    const user = await ordinaryUser(t);
    if (typeof user === 'string') return t.skip(user);
    if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
    writeFileSync(join(user.cwd, 'rootless.yaml'), rootlessProfile(kind));
    const end = await runCli(['run', 'rootless.yaml', '--json', '--quiet', '--force'], user);
    assert.equal(end.code, 0, end.stderr);
    const results = resultsOf(end);
    assert.equal(results.environment.root, false);
    for (const { runs } of results.variants) {
      const [run] = runs;
      assert.deepEqual(run!.problems, []);
      // Dante takes its clients' ports over, and its failures begin before all of these have been seen.
      const { ok = 0 } = run!.outcomes;
      assert.ok(kind === 'dante' ? ok >= 10 && ok <= 20 : ok === 20, JSON.stringify(run!.outcomes));
      const [failure] = run!.proxy!.failures;
      assert.equal(`${failure?.call} ${failure?.errno}`, errno);
    }
  });
}

/** Up to the first failures, so that nobody knows the number of attempts and no run is observed. Dante's clients have the same few ports. */
function rootlessProfile(kind: 'haproxy' | 'nginx' | 'dante'): string {
  const settings = { haproxy: '', nginx: ', mode: tcp', dante: ', clients: 3' };
  const roles = 'roles: { client: { sysctls: { net.ipv4.ip_local_port_range: 20000 20009 } } }';
  return `name: rootless
addresses: { list: [10.50.0.1] }
subject: { kind: ${kind}${settings[kind]} }
load: { arrival: { shape: fill, failures: 5, inFlight: 1 }, timeout: 30s }
sysctls: { net.ipv4.ip_local_port_range: ${kind === 'dante' ? '40000 40009' : '40000 40019'} }
${kind === 'dante' ? roles : ''}
variants: [{ name: the-same }]
repeat: 1
warmup: 0
goal: failures.share
`;
}

test('the whole loop as root, and nothing is left', async (t) => {
  const { cwd, mark, env, nothingLeft } = scene(t, tinySquidProfile());
  const end = await runCli(['run', 'tiny.yaml', '--json', '--quiet'], { cwd, env });
  assert.equal(end.code, 0, end.stderr);
  const results = resultsOf(end);
  assertTinyOutcomes(results);
  const { proxy } = results.variants[0]!.runs[0]!;
  assert.match(proxy?.version ?? '', /^\d+\.\d+/);
  assert.deepEqual(proxy?.troubles, []);
  const folder = join(cwd, 'reports', readdirSync(join(cwd, 'reports'))[0]!);
  const row = /\| baseline \| squid [\d.]+ \| 10 `503 ERR_CONNECT_FAIL 0` \| 10 `bind EADDRINUSE` \| 40 \| 0 \|/;
  assert.match(readFileSync(join(folder, 'report.md'), 'utf8'), row);
  assert.match(
    readFileSync(join(folder, 'report.html'), 'utf8'),
    /<h2 id="proxy-title">Failures and resources of the proxy<\/h2>/,
  );
  for (const arm of ['baseline', 'wider-range']) {
    const path = `configuration/${arm}/squid.conf`;
    assert.match(readFileSync(join(folder, path), 'utf8'), /^tcp_outgoing_address 10\.50\.0\.1 client0$/m);
    assert.match(readFileSync(join(folder, `configuration/${arm}/command.txt`), 'utf8'), /squid .*-N/);
    assert.ok(readFileSync(join(folder, 'report.md'), 'utf8').includes(`[squid.conf](${path})`));
    assert.ok(readFileSync(join(folder, 'report.html'), 'utf8').includes(`<a href="${path}">squid.conf</a>`));
  }
  assert.deepEqual(mark.processes(), []);
  await nothingLeft();
});

test('a proxy that is killed makes the run failed, with the end of its log in the results', async (t) => {
  const { cwd, env, mark, nothingLeft } = scene(t, LONG);
  const cli = startCli(['run', 'tiny.yaml', '--json', '--quiet', '--force', '--repeat', '1'], { cwd, env });
  for (let runs = 0; runs < 2; runs++) {
    const agent = await until('load', () => loadingAgent(mark));
    assert.equal(killRole(mark, 'proxy'), 1);
    // The agent outlives the role's process by the time that it takes to report; until then its sockets look like a load.
    await until('the end of that run', () => mark.processes().every(({ pid }) => pid !== agent.pid));
  }
  const end = await cli.ended;
  assert.equal(end.code, 4, end.stderr);
  const [run] = resultsOf(end).variants[0]!.runs;
  assert.equal(run?.status, 'failed');
  assert.match(run?.problems[0] ?? '', /^the proxy \(squid\) was killed by SIGKILL before the run was over/);
  assert.equal(run?.proxy?.ended, 'was killed by SIGKILL');
  assert.ok(run?.proxy?.tail.some((line) => line.includes('Accepting HTTP Socket connections')));
  await nothingLeft();
});

for (const [what, end] of [
  ['SIGKILL to the controller', ({ cli }) => cli.kill('SIGKILL')],
  ['SIGINT to the controller', ({ cli }) => cli.kill('SIGINT')],
  ['a crash of the agent', ({ mark }) => void killRole(mark, 'agent')],
  ['a crash of the process of the role', ({ mark }) => void killRole(mark, 'proxy-role')],
  ['a crash of the origin', ({ mark }) => void killRole(mark, 'origin')],
] as const satisfies readonly (readonly [string, (scene: Running) => void])[]) {
  test(`nothing is left after ${what}`, async (t) => {
    const { cwd, env, mark, nothingLeft } = scene(t, LONG);
    const cli = startCli(['run', 'tiny.yaml', '--quiet', '--force', '--repeat', '1'], { cwd, env });
    await until('load', () => loadingAgent(mark));
    end({ cli, mark });
    // A run that failed is followed by the next, which is of no interest here.
    if (what.startsWith('a crash')) {
      await until('the end of that run', () => mark.processes().every(({ role }) => role !== 'proxy'));
      cli.kill('SIGINT');
    }
    await cli.ended;
    await nothingLeft();
  });
}

interface Running {
  readonly cli: ReturnType<typeof startCli>;
  readonly mark: Mark;
}

function scene(t: TestContext, profile: string) {
  const cwd = scratchFolder(t);
  for (const folder of ['home', 'state', 'tmp']) mkdirSync(join(cwd, folder));
  writeFileSync(join(cwd, 'tiny.yaml'), profile);
  const mark = newMark();
  const before = hostState();
  return {
    cwd,
    mark,
    env: { ...mark.env, HOME: join(cwd, 'home'), XDG_STATE_HOME: join(cwd, 'state'), TMPDIR: join(cwd, 'tmp') },
    async nothingLeft() {
      await until('nothing is left', () => mark.processes().length === 0, 5000).catch(() => {});
      assert.deepEqual(mark.processes(), []);
      assert.deepEqual(hostState(), before);
      for (const folder of ['home', 'state', 'tmp']) assert.deepEqual(readdirSync(join(cwd, folder)), []);
      assert.deepEqual(
        readdirSync('/dev/shm').filter((name) => name.startsWith('bindstorm-cf') || name === 'proxy'),
        [],
      );
    },
  };
}
