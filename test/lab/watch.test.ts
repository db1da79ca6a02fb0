/**
 * The gauge against sockets whose number is known, in a namespace of their own.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { churnOf, inLab } from '../../bench/in-lab.js';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import type { Look } from '../../src/gauge/look.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { type CliEnd, ROOT, runCli } from '../support/cli.js';
import { ordinaryUser } from '../support/ordinary-user.js';

const SOCKETS = fileURLToPath(new URL('../support/gauge-sockets.js', import.meta.url));
const root = process.getuid?.() === 0;
/** Bound and unconnected sockets are listed since 6.8. */
const listsUnconnected = atLeast(parseKernelVersion(release()), '6.8');

function inNamespace(args: readonly string[]): [string, string[]] {
  const [program, ...rest] = netnsCommand([process.execPath, SOCKETS, ...args], root);
  return [program!, rest];
}

/** What the command line says inside. */
function watchInside(...argLists: readonly string[][]): CliEnd[] {
  const { stdout, stderr, status } = spawnSync(...inNamespace([JSON.stringify(argLists)]), { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as { ends: CliEnd[] }).ends;
}

function assertKnownSockets(look: Look, pid?: number): void {
  assert.deepEqual(look.capacity, { low: 40_000, high: 40_099, reserved: 5, ports: 95, slowWall: 47, hardWall: 95 });
  const row = ({ address, ports, sockets, states, wall, used, largest }: Look['addresses'][number]) => [
    address,
    ports,
    sockets,
    states,
    wall,
    used,
    largest && `${largest.address} ${largest.port} ${largest.sockets}`,
  ];
  // Every address has the port 40050 taken, by the listener on all of them.
  const expected = [
    ['127.0.1.1', 17, 16, { ESTABLISHED: 10, FIN_WAIT2: 1, TIME_WAIT: 5 }, 'ports', 17, '127.0.0.1 9000 16'],
    ['127.0.1.2', 7, 11, { ESTABLISHED: 11 }, 'destination', 6, '127.0.0.1 9001 6'],
    ['127.0.1.3', 4, 3, { ESTABLISHED: 3 }, 'ports', 4, '127.0.0.1 9002 2'],
    ['::1', 3, 3, { ESTABLISHED: 3 }, 'ports', 3, '::1 9002 3'],
    ...(listsUnconnected ? [['127.0.1.4', 2, 1, { CLOSE: 1 }, 'ports', 2, null]] : []),
  ];
  assert.deepEqual(look.addresses.map(row), expected);
  assert.deepEqual(
    look.destinations.map(({ address, port, sockets, localAddresses }) => [address, port, sockets, localAddresses]),
    [
      ['127.0.0.1', 9000, 22, 3],
      ['127.0.0.1', 9001, 6, 1],
      ['::1', 9002, 3, 1],
      ['127.0.0.1', 9002, 2, 1],
    ],
  );
  // Came in: what the listeners accepted, of which five have closed. Others: the reserved port, 39999, and 50000 to 50003.
  const incoming = 10 + 1 + 2 + 11 + 3 + 2 + 1 + 4;
  const outgoing = 16 + 11 + 3 + 3 + (listsUnconnected ? 1 : 0);
  assert.deepEqual(look.sockets, { all: 4 + incoming + outgoing + 6, listening: 4, incoming, other: 6 });
  assert.deepEqual([look.level, look.missed, look.unconnected], ['ok', 0, true]);
  if (pid === undefined) return;
  // All but those in TIME_WAIT.
  assert.deepEqual(
    look.owners?.owners.map(({ pid, sockets }) => [pid, sockets]),
    [[pid, outgoing - 5]],
  );
}

describe('sockets of every kind, each counted where it belongs', () => {
  test('as JSON; the exit code follows the thresholds', () => {
    const once = ['watch', '--once', '--json'];
    const [plain, slow, hard, ports] = watchInside(
      once,
      [...once, '--slow', '17%'],
      [...once, '--slow', '0.05', '--hard', '0.17'],
      [...once, '--wall', 'ports', '--no-owners'],
    ) as [CliEnd, CliEnd, CliEnd, CliEnd];
    assert.equal(plain.stderr, '');
    assertKnownSockets(JSON.parse(plain.stdout) as Look);
    assert.deepEqual([plain.code, slow.code, hard.code], [0, 1, 5]);
    assert.equal((JSON.parse(hard.stdout) as Look).level, 'hard');
    const look = JSON.parse(ports.stdout) as Look;
    assert.deepEqual(
      look.addresses.map(({ wall, used, ports }) => [wall, used === ports]),
      look.addresses.map(() => ['ports', true]),
    );
    assert.equal(look.owners, null);
  });

  test('as a table', () => {
    const [table] = watchInside(['watch', '--once']) as [CliEnd];
    assert.match(table.stdout, /ports 40000 to 40099 without 5 reserved: 95 an address; the slow wall is at 47/);
    assert.match(table.stdout, /^127\.0\.1\.1 +17 .*17\.8 % {2}ports .*ESTABLISHED 10, TIME_WAIT 5, FIN_WAIT2 1$/m);
    assert.match(table.stdout, /^127\.0\.1\.2 +6 .* to 127\.0\.0\.1:9001 /m);
    assert.match(table.stdout, /^127\.0\.0\.1:9000 {2}22 from 3 addresses$/m);
    assert.ok(!table.stdout.includes('\u001b'));
  });
});

test('--pid looks into the namespace of another process, and --netns into one that has a path; its own stays its own', async () => {
  const [program, args] = inNamespace(['[]', 'hold']);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    const pid = descendantOf(child.pid!);
    const end = await runCli(['watch', '--pid', String(pid), '--once', '--json'], { cwd: ROOT });
    if (root) {
      assert.equal(end.code, 0, end.stderr);
      assertKnownSockets(JSON.parse(end.stdout) as Look, pid);
      const path = `/proc/${pid}/ns/net`;
      const byPath = await runCli(['watch', '--netns', path, '--once', '--json'], { cwd: ROOT });
      assertKnownSockets(JSON.parse(byPath.stdout) as Look, pid);
    } else {
      assertToldHowElse(end, pid);
    }
    // Without root it takes the user namespace as well, as the error says.
    const within = ['nsenter', '--target', String(pid), '--user', '--net', '--preserve-credentials'];
    if (!root) {
      const entered = await runCli(['watch', '--once', '--json'], { cwd: ROOT, within });
      assertKnownSockets(JSON.parse(entered.stdout) as Look);
    }
  } finally {
    child.stdin.end();
    await once(child, 'close');
  }
});

test('who may not enter a namespace is told so, and how else', async (t) => {
  const user = await ordinaryUser(t);
  if (typeof user === 'string') return t.skip(user);
  assertToldHowElse(await runCli(['watch', '--pid', '1', '--once'], user), 1);
  const own = await runCli(['watch', '--once', '--json'], user);
  assert.ok([0, 1, 5].includes(own.code!), own.stderr);
  assert.match((JSON.parse(own.stdout) as Look).namespace, /^net:\[\d+\]$/);
});

function assertToldHowElse({ code, stderr }: CliEnd, pid: number): void {
  assert.equal(code, 3, stderr);
  assert.match(stderr, new RegExp(`process ${pid} may not be entered by this user; run it as root, or`));
  assert.ok(stderr.includes(`nsenter --target ${pid} --user --net --preserve-credentials bindstorm watch`), stderr);
}

/** setpriv → unshare → the process: the last of the chain. */
function descendantOf(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child ? descendantOf(Number(child)) : pid;
}

test('100,000 sockets in TIME_WAIT have the counts that ss and /proc/net/tcp have', async () => {
  const settings = { rounds: 1, attempts: 0, warmUp: 0, inFlight: 128, sources: 16, destinations: 16, seed: 1 };
  const churn = churnOf(settings, { strategy: 'bind-no-port', attempts: 100_000, warmUp: 0 });
  const { sockets, samples } = await inLab({ kind: 'watch', churn, rounds: 1, seed: 1, other: null });
  assert.equal(sockets, 100_000);
  // The lab rejects when a contender's counts are not these: 6,250 of each of 16 addresses.
  assert.deepEqual(samples.map(({ contender }) => contender).sort(), [
    'look',
    'proc',
    'procPorts',
    'ss',
    'ssPorts',
    'watch',
  ]);
});
