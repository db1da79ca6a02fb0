/**
 * Why ports fill up, and in which namespace: each reason made with real sockets, and told by the command line. With 100,000 sockets on request,
 * and the CPU that the look took: BINDSTORM_LONG=1 node --test dist/test/lab/watch-cause.test.js
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import { describe, test } from 'node:test';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import type { CauseClass } from '../../src/gauge/cause.js';
import type { Look } from '../../src/gauge/look.js';
import type { NodeLook } from '../../src/gauge/node-look.js';
import { getrusage, nativeBuffer } from '../../src/kernel/libc.js';
import type { CauseSockets } from '../support/cause-sockets.js';
import { type FilledNamespace, fillNamespace } from '../support/causes.js';
import { ROOT, runCli } from '../support/cli.js';
import { TUTORIAL } from '../support/tutorial.js';

const root = process.getuid?.() === 0;
const long = process.env.BINDSTORM_LONG === '1';
const SMALL = '40000 40399';

/** One look at the namespace of a process. */
async function lookInto({ pid }: FilledNamespace, ...more: string[]): Promise<Look> {
  const enter = root ? [] : ['nsenter', '--target', String(pid), '--user', '--net', '--preserve-credentials'];
  const place = root ? ['--pid', String(pid)] : [];
  const end = await runCli(['watch', ...place, '--once', '--json', ...more], { cwd: ROOT, within: enter });
  assert.ok([0, 1, 5].includes(end.code!), end.stderr);
  return JSON.parse(end.stdout) as Look;
}

interface Expected {
  readonly class: CauseClass;
  readonly says: RegExp;
  readonly also?: readonly CauseClass[];
  readonly options?: readonly string[];
  /** The kernel lists what it takes only since then. */
  readonly since?: string;
}

const EXPECTED: Readonly<
  Record<Exclude<CauseSockets['reason'], 'idle-unbound' | 'mostly-waiting' | 'two-binders'>, Expected>
> = {
  healthy: { class: 'healthy', says: /^Healthy: the fullest address, 127\.0\.0\.1, has 30 of 400 ports\.$/ },
  churn: {
    class: 'churn',
    says: /^Churn: 300 of 300 sockets of 127\.0\.1\.1 are closed and keep their ports \(TIME_WAIT\), about 4\.[6-9] closes a second; 400 ports sustain 6\.[1-6] a second\.$/,
    also: ['slow-wall'],
  },
  turnover: {
    class: 'churn',
    says: /^Churn: 150 of 300 sockets of 127\.0\.1\.1 are closed and keep their ports \(TIME_WAIT\), about 2\.[3-5] closes a second, and the others are open for 6[0-4] s each; 400 ports sustain 3\.[1-3] a second of that length\.$/,
    also: ['slow-wall'],
  },
  'close-wait': {
    class: 'leak',
    says: /^Leak: the other side has closed 300 of 300 connections of 127\.0\.1\.1, and \S+ \(\d+\) has not \(CLOSE_WAIT\)\.$/,
    also: ['hot-destination', 'slow-wall'],
  },
  idle: {
    class: 'leak',
    says: /^Leak: 100 % of the 300 open connections of 127\.0\.1\.1 have been silent for more than 0\.1 s; \S+ \(\d+\) has most of them\.$/,
    also: ['hot-destination', 'slow-wall'],
    options: ['--idle', '100ms'],
  },
  waiting: {
    class: 'slow-server',
    says: /^Slow server: 100 % of the 300 open connections of 127\.0\.0\.1 wait for an answer, nearly all from 127\.0\.0\.1:9000\.$/,
    also: ['hot-destination', 'slow-wall'],
  },
  unanswered: {
    class: 'slow-server',
    says: /^Slow server: 29\d of 300 connections of 127\.0\.0\.1 have had no answer to their SYN, nearly all from 127\.0\.0\.1:9000\.$/,
    also: ['hot-destination', 'slow-wall'],
  },
  hot: {
    class: 'hot-destination',
    says: /^One destination: 127\.0\.0\.1:9000 has 258 of the 300 sockets of 127\.0\.1\.1, and connect\(\) finds 400 ports for it at most\.$/,
    also: ['slow-wall'],
  },
  poisoned: {
    class: 'poisoned',
    says: /^Poisoned: bind\(\) of \S+ \(\d+\) holds 300 of 400 ports on 127\.0\.1\.1, and each of them is refused to every connect\(\) of this namespace, from any address\.$/,
    also: ['slow-wall'],
  },
  'bound-only': {
    class: 'leak',
    says: /^Leak: 300 of 300 sockets of 127\.0\.1\.1 are bound and connected to nothing; \S+ \(\d+\) has 300\.$/,
    also: ['slow-wall'],
    since: '6.8',
  },
};

test('the line of ss in the tutorial counts what watch counts, and leaves out what is connected to a listener', async (t) => {
  const filled = await fillNamespace(t, { reason: 'turnover', sockets: 300, range: SMALL });
  const [line] = /^ {4}ss -Htan .*$/m.exec(TUTORIAL) ?? [];
  assert.ok(line);
  const user = root ? [] : ['--user', '--preserve-credentials'];
  const inside = ['--target', String(filled.pid), '--net', ...user, 'sh', '-c', line.trim()];
  const rows = execFileSync('nsenter', inside, { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(rows.map((row) => row.trim().split(/\s+/)).sort(), [
    ['150', '127.0.1.1', 'ESTAB'],
    ['150', '127.0.1.1', 'TIME-WAIT'],
  ]);
});

describe('why the ports of a namespace fill up', () => {
  for (const [reason, expected] of Object.entries(EXPECTED)) {
    const { since } = expected;
    const skip =
      since !== undefined && !atLeast(parseKernelVersion(release()), since) && `the kernel lists them since ${since}`;
    test(reason, { skip }, async (t) => {
      const sockets = reason === 'healthy' ? 30 : 300;
      const input = { reason: reason as CauseSockets['reason'], sockets, range: SMALL };
      const { cause } = await lookInto(await fillNamespace(t, input), ...(expected.options ?? []));
      assert.equal(cause.class, expected.class, JSON.stringify(cause, null, 1));
      assert.match(cause.sentence, expected.says);
      assert.deepEqual(cause.also, expected.also ?? []);
      if (cause.class === 'healthy') assert.equal(cause.advice, null);
      else assert.ok(cause.evidence.length > 0 && cause.advice!.helps.length > 20);
    });
  }
});

test('addresses that all bind do not bar each other, with SO_REUSEADDR neither', async (t) => {
  const filled = await fillNamespace(t, { reason: 'two-binders', sockets: 330, range: SMALL });
  const { cause, addresses } = await lookInto(filled);
  assert.notEqual(cause.class, 'poisoned', cause.sentence);
  assert.deepEqual(
    addresses.map(({ address, chosenBy }) => [address, chosenBy]),
    [
      ['127.0.1.1', 'bind'],
      ['127.0.2.1', 'bind'],
    ],
  );
});

test('how many connections wait is a sample without an order, though the kernel lists them by destination', async (t) => {
  const input = { reason: 'mostly-waiting', sockets: 5400, range: '40000 46999' } as const;
  const { cause } = await lookInto(await fillNamespace(t, input), '--idle', '100ms');
  assert.equal(cause.class, 'slow-server', JSON.stringify(cause, null, 1));
  const [evidence = ''] = cause.evidence;
  const told = /^of ([\d,]+) open connections that were looked at ([\d,]+) wait for an answer and ([\d,]+) were silent/;
  const [sampled, waiting, idle] = told
    .exec(evidence)!
    .slice(1)
    .map((text) => Number(text.replaceAll(',', '')));
  assert.equal(sampled, 1000);
  // Two thirds: six deviations of a thousand draws.
  assert.ok(Math.abs(waiting! / 1000 - 2 / 3) < 0.09, evidence);
  assert.equal(waiting! + idle!, 1000);
});

/** Outgoing connections of each, up to the slow wall, and those last whose TIME_WAIT ends: with both ends, and what is closed, 100,000 sockets and more on request. */
const MANY = long ? { 'close-wait': 13_500, hot: 14_000, poisoned: 14_500, healthy: 1_000, churn: 13_500 } : null;
const FEW = { churn: 300, 'close-wait': 300, hot: 300, poisoned: 300, healthy: 30 };

test('of five namespaces each is told apart, in one look at all of the machine', {
  skip: !root && 'only root may enter the namespaces of others',
}, async (t) => {
  const range = MANY ? '32768 60999' : SMALL;
  const filled = new Map<string, { reason: string; pid: number }>();
  for (const [reason, sockets] of Object.entries(MANY ?? FEW)) {
    const input = { reason: reason as CauseSockets['reason'], sockets, range };
    const { namespace, pid } = await fillNamespace(t, input);
    filled.set(namespace, { reason, pid });
  }
  const before = childrenCpu();
  // On a slow machine it takes minutes to make so many.
  const end = await runCli(['watch', '--all', '--once', '--json', '--idle', '10m'], { cwd: ROOT });
  const cpu = childrenCpu() - before;
  assert.equal(end.stderr, '');
  // The namespace of somebody else may be fuller.
  assert.ok(end.code === 1 || end.code === 5, `code ${end.code}`);
  const node = JSON.parse(end.stdout) as NodeLook;
  const found = node.namespaces.filter(({ namespace }) => filled.has(namespace));
  assert.deepEqual(
    new Map(found.map(({ namespace, cause }) => [filled.get(namespace)!.reason, cause.class])),
    new Map([...filled.values()].map(({ reason }) => [reason, EXPECTED[reason as keyof typeof EXPECTED].class])),
    found.map(({ cause }) => cause.sentence).join('\n'),
  );
  // The owner is named where there is one.
  const leak = found.find(({ cause }) => cause.class === 'leak')!;
  assert.match(leak.cause.sentence, new RegExp(`\\(${filled.get(leak.namespace)!.pid}\\) has not`));
  const sockets = found.reduce((sum, look) => sum + look.sockets.all, 0);
  t.diagnostic(JSON.stringify({ sockets, cpuSeconds: cpu, lookMs: node.lookMs, namespaces: node.namespaces.length }));
});

const RUSAGE_CHILDREN = -1;
const usage = nativeBuffer(144);

/** CPU seconds, user and system, of the children that have ended. */
function childrenCpu(): number {
  getrusage(RUSAGE_CHILDREN, usage.address);
  const at = (offset: number) => Number(usage.view.getBigInt64(offset, true));
  return at(0) + at(16) + (at(8) + at(24)) / 1e6;
}
