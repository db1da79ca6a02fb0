// needs: squid, haproxy, nginx, tinyproxy-bin, microsocks, strace, wget, curl, python3
/**
 * What if an unmodified program set other options before it binds: P becomes P·D, and the errno moves from bind() to connect().
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RunSpec } from '../../src/agent/protocol.js';
import { survey } from '../../src/experiment/survey.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import type { Results } from '../../src/results/schema.js';
import type { ProxySettings } from '../../src/subjects/index.js';
import { microsocks } from '../../src/subjects/microsocks/microsocks.js';
import { program } from '../../src/subjects/program/program.js';
import { tinyproxy } from '../../src/subjects/tinyproxy/tinyproxy.js';
import type { WhatIf } from '../../src/subjects/what-if/what-if.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { labArm, measure } from '../support/lab.js';
import { mayHaveNamespaces, ordinaryUser } from '../support/ordinary-user.js';
import { HAPROXY, NGINX, SQUID } from '../support/proxies.js';

const P = 40;
const D = 3;
const TRIED = 140;

/** Tunnels, or connections, that are held: more than P·D. */
async function run(proxy: ProxySettings, protocol: LoadPlan['protocol'], options: Partial<RunSpec> = {}) {
  const arm = labArm({
    destinations: { kind: 'lab', addresses: 1, ports: D },
    sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + P - 1}` },
    load: {
      protocol,
      holdMs: null,
      timeoutMs: 30_000,
      lagBudgetMs: 60_000,
      exchange: protocol === 'tcp' ? { request: 1, response: 1 } : null,
      arrival: { shape: 'fill', attempts: TRIED, failures: null, inFlight: 8, waves: 1, pauseMs: 0 },
    },
  });
  const measured = await measure({ ...arm, proxy }, options);
  assert.deepEqual(measured.problems, []);
  return measured;
}

const NO_PORT = { whatIf: { bind: 'no-port' } } as const;

describe('what if the program set IP_BIND_ADDRESS_NO_PORT', { concurrency: true }, () => {
  const cases: readonly [string, ProxySettings, LoadPlan['protocol'], without: number, within: number][] = [
    ['Squid 5', SQUID, 'connect', P, P * D],
    ['tinyproxy, with a thread for each client', tinyproxy.defaults, 'connect', P, P * D],
    ['microsocks, likewise', microsocks.defaults, 'socks5', P, P * D],
    ['HAProxy, which does', HAPROXY, 'tcp', P * D, P * D],
    ['nginx in mode tcp, which does', { ...NGINX, mode: 'tcp' }, 'tcp', P * D, P * D],
  ];
  for (const [title, proxy, protocol, without, within] of cases)
    it(title, async () => {
      const [plain, changed] = [
        await run(proxy, protocol),
        await run({ ...proxy, ...NO_PORT } as ProxySettings, protocol),
      ];
      assert.deepEqual([plain.outcomes.ok, changed.outcomes.ok], [without, within]);
    });

  it('Squid 5: the kernel refuses another call', async () => {
    const observe = { observe: 'strace' } as const;
    const [plain, changed] = [
      await run(SQUID, 'connect', observe),
      await run({ ...SQUID, ...NO_PORT }, 'connect', observe),
    ];
    const refused = ({ proxy }: typeof plain) => [
      ...new Set(proxy?.syscalls?.failures.map(({ call, errno }) => `${call}:${errno}`)),
    ];
    assert.deepEqual([refused(plain), refused(changed)], [['bind:EADDRINUSE'], ['connect:EADDRNOTAVAIL']]);
  });

  it('a range of its own, where the kernel has one for a socket', async () => {
    const range = { low: 40_000, high: 40_009 };
    const { outcomes } = await run({ ...SQUID, whatIf: { bind: 'no-port', portRange: range } }, 'connect');
    assert.equal(outcomes.ok, 10 * D);
  });
});

/** Of a program that drives itself: opens connections to D destinations in turn from its address, holds them, and ends. */
const NODE = `
  const net = require('net');
  const [host, port] = process.argv[1].split(':');
  let left = ${TRIED};
  const over = () => { if (--left === 0) setTimeout(process.exit, 300); };
  for (let i = 0; i < ${TRIED}; i++)
    net.connect({ host, port: Number(port) + (i % ${D}), localAddress: process.argv[2] }).once('connect', over).once('error', over);
`;
const PYTHON = `
import socket, sys, threading, time
host, port = sys.argv[1].split(':')
held = []
def one(i):
    s = socket.socket()
    held.append(s)
    try:
        s.bind((sys.argv[2], 0))
        s.connect((host, int(port) + i % ${D}))
    except OSError as e:
        s.close()
threads = [threading.Thread(target=one, args=(i,)) for i in range(${TRIED})]
for t in threads: t.start()
for t in threads: t.join()
time.sleep(0.3)
`;

const WGET = 'wget -q --tries=1 --bind-address=SOURCE -O /dev/null http://HOST:PORT/';
const CURL = 'curl -s --interface SOURCE http://HOST:PORT/';

/** Linked statically, so that nothing of the C library could be put in its way. It tries a refused port twice more by itself. */
const GO = `package main
import ("fmt"; "net"; "os"; "strconv"; "strings"; "sync"; "time")
func main() {
	host, p, _ := strings.Cut(os.Args[1], ":")
	port, _ := strconv.Atoi(p)
	var held []net.Conn
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := 0; i < ${TRIED}; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(os.Args[2])}}
			if c, err := d.Dial("tcp", fmt.Sprintf("%s:%d", host, port+i%${D})); err == nil {
				mu.Lock()
				held = append(held, c)
				mu.Unlock()
			}
		}(i)
	}
	wg.Wait()
	time.Sleep(300 * time.Millisecond)
}
`;

/** Held connections of a program that drives itself, without and with the what-if, and the strategies that were seen. */
async function heldBy(
  command: readonly string[],
  whatIf: WhatIf = NO_PORT.whatIf,
  sysctls: Record<string, string> = {},
) {
  const arm = labArm({
    destinations: { kind: 'lab', addresses: 1, ports: D },
    sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + P - 1}`, ...sysctls },
    load: { protocol: 'get', arrival: { shape: 'own', attempts: null } },
  });
  const settings = { ...program.defaults, command: [...command, '{origin}', '{source}'] };
  const runs = [await measure({ ...arm, proxy: settings }), await measure({ ...arm, proxy: { ...settings, whatIf } })];
  for (const { problems } of runs) assert.deepEqual(problems, []);
  return runs.map(({ outcomes, proxy }) => ({
    outcomes,
    seen: [...new Set(proxy?.syscalls?.ways?.map(({ strategy }) => strategy))],
  }));
}

describe('what if a program that drives itself did', () => {
  for (const [title, command, [own, then]] of [
    ['Node', [process.execPath, '-e', NODE], ['bind-reuseaddr', 'bind-no-port-reuseaddr']],
    ['Python, each connection in a thread of its own', ['/usr/bin/python3', '-c', PYTHON], ['bind', 'bind-no-port']],
  ] as const)
    it(title, async () => {
      assert.deepEqual(await heldBy(command), [
        { outcomes: { ok: P, 'bind:EADDRINUSE': TRIED - P }, seen: [own] },
        { outcomes: { ok: P * D, 'connect:EADDRNOTAVAIL': TRIED - P * D }, seen: [then] },
      ]);
    });

  it('took SO_REUSEADDR away from Node: nobody shares a port any more', async () => {
    // With SO_REUSEADDR and ip_autobind_reuse bind() gives out ports that others have.
    const shared = { 'net.ipv4.ip_autobind_reuse': '1' };
    const [plain, changed] = await heldBy([process.execPath, '-e', NODE], { reuseaddr: 'off' }, shared);
    assert.ok(plain!.outcomes.ok! > P && !('bind:EADDRINUSE' in plain!.outcomes), JSON.stringify(plain));
    assert.deepEqual(changed, { outcomes: { ok: P, 'bind:EADDRINUSE': TRIED - P }, seen: ['bind'] });
  });

  it('had a port range of its own, in which bind() looks too', async () => {
    const portRange = { low: 40_010, high: 40_019 };
    const [, plainBind] = await heldBy(['/usr/bin/python3', '-c', PYTHON], { portRange });
    assert.deepEqual(plainBind, { outcomes: { ok: 10, 'bind:EADDRINUSE': TRIED - 10 }, seen: ['bind'] });
    const [, late] = await heldBy(['/usr/bin/python3', '-c', PYTHON], { bind: 'no-port', portRange });
    assert.deepEqual(late, {
      outcomes: { ok: 10 * D, 'connect:EADDRNOTAVAIL': TRIED - 10 * D },
      seen: ['local-port-range'],
    });
  });

  for (const [title, command, strategies, held, failing] of [
    ['wget', WGET, ['bind', 'bind-no-port'], [8, 16], ['bind:EADDRINUSE', 'connect:EADDRNOTAVAIL']],
    // It sets the option itself, from 7.88 on.
    ['curl', CURL, ['bind-no-port', 'bind-no-port'], [16, 16], ['connect:EADDRNOTAVAIL', 'connect:EADDRNOTAVAIL']],
  ] as const)
    it(`${title}: with 8 ports and two destinations`, async () => {
      for (const [i, whatIf] of [undefined, NO_PORT.whatIf].entries()) {
        const seen = await survey(command, { held: held[i]!, ...(whatIf ? { whatIf } : {}) });
        assert.deepEqual(
          [seen.strategies, seen.held[1], seen.failing],
          [[strategies[i]], held[i], [failing[i]]],
          seen.tail.join('\n'),
        );
      }
    });

  it('Go, linked statically', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'main.go'), GO);
    const env = { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off', GOCACHE: join(folder, 'cache'), GOFLAGS: '' };
    const built = spawnSync('go', ['build', '-o', 'dialer', 'main.go'], { cwd: folder, env, encoding: 'utf8' });
    if (built.error) return t.skip('there is no go');
    assert.equal(built.status, 0, built.stderr);
    const [plain, changed] = await heldBy([join(folder, 'dialer')]);
    assert.deepEqual([plain?.outcomes.ok, changed?.outcomes.ok], [P, P * D]);
    assert.deepEqual(
      [plain, changed]
        .map((run) => run?.outcomes)
        .map((outcomes) => Object.keys(outcomes!).filter((name) => name !== 'ok')),
      [['bind:EADDRINUSE'], ['connect:EADDRNOTAVAIL']],
    );
  });
});

it('without root too', async (t) => {
  const user = await ordinaryUser(t);
  if (typeof user === 'string') return t.skip(user);
  if (!mayHaveNamespaces(user)) return t.skip('user namespaces are forbidden here');
  const load = `load: { protocol: connect, lagBudget: 60s, timeout: 30s, arrival: { shape: fill, attempts: ${TRIED}, inFlight: 8 } }`;
  writeFileSync(
    join(user.cwd, 'own.yaml'),
    `name: own\nsubject: { kind: tinyproxy }\naddresses: { list: [10.50.0.1] }\ndestinations: { ports: ${D} }\nsysctls: { net.ipv4.ip_local_port_range: 40000 ${40_000 + P - 1} }\n${load}\nrepeat: 1\nwarmup: 0\nvariants: [{ name: no-port, subject: { whatIf: { bind: no-port } } }]\n`,
  );
  const end = await runCli(['run', 'own.yaml', '--json', '--force'], user);
  assert.equal(end.code, 0, end.stderr);
  const { variants } = JSON.parse(end.stdout) as Results;
  assert.deepEqual(
    variants.map(({ strategy, changes, runs, agreement }) => [
      strategy,
      changes,
      runs[0]!.outcomes.ok,
      agreement?.verdict,
    ]),
    [
      ['bind', [], P, 'agrees'],
      ['bind-no-port', ['whatIf none → bind no-port', 'strategy bind → bind-no-port'], P * D, 'agrees'],
    ],
  );
});
