// needs: bpftrace, strace, curl, wget, python3, ncat, socat, ruby
/**
 * `watch --failures` beside six programs that find no local port: each refused call is counted once, as strace has it, and told whose it was.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Look } from '../../src/gauge/look.js';
import type { Refusals } from '../../src/gauge/refused.js';
import { findProgram } from '../../src/machine/programs.js';
import { fillNamespace } from '../support/causes.js';
import { ROOT, runCli, scratchFolder, startCli } from '../support/cli.js';
import { ordinaryUser } from '../support/ordinary-user.js';

const PORTS = 20;
const RANGE = `40000 ${40_000 + PORTS - 1}`;
const TO = '127.0.0.1';

/** From census.tsv of the survey: how each opens a connection; all leave the port to connect(). */
const PROGRAMS: readonly (readonly [program: string, ...args: string[]])[] = [
  ['curl', '--silent', `http://${TO}:9000/`],
  ['wget', '--quiet', '--tries=2', '--timeout=2', '-O', '/dev/null', `http://${TO}:9000/`],
  ['python3', '-c', `import socket\nsocket.create_connection(("${TO}", 9000))`],
  ['ncat', '--wait', '1', TO, '9000'],
  ['socat', '-', `TCP:${TO}:9000`],
  ['ruby', '-rsocket', '-e', `TCPSocket.new("${TO}", 9000)`],
];

const run = promisify(execFile);
const skip =
  process.getuid?.() !== 0
    ? 'eBPF is for root'
    : findProgram('bpftrace') === undefined && 'program bpftrace not found; install it: apt-get install bpftrace';

/** `connect EADDRNOTAVAIL` for each refused call of IPv4 or IPv6 in what `strace -f -o` wrote. */
function refusedIn(trace: string): string[] {
  const unfinished = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (pid === undefined || rest === undefined) return [];
    if (rest.endsWith('<unfinished ...>')) unfinished.set(pid, rest);
    const whole = rest.startsWith('<... ') ? (unfinished.get(pid) ?? '') + rest : rest;
    const [, call] = /^(\w+)\(/.exec(whole) ?? [];
    const [, errno] = /= -1 (E[A-Z]+)/.exec(rest) ?? [];
    return errno !== undefined && errno !== 'EINPROGRESS' && /AF_INET6?\b/.test(whole) ? [`${call} ${errno}`] : [];
  });
}

type Counted = Extract<Refusals, { kind: 'counted' }>;

/** The looks of a watch that counts, one after the other. */
function startCounting(...args: string[]) {
  const watch = startCli(['watch', '--failures', '--json', '--interval', '250ms', ...args], { cwd: ROOT });
  const looks = () => watch.stdout().split('\n').slice(0, -1);
  async function next(): Promise<Refusals> {
    const before = looks().length;
    // The look under way may have begun before what is to be seen.
    while (looks().length < before + 2) await sleep(50);
    return (JSON.parse(looks().at(-1)!) as Pick<Look, 'refused'>).refused!;
  }
  return { next, watch };
}

async function counted(next: () => Promise<Refusals>, t: { skip(why: string): void }): Promise<Counted | null> {
  const refused = await next();
  if (refused.kind === 'counted') return refused;
  t.skip(refused.reason);
  return null;
}

describe('refused calls', { skip }, () => {
  test('of six programs are as many as strace sees, by program and errno, with the control group and the cause', async (t) => {
    const folder = scratchFolder(t);
    const { pid } = await fillNamespace(t, { reason: 'idle-unbound', sockets: PORTS, range: RANGE });
    const { next, watch } = startCounting('--pid', String(pid));
    t.after(() => watch.kill('SIGKILL'));
    const before = await counted(next, t);
    if (before === null) return;
    assert.deepEqual(before.calls, []);
    const expected = new Map<string, number>();
    for (const [program, ...args] of PROGRAMS) {
      const trace = join(folder, program);
      const strace = ['strace', '-f', '-e', 'trace=bind,connect,sendto,sendmsg,listen', '-o', trace, program, ...args];
      await run('nsenter', ['--target', String(pid), '--net', '--', ...strace], { timeout: 30_000 }).catch(() => {});
      for (const failure of refusedIn(readFileSync(trace, 'utf8'))) {
        const key = `${program} ${failure}`;
        expected.set(key, (expected.get(key) ?? 0) + 1);
      }
    }
    const after = (await counted(next, t))!;
    const found = new Map<string, number>();
    for (const { command, call, errno, count } of after.calls)
      found.set(`${command} ${call} ${errno}`, (found.get(`${command} ${call} ${errno}`) ?? 0) + count);
    assert.equal([...expected.keys()].filter((key) => key.endsWith('connect EADDRNOTAVAIL')).length, PROGRAMS.length);
    assert.deepEqual(Object.fromEntries([...found].sort()), Object.fromEntries([...expected].sort()));
    assert.equal(after.lost, 0);
    for (const row of after.calls.filter(({ errno }) => errno === 'EADDRNOTAVAIL')) {
      assert.deepEqual(
        [row.refusal, row.cause, row.protocol, row.address, row.port],
        ['no-port', 'four-tuples', 'tcp', TO, 9000],
      );
      assert.ok(row.cgroup?.startsWith('/'), JSON.stringify(row));
    }
  });

  test('of a service whose port an outgoing connection has: who has it is told', async (t) => {
    const { pid } = await fillNamespace(t, { reason: 'idle-unbound', sockets: PORTS, range: RANGE });
    const { next, watch } = startCounting('--pid', String(pid));
    t.after(() => watch.kill('SIGKILL'));
    if ((await counted(next, t)) === null) return;
    const service = `import socket\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(("0.0.0.0", 40005))`;
    await run('nsenter', ['--target', String(pid), '--net', '--', 'python3', '-c', service]).catch(() => {});
    const { calls, sums } = (await counted(next, t))!;
    assert.deepEqual(sums, { 'no-port': 0, taken: 1, other: 0 });
    const [row] = calls;
    assert.deepEqual(
      [row!.call, row!.errno, row!.address, row!.port, row!.command, row!.cause],
      ['bind', 'EADDRINUSE', '0.0.0.0', 40_005, 'python3', 'named-port'],
    );
    assert.deepEqual(
      row!.takers.map(({ local, state, remote, owner }) => [local, state, remote.port, owner?.pid]),
      [['127.0.0.1', 'ESTABLISHED', 9000, pid]],
    );
  });

  test('of UDP are those that found no port, and not those that would block', async (t) => {
    const { pid } = await fillNamespace(t, { reason: 'healthy', sockets: 1, range: RANGE });
    const { next, watch } = startCounting('--pid', String(pid));
    t.after(() => watch.kill('SIGKILL'));
    if ((await counted(next, t)) === null) return;
    const program = `
import socket
held = []
for i in range(${PORTS}):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("${TO}", 53)); held.append(s)
for i in range(3):
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("${TO}", 53))
    except BlockingIOError: pass
for i in range(2):
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("${TO}", 53))
    except BlockingIOError: pass
try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("${TO}", 0))
except OSError: pass
try: held[0].recv(1, socket.MSG_DONTWAIT)
except OSError: pass
`;
    await run('nsenter', ['--target', String(pid), '--net', '--', 'python3', '-c', program]);
    const { calls } = (await counted(next, t))!;
    assert.deepEqual(
      calls
        .filter(({ errno }) => errno !== 'ECONNREFUSED')
        .map(({ call, errno, protocol, count, cause, refusal }) => [call, errno, protocol, count, cause, refusal])
        .sort(),
      [
        ['bind', 'EADDRINUSE', 'udp', 1, 'udp-ports', 'no-port'],
        ['connect', 'EAGAIN', 'udp', 3, 'udp-ports', 'no-port'],
        ['sendto', 'EAGAIN', 'udp', 2, 'udp-ports', 'no-port'],
      ],
    );
  });

  test('end a single look with an exit code of their own', async (t) => {
    const { pid } = await fillNamespace(t, { reason: 'idle-unbound', sockets: PORTS, range: RANGE });
    const watch = startCli(['watch', '--pid', String(pid), '--once', '--failures', '--interval', '8s'], { cwd: ROOT });
    const knock = setInterval(() => {
      execFile('nsenter', ['--target', String(pid), '--net', '--', 'curl', '--silent', `http://${TO}:9000/`], () => {});
    }, 1000);
    const { code, stdout, stderr } = await watch.ended;
    clearInterval(knock);
    if (/not counted/.test(stderr)) return t.skip(stderr);
    assert.equal(code, 8, stdout);
    assert.match(
      stdout,
      /refused calls since [\d:]{8} UTC: \d+ found no local port, 0 a port that was taken, 0 something else/,
    );
    assert.match(stdout, /^\d+ × connect\(127\.0\.0\.1:9000\) EADDRNOTAVAIL by curl.* \(\d+(?: processes)?\)/m);
  });
});

test('without rights the look goes on, and says why nothing is counted', async (t) => {
  const user = await ordinaryUser(t);
  if (typeof user === 'string') return t.skip(user);
  const { code, stdout, stderr } = await runCli(
    ['watch', '--once', '--failures', '--json', '--interval', '100ms'],
    user,
  );
  assert.ok([0, 1, 5].includes(code!), stderr);
  assert.match(stderr, /--failures: refused calls are not counted: to count them takes root/);
  const { refused } = JSON.parse(stdout) as Look;
  assert.equal(refused?.kind, 'unavailable');
});
