/**
 * The gauge as an operator leaves it running: lines, JSON, metrics; and what it refuses.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { Look } from '../../src/gauge/look.js';
import { ROOT, runCli, startCli, until } from '../support/cli.js';

/** For the start of a process, beside as many others. */
const PATIENCE_MS = 60_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function tryFetch(url: string, init?: RequestInit): Promise<Response | undefined> {
  try {
    return await fetch(url, init);
  } catch {
    return undefined;
  }
}

test('goes on until it is interrupted, a JSON object a look, and serves its metrics on loopback', async () => {
  const port = await freePort();
  const cli = startCli(['watch', '--json', '--interval', '100ms', '--metrics', String(port)], { cwd: ROOT });
  const url = `http://127.0.0.1:${port}/metrics`;
  let response: Response | undefined;
  for (const begun = performance.now(); performance.now() - begun < PATIENCE_MS && !response?.ok; ) {
    response = await tryFetch(url);
    if (!response?.ok) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(response?.status, 200);
  assert.equal(response?.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  // A connection each: on a busy machine a kept one may be closed by the server just when it is used again.
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url.replace('/metrics', path), { ...init, headers: { connection: 'close' } });
  const looks = async () =>
    Number(/^bindstorm_watch_looks_total (\d+)$/m.exec(await (await ask('/metrics')).text())?.[1]);
  const first = await looks();
  while ((await looks()) < first + 2) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await ask('/')).status, 404);
  assert.equal((await ask('/metrics', { method: 'POST' })).status, 405);
  // A target that is no URL ended the process once; a foreign name may not read along.
  const status = (path: string, host: string) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.once('error', reject);
      asked.end();
    });
  assert.equal(await status('//', 'localhost'), 404);
  assert.equal(await status('http://[', 'localhost'), 403);
  assert.equal(await status('/metrics', 'evil.example'), 403);

  // A second one may not take the same port.
  const second = await runCli(['watch', '--metrics', String(port)], { cwd: ROOT });
  assert.equal(second.code, 2);
  assert.match(
    second.stderr,
    new RegExp(`cannot be served on 127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\); choose another`),
  );

  cli.kill('SIGINT');
  const { code, stdout, stderr } = await cli.ended;
  assert.equal(code, 0, stderr);
  assert.equal(stderr, `metrics at ${url}\n`);
  const seen = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Look);
  assert.ok(seen.length >= 3);
  for (const [i, { at, capacity }] of seen.entries()) {
    assert.ok(i === 0 || at > seen[i - 1]!.at);
    assert.equal(capacity.ports, capacity.high - capacity.low + 1 - capacity.reserved);
  }
});

test('without a terminal it writes a line a look, and SIGTERM ends it too', async () => {
  const cli = startCli(['watch', '--interval', '100ms', '--no-owners'], { cwd: ROOT });
  await until('two lines', () => /\n.*\n/.test(cli.stdout()));
  cli.kill('SIGTERM');
  const { code, stdout } = await cli.ended;
  assert.equal(code, 0);
  assert.ok(stdout.length > 0);
  for (const line of stdout.trimEnd().split('\n'))
    assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}(ok|slow wall|hard wall) {2}/);
});

test('with --once and an interval it looks twice, and knows the growth', async () => {
  const { stdout } = await runCli(['watch', '--once', '--json', '--interval', '100ms'], { cwd: ROOT });
  const look = JSON.parse(stdout) as Look;
  for (const { growthPerSecond } of look.addresses)
    assert.ok(growthPerSecond === null || Number.isFinite(growthPerSecond));
});

test('what it cannot do is refused before it looks, with what is allowed', async () => {
  const cases: [string[], number, RegExp][] = [
    [['--pid', '1', '--netns', 'x'], 2, /--pid and --netns both name a namespace; give one of them/],
    [['--once', '--metrics', '9464'], 2, /--metrics serves look after look, and --once ends after one/],
    [['--slow', '90%', '--hard', '0.8'], 2, /--slow \(0\.9\) is above --hard \(0\.8\)/],
    [['--slow', '0'], 2, /--slow takes a share above 0 and up to 100 %/],
    [['--hard', '101%'], 2, /--hard takes a share above 0/],
    [['--interval', '10ms'], 2, /the shortest interval is 100ms/],
    [['--interval', 'soon'], 2, /is not a duration; write a number and a unit/],
    [['--wall', 'both'], 2, /Allowed are auto, ports, destination/],
    [['--pid', '0'], 2, /--pid takes a whole number from 1 to/],
    [['--pid', '4194304'], 2, /there is no process 4194304; give the pid as this machine sees it/],
    [['--netns', 'no-such'], 2, /there is no network namespace \/run\/netns\/no-such; \/run\/netns has .*use --pid/],
    [['--metrics', '0'], 2, /--metrics takes a port, or an address and a port, for example 9464/],
    [['--metrics', 'example.org:9464'], 2, /"example\.org" is not an IP address/],
    [['--metrics', '::1:9464'], 2, /--metrics takes a port/],
  ];
  for (const [args, code, message] of cases) {
    const end = await runCli(['watch', ...args], { cwd: ROOT });
    assert.equal(end.code, code, `${args.join(' ')}: ${end.stderr}`);
    assert.match(end.stderr, message);
    assert.equal(end.stdout, '', args.join(' '));
  }
});

test('a file that is no namespace is refused', async () => {
  const end = await runCli(['watch', '--netns', './package.json', '--once'], { cwd: ROOT });
  assert.equal(end.code, 2);
  assert.match(end.stderr, /\.\/package\.json is not a network namespace; name one of \/run\/netns, or use --pid/);
});

test('a process that ends is no "ok": a word, and an exit code of its own', async () => {
  const watched = spawn('sleep', ['600'], { stdio: 'ignore' });
  try {
    const cli = startCli(['watch', '--pid', String(watched.pid), '--json', '--interval', '100ms'], { cwd: ROOT });
    const plain = startCli(['watch', '--pid', String(watched.pid), '--interval', '100ms'], { cwd: ROOT });
    await until('a look of each', () => cli.stdout().includes('\n') && plain.stdout().includes('\n'));
    watched.kill('SIGKILL');
    const looks = (await cli.ended).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Look);
    assert.equal((await cli.ended).code, 7);
    assert.deepEqual(looks[0]!.process, { pid: watched.pid, running: true });
    assert.deepEqual(
      looks.filter(({ process }) => !process!.running).map(({ process }) => process!.pid),
      [watched.pid],
      'it looks once more, and no longer',
    );
    const { code, stdout } = await plain.ended;
    assert.equal(code, 7);
    assert.match(stdout.trimEnd().split('\n').at(-1)!, new RegExp(`Z {2}process ${watched.pid} has ended {2}`));
  } finally {
    watched.kill('SIGKILL');
  }
});
