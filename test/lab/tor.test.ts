// needs: tor, strace
/**
 * Tor itself as the subject: a private network whose exits run out of ports, to the exact stream, as its clients, its control port,
 * its log, the kernel and its sockets tell it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Measurement } from '../../src/agent/protocol.js';
import { debianProgram } from '../../src/machine/debian-program.js';
import type { Arm } from '../../src/plan/plan.js';
import { foreignRoutes } from '../../src/subjects/tor/network.js';
import type { TorSettings } from '../../src/subjects/tor/settings.js';
import { tor } from '../../src/subjects/tor/tor.js';
import { until } from '../support/cli.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';
import { newMark } from '../support/processes.js';
import { TOR } from '../support/proxies.js';

const FAIL = 'socks:general-failure';
const PORTS = 64;
const BEYOND = 20;

function torArm(arm: Partial<LabArm> & { attempts?: number }, settings: Partial<TorSettings> = {}): Arm {
  const { attempts = 0, load, sysctls, ...rest } = arm;
  return {
    ...labArm({
      ...rest,
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40063', ...sysctls },
      load: {
        protocol: 'socks5',
        holdMs: null,
        timeoutMs: 60_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: { ...TOR, ...settings },
  };
}

function failuresOf({ proxy }: Measurement) {
  return proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count }));
}

/** In the network namespace of a process. */
function timeWaitOf(pid: number): number {
  return Number(/^TCP:.* tw (\d+)/m.exec(readFileSync(`/proc/${pid}/net/sockstat`, 'latin1'))?.[1]);
}

/** A cache of this file's own: what is in it was made by this build, and a first start really is one. */
let cache = '';
let old: Partial<TorSettings> = {};
const first: Measurement[] = [];

before(async () => {
  // A program, and not a network: it may be that of the user's cache.
  old = { suite: 'bullseye', binary: await debianProgram('bullseye', tor.unpacked) };
  cache = mkdtempSync(join(tmpdir(), 'bindstorm-tor-'));
  process.env.XDG_CACHE_HOME = cache;
  // Most of a bootstrap is waiting, so that three take little longer than one.
  const small = { attempts: 1 };
  first.push(
    ...(await Promise.all([
      measure(torArm(small)),
      measure(torArm({ ...small, addresses: tenAddresses(2) })),
      measure(torArm(small, old)),
    ])),
  );
});

after(() => rmSync(cache, { recursive: true, force: true }));

describe('a private Tor network', () => {
  it('is kept, and comes up from what was kept the next time', async () => {
    for (const { proxy, outcomes } of first) {
      assert.equal(proxy?.bootstrap?.cached, false);
      assert.deepEqual(outcomes, { ok: 1 });
    }
    assert.equal(readdirSync(join(cache, 'bindstorm/tor')).length, 3);
    const { proxy } = await measure(torArm({ attempts: 1 }));
    assert.equal(proxy?.bootstrap?.cached, true);
    assert.ok(proxy.bootstrap.seconds > 0);
  });

  it('says which node was how far when its time is over', async () => {
    // An exit without a network never has a descriptor of its own.
    const arm = torArm({ attempts: 1 }, { config: ['DisableNetwork 1'], deadline: 5000 });
    await assert.rejects(
      measure(arm),
      // On a busy machine it may not even have started by then.
      /the private Tor network was not ready within 5 s(?:, and \d+ s for want of a CPU)?: .*exit1 is (?:at \d+% \(\w+\): .*no descriptor of its own yet|starting: it has no control port yet).* \(subject\.deadline allows it more\)/,
    );
  });

  it('says which node ended, and why', async () => {
    const arm = torArm({ attempts: 1 }, { config: ['NoSuchOption 1'] });
    await assert.rejects(
      measure(arm),
      /the private Tor network did not come up: exit1 ended with code 1: .*(?:NoSuchOption|Reading config failed)/,
    );
  });

  it('has no way out of the lab, and leaves nothing behind when it is killed', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const load = { holdMs: 0, arrival: { shape: 'constant', rate: 10, durationMs: 60_000 } } as const;
    const failed = assert.rejects(
      measure(torArm({ load })),
      /the proxy \(tor\) exit1 was killed by SIGKILL before the run was over/,
    );
    const tors = () => mark.processes().filter(({ command }) => command[0]?.endsWith('/tor'));
    const exitOf = () => tors().find(({ command }) => command.at(-1)?.includes('/exit1/'));
    // The stream on trial has left one, with its server.
    const isLoaded = () => {
      const pid = exitOf()?.pid;
      return pid !== undefined && timeWaitOf(pid) > 5;
    };
    await until('the load', () => isLoaded() && tors().length === 4, 60_000);
    const namespaces = new Map(mark.processes().map(({ pid, namespaces: [net] }) => [net!, pid] as const));
    let looked = 0;
    for (const { pid } of [...tors(), ...mark.processes().filter(({ role }) => role === 'origin')]) {
      const own = readFileSync(`/proc/${pid}/net/route`, 'latin1');
      const devices = readFileSync(`/proc/${pid}/net/dev`, 'latin1')
        .match(/^\s*[\w-]+(?=:)/gm)!
        .map((name) => name.trim());
      assert.deepEqual(
        devices.filter((name) => name !== 'lo' && !name.startsWith('bs-')),
        [],
        'devices of the lab only',
      );
      // The origin answers whomever it hears, through the one device that leads to the exits.
      if (!/\tbs-origin\t|^bs-origin/m.test(own)) assert.deepEqual(foreignRoutes(own), []);
      looked++;
    }
    assert.ok(looked >= 5 && namespaces.size >= 3, `${looked} processes, ${namespaces.size} namespaces`);
    // The kernel itself, asked from where each Tor is, for an address that is nobody's (RFC 5737).
    for (const { pid } of tors()) {
      const probe =
        "const s = require('net').connect(443, '192.0.2.1'); s.on('error', (e) => { console.log(e.code); }); s.on('connect', () => console.log('connected'));";
      const asked = spawnSync('nsenter', [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', probe], {
        encoding: 'utf8',
      });
      assert.equal(asked.stdout.trim(), 'ENETUNREACH');
    }
    process.kill(exitOf()!.pid, 'SIGKILL');
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
    for (const name of Object.keys(mark.env)) delete process.env[name];
  });
});

// Each starts a network of its own, for which it mostly waits.
const SIDE_BY_SIDE = { concurrency: 2 };

describe('streams held open through exits of Tor 0.4.7.13 and newer', SIDE_BY_SIDE, () => {
  for (const [addresses, ports, range, room] of [
    [1, 1, '40000 40063', PORTS],
    [1, 1, '40000 40127', 2 * PORTS],
    [2, 1, '40000 40063', 2 * PORTS],
    [1, 4, '40000 40063', 4 * PORTS],
  ] as const) {
    it(`P·S·D: ports ${range}, ${addresses} exits, ${ports} destinations: ${room}`, async () => {
      const run = await measure(
        torArm({
          attempts: room + BEYOND,
          addresses: tenAddresses(addresses),
          destinations: { kind: 'lab', addresses: 1, ports },
          sysctls: { 'net.ipv4.ip_local_port_range': range },
        }),
      );
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: BEYOND });
      assert.deepEqual(run.problems, []);
      assert.equal(run.capacity.tuples, room);
      assert.deepEqual(run.ports.peakPerAddress, Array(addresses).fill(room / addresses / ports));
      const { proxy } = run;
      assert.deepEqual(proxy?.requests, { SUCCEEDED: room, 'END RESOURCELIMIT': BEYOND });
      assert.deepEqual(proxy?.answers, { 'reply 1': BEYOND });
      assert.deepEqual(failuresOf(run), [], 'the exit says nothing at notice');
    });
  }

  it('by the HTTP engine too, which asks for a page in each', async () => {
    const load = { engine: 'http', holdMs: 0, body: 3000 } as const;
    const arrival = {
      shape: 'fill',
      attempts: PORTS + BEYOND,
      failures: null,
      inFlight: 8,
      waves: 1,
      pauseMs: 0,
    } as const;
    const run = await measure(torArm({ load: { ...load, arrival } }));
    assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: BEYOND });
    assert.deepEqual(run.proxy?.requests, { SUCCEEDED: PORTS, 'END RESOURCELIMIT': BEYOND });
  });

  it('say so at level info, and to the kernel', async () => {
    const arm = torArm({ attempts: PORTS + BEYOND }, { config: ['Log [net]info stdout'] });
    const run = await measure(arm, { observe: 'strace' });
    assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: BEYOND });
    assert.deepEqual(failuresOf(run), [{ call: 'connect', errno: 'EADDRNOTAVAIL', count: BEYOND }]);
    assert.deepEqual(
      run.proxy?.syscalls?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
      [{ call: 'connect', errno: 'EADDRNOTAVAIL', count: BEYOND }],
    );
  });
});

describe('streams that are closed', SIDE_BY_SIDE, () => {
  const waves = (sysctls: Record<string, string>) =>
    torArm({
      sysctls,
      // The exit hears of the end of a stream some time after its client: the pause is for that too.
      load: {
        holdMs: 0,
        arrival: { shape: 'fill', attempts: PORTS, failures: null, inFlight: 8, waves: 2, pauseMs: 4000 },
      },
    });

  it('leave a port each in TIME_WAIT, and tcp_fin_timeout does nothing about it', async () => {
    const run = await measure(waves({ 'net.ipv4.tcp_fin_timeout': '1' }));
    assert.deepEqual(
      run.waves.map(({ outcomes }) => outcomes),
      [{ ok: PORTS }, { [FAIL]: PORTS }],
    );
    assert.deepEqual(run.ports.finalStates, { TIME_WAIT: PORTS });
  });

  it('tcp_tw_reuse=1 gives the ports back after a second', async () => {
    const run = await measure(waves({ 'net.ipv4.tcp_tw_reuse': '1' }));
    assert.deepEqual(
      run.waves.map(({ outcomes }) => outcomes),
      [{ ok: PORTS }, { ok: PORTS }],
    );
  });
});

describe('Tor 0.4.5, before IP_BIND_ADDRESS_NO_PORT', SIDE_BY_SIDE, () => {
  for (const ports of [1, 4]) {
    it(`P·S, whatever the destinations: ${ports}, with the line of 2012 for each`, async () => {
      const run = await measure(
        torArm({ attempts: PORTS + BEYOND, destinations: { kind: 'lab', addresses: 1, ports } }, old),
      );
      assert.match(run.proxy?.version ?? '', /^0\.4\.5\./);
      assert.deepEqual(run.outcomes, { ok: PORTS, [FAIL]: BEYOND });
      assert.deepEqual(run.proxy?.requests, { SUCCEEDED: PORTS, 'END RESOURCELIMIT': BEYOND });
      assert.deepEqual(failuresOf(run), [{ call: 'bind', errno: 'EADDRINUSE', count: BEYOND }]);
      assert.match(
        run.proxy?.failures[0]?.lines[0] ?? '',
        /\[warn\] Error binding network socket: Address already in use$/,
      );
    });
  }
});
