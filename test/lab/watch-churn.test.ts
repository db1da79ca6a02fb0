/**
 * `watch` beside a table of sockets that never stands still: it counts right, look for look, and grows no larger. With a million sockets for
 * ten minutes on request: BINDSTORM_LONG=1 node --test dist/test/lab/watch-churn.test.js (12 GB of memory, two CPUs)
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Look } from '../../src/gauge/look.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { readLines } from '../../src/machine/ndjson.js';
import type { ChurnInput } from '../support/churn-driver.js';
import { ROOT, startCli } from '../support/cli.js';
import { newMark } from '../support/processes.js';

const long = process.env.BINDSTORM_LONG === '1';
const INPUT: ChurnInput = long
  ? { addresses: 250, each: 4000, rate: 500, seconds: 600 }
  : { addresses: 25, each: 400, rate: 200, seconds: 12 };
const INTERVAL_SECONDS = long ? 5 : 1;
const DRIVER = fileURLToPath(new URL('../support/churn-driver.js', import.meta.url));
/** Of those that come and go, so many at once may be on their way. */
const ON_THEIR_WAY = 100;
/** TIME_WAIT lasts up to 65 s (docs/internals/predictions.md). */
const LONGEST_TIME_WAIT = 65;

const memoryOf = (pid: number) => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('watch counts a large table under churn, look for look, and does not grow', async (t) => {
  const { addresses, each, rate, seconds } = INPUT;
  const mark = newMark();
  const [program, ...args] = netnsCommand([process.execPath, DRIVER], process.getuid?.() === 0);
  const driver = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...mark.env } });
  t.after(() => void driver.kill('SIGKILL'));
  driver.stdin.write(`${JSON.stringify(INPUT)}\n`);
  const said = readLines(driver.stdout);
  const next = async () => JSON.parse((await said.next()).value as string) as Record<string, number>;
  assert.deepEqual(await next(), { ok: addresses * each });

  const inside = mark.processes().find(({ command }) => command.includes(DRIVER) && !command.includes('unshare'));
  const watch = startCli(
    ['watch', '--pid', String(inside!.pid), '--json', '--no-owners', '--interval', `${INTERVAL_SECONDS}s`],
    { cwd: ROOT, deadlineMs: (seconds + 300) * 1000 },
  );
  const memory: number[] = [];
  const timer = setInterval(() => memory.push(memoryOf(watch.pid)), INTERVAL_SECONDS * 1000);
  assert.deepEqual(await next(), { ok: rate * seconds });
  clearInterval(timer);
  watch.kill('SIGINT');
  const { code, stdout, stderr } = await watch.ended;
  driver.stdin.end();
  assert.equal(stderr, '');
  assert.ok(code === 0 || code === 130, `code ${code}`);

  const looks = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Look);
  t.diagnostic(JSON.stringify({ looks: looks.length, lookMs: looks.map(({ lookMs }) => lookMs), memory }));
  assert.ok(looks.length > seconds / INTERVAL_SECONDS / 4, `${looks.length} looks`);
  for (const look of looks.slice(0, -1)) {
    assert.equal(look.missed, 0);
    assert.equal(look.addresses.length, addresses);
    let passing = 0;
    for (const { address, states } of look.addresses) {
      const { ESTABLISHED = 0, ...others } = states;
      assert.ok(ESTABLISHED >= each && ESTABLISHED <= each + ON_THEIR_WAY, `${address}: ${JSON.stringify(states)}`);
      passing += Object.values(others).reduce((sum, n) => sum + n, 0);
    }
    assert.ok(passing <= rate * LONGEST_TIME_WAIT + ON_THEIR_WAY, `${passing} come and go`);
  }
  const last = looks.at(-2)!.addresses.flatMap(({ states }) => states.TIME_WAIT ?? 0);
  assert.ok(last.reduce((sum, n) => sum + n, 0) > (rate * Math.min(seconds, 55)) / 2);
  // Of a process that collects its garbage; one that kept what it saw would grow by all of it.
  const settled = memory.slice(2);
  assert.ok(Math.max(...settled) < 1.5 * settled[0]! + 30_000, `kB: ${memory.join(' ')}`);
});
