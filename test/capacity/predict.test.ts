import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindEra, hasStrategy } from '../../src/capacity/bind-era.js';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predict, predictArm } from '../../src/capacity/predict.js';
import { STRATEGY_NAMES, type StrategyName } from '../../src/domain/strategy.js';
import type { LoadPlan, Neighbour } from '../../src/plan/plan.js';
import { DANTE, HAPROXY, SQUID } from '../support/proxies.js';
import { arm, input, KERNEL, LATEST } from './inputs.js';

/** A timer of 5 s at the latest, with HZ=250. */
const FIVE = 5 + 64 / 250;

const MEASURED = ['3.2.71', '3.3.8', '5.10.223', '6.1.192', '6.12.107', '6.18.44', '7.2.13'];

test('eras change at the releases that changed bind()', () => {
  const eras = (releases: string[]) => releases.map((release) => bindEra(parseKernelVersion(release)));
  assert.deepEqual(eras(['2.6.32.65', '3.2.71', '3.3', '3.4.4', '3.5', '4.1', '4.2', '4.5']), [
    'A',
    'A',
    'B',
    'B',
    'C',
    'C',
    'C2',
    'C2',
  ]);
  assert.deepEqual(eras(['4.6', '4.10.17', '4.11', '5.6', '5.7', '6.18', '7.2']), ['D', 'D', 'E', 'E', 'F', 'F', 'F']);
  assert.deepEqual(
    eras([
      '2.6.32-220.4.1.el6',
      '2.6.32-220.12.1.el6',
      '2.6.32-358.18.1.el6',
      '2.6.32-642.6.2.el6',
      '3.10.0-1160.el7',
      '4.18.0-553.el8',
    ]),
    ['A', 'B', 'C', 'C2', 'C2', 'E'],
  );
});

test('held, across kernels: plain connect and bind (kernel × S2D2, S5D2)', () => {
  for (const kernel of MEASURED) {
    const at = (strategy: 'connect' | 'bind', addresses: number) =>
      predict(input({ kernel, strategy, addresses, destinations: 2 })).concurrent;
    assert.equal(at('connect', 2), 200, kernel);
    assert.equal(at('bind', 2), kernel === '3.2.71' ? 100 : 200, kernel);
    assert.equal(at('bind', 5), kernel === '3.2.71' ? 100 : 500, kernel);
  }
});

test('held, across kernels: bind with SO_REUSEADDR', () => {
  for (const kernel of MEASURED) {
    const wide = predict(input({ kernel, strategy: 'bind-reuseaddr', addresses: 2, destinations: 2 }));
    const many = predict(input({ kernel, strategy: 'bind-reuseaddr', addresses: 1, destinations: 20 }));
    if (kernel.startsWith('3.')) {
      assert.deepEqual([wide.concurrent, many.concurrent], [null, null], kernel);
      assert.equal(wide.fails, 'connect:EADDRNOTAVAIL');
      assert.match(many.formula, /^at most .* = 2000$/, 'above the 1748 and 1735 that were measured');
    } else {
      assert.deepEqual([wide.concurrent, many.concurrent], [200, 100], kernel);
      assert.equal(wide.fails, 'bind:EADDRINUSE');
    }
    const shared = predict(input({ kernel, strategy: 'bind-reuseaddr', destinations: 8, autobindReuse: true }));
    if (!kernel.startsWith('3.')) assert.match(shared.formula, /^at most .* = 275$/, kernel);
  }
});

test('held, across kernels: NO_PORT and explicit ports', () => {
  for (const kernel of MEASURED) {
    const noPort = predict(input({ kernel, strategy: 'bind-no-port', addresses: 2, destinations: 2 }));
    if (kernel.startsWith('3.')) assert.deepEqual([noPort.concurrent, noPort.fails], [0, 'setsockopt:ENOPROTOOPT']);
    else assert.deepEqual([noPort.concurrent, noPort.fails], [400, 'connect:EADDRNOTAVAIL']);
    assert.equal(
      predict(input({ kernel, strategy: 'bind-explicit-port', addresses: 2, destinations: 2 })).concurrent,
      400,
    );
  }
});

test('TIME_WAIT, across kernels: tcp_tw_reuse does nothing for bind; SO_REUSEADDR takes over before 4.11 only', () => {
  for (const kernel of MEASURED) {
    const bind = predict(input({ kernel, strategy: 'bind', twReuse: 1 }));
    assert.equal(bind.sustained, 100 / (kernel.startsWith('3.') ? 60 : LATEST), kernel);
    assert.match(bind.rule, /bind\(\) does not look at tcp_tw_reuse\.$/);
    const shared = predict(input({ kernel, strategy: 'bind-reuseaddr', twReuse: 1 }));
    assert.equal(shared.sustained, kernel.startsWith('3.') ? null : 100 / LATEST, kernel);
  }
});

test('the eras that were read and not booted: SO_REUSEADDR lowers the ceiling of one destination', () => {
  const at = (kernel: string, destinations: number) =>
    predict(input({ kernel, strategy: 'bind-reuseaddr', destinations }));
  assert.equal(at('3.10.65', 1).concurrent, 100);
  assert.equal(at('4.4.155', 1).concurrent, 50);
  assert.equal(at('4.9.154', 1).concurrent, 25);
  assert.equal(at('4.9.154', 1).fails, 'connect:EADDRNOTAVAIL');
  for (const [kernel, most] of [
    ['3.10.65', 2000],
    ['4.4.155', 1000],
    ['4.9.154', 500],
  ] as const) {
    assert.equal(at(kernel, 20).concurrent, null);
    assert.match(at(kernel, 20).formula, new RegExp(`^at most .* = ${most}$`));
  }
  const reserved = predict(input({ kernel: '4.9.154', strategy: 'bind-reuseaddr', reserved: 10 }));
  assert.equal(reserved.concurrent, null, 'how many reserved ports are odd and low is not known');
});

test('SO_REUSEPORT shares at random from 3.9 to 4.10, and does nothing for bind() since', () => {
  assert.equal(predict(input({ kernel: '3.8', strategy: 'bind-reuseport' })).fails, 'setsockopt:ENOPROTOOPT');
  for (const kernel of ['3.10.65', '4.4.155', '4.9.154']) {
    assert.equal(predict(input({ kernel, strategy: 'bind-reuseport', addresses: 2 })).concurrent, null, kernel);
  }
  const now = predict(input({ strategy: 'bind-reuseport', addresses: 2 }));
  assert.equal(now.concurrent, 200);
  assert.match(now.rule, /SO_REUSEPORT changes nothing/);
});

test('sustained rates as measured: P/T, P/δ, P·S·D/δ', () => {
  const rate = (changes: Parameters<typeof input>[0]) => predict(input(changes)).sustained;
  assert.equal(rate({ strategy: 'connect' }), 100 / LATEST);
  assert.equal(rate({ strategy: 'connect', twReuse: 1 }), 100);
  assert.equal(rate({ strategy: 'connect', twReuse: 1, twReuseDelayMs: 100 }), 1000);
  assert.equal(rate({ strategy: 'bind-no-port', twReuse: 1, addresses: 2, destinations: 2 }), 400);
  assert.equal(rate({ strategy: 'bind-explicit-port' }), null);
  assert.equal(rate({ strategy: 'bind-explicit-port', timestamps: false }), 100 / LATEST);
  assert.equal(rate({ strategy: 'bind', close: 'reset' }), null);
  assert.equal(rate({ strategy: 'bind', close: 'server' }), null);
  assert.equal(rate({ strategy: 'bind', maxTwBuckets: 10 }), null);
  assert.equal(rate({ strategy: 'bind', maxTwBuckets: 100 }), 100 / LATEST);
});

test('tcp_tw_reuse: 2 acts on loopback only, timestamps are needed, and the delay was a clock of seconds', () => {
  const rate = (changes: Parameters<typeof input>[0]) => predict(input({ strategy: 'connect', ...changes })).sustained;
  assert.equal(rate({ twReuse: 2 }), 100 / LATEST);
  assert.equal(rate({ twReuse: 2, loopback: true }), 100);
  assert.equal(rate({ twReuse: 2, kernel: '4.15.18' }), 50, 'before 4.18 every value but 0 was on');
  assert.equal(rate({ twReuse: 1, timestamps: false }), 100 / LATEST);
  assert.equal(rate({ twReuse: 1, kernel: '6.12.107', twReuseDelayMs: 100 }), 100, 'the delay came with 6.14');
});

test('a held connection occupies its tuple for the hold and for what follows', () => {
  assert.equal(predict(input({ holdMs: 40_000 })).sustained, 100 / (40 + LATEST));
  assert.equal(predict(input({ holdMs: 10_000, close: 'reset' })).sustained, 10);
  assert.equal(predict(input({ holdMs: 10_000, maxTwBuckets: 50 })).sustained, 5);
  const clash = predict(input({ strategy: 'bind-reuseaddr', autobindReuse: true, holdMs: 10_000 }));
  assert.equal(clash.sustained, null, 'a shared port may still be open');
});

test('a peer that never closes: tcp_fin_timeout frees the port, and tcp_tw_reuse does not', () => {
  const strategy = 'connect';
  assert.equal(predict(input({ strategy, finTimeoutMs: 5000 })).sustained, 100 / FIVE);
  assert.equal(predict(input({ strategy, finTimeoutMs: 5000, twReuse: 1 })).sustained, 100 / FIVE);
  assert.equal(predict(input({ strategy, finTimeoutMs: 5000, twReuse: 1, kernel: '6.6' })).sustained, null);
  assert.equal(predict(input({ finTimeoutMs: 5000, twReuse: 1, kernel: '6.6' })).sustained, 100 / FIVE);
});

test('the formula has the numbers put in, and the rule is one sentence', () => {
  const five = predict(input({ addresses: 5, destinations: 2 }));
  assert.equal(five.formula, 'P·S = 100 · 5 = 500; 500 / 62.048 s = 8.05 a second');
  assert.equal(predict(input({ strategy: 'bind-any' })).formula, 'P = 100; 100 / 62.048 s = 1.61 a second');
  assert.equal(
    predict(input({ strategy: 'bind-no-port', addresses: 5, destinations: 2, twReuse: 1 })).formula,
    'P·S·D = 100 · 5 · 2 = 1000; 1000 / 1 s = 1000 a second',
  );
  assert.equal(
    predict(input({ holdMs: 40_000 })).formula,
    'P·S = 100 · 1 = 100; 100 / (40 s + 62.048 s) = 0.979 a second',
  );
  for (const kernel of ['2.6.32', '3.2', '3.4', '3.10.0-1160.el7', '4.4', '4.9', '4.19', '6.1.32', '6.18', '7.2']) {
    for (const strategy of STRATEGY_NAMES) {
      const prediction = predict(input({ kernel, strategy }));
      assert.match(prediction.rule, /^[^.].*[^.]\.$/, `${kernel} ${strategy}`);
      assert.doesNotMatch(prediction.rule, /\. [A-Z]/);
      assert.match(prediction.source, /\.c|\(7\)/);
      assert.match(prediction.fails, /^(?:bind:EADDRINUSE|connect:EADDRNOTAVAIL|setsockopt:ENOPROTOOPT)$/);
    }
  }
});

test('ports: reserved ones are lost to the kernel’s choice only, and a socket’s own range is clamped bound by bound', () => {
  const ports = (changes: Parameters<typeof input>[0]) => predict(input(changes)).concurrent;
  assert.equal(ports({ reserved: 30 }), 70);
  assert.equal(ports({ strategy: 'bind-explicit-port', reserved: 30 }), 100);
  assert.equal(ports({ reserved: 100 }), 0);
  assert.equal(ports({ strategy: 'bind-explicit-port', programPorts: { low: 1024, high: 65535 } }), 64_512);
  assert.equal(ports({ strategy: 'bind', programPorts: { low: 1024, high: 65535 } }), 100, 'bind ignores the list');
  const lpr = (low: number, high: number) => ports({ strategy: 'local-port-range', programPorts: { low, high } });
  assert.equal(lpr(40_010, 40_019), 10);
  assert.equal(lpr(1024, 40_019), 20);
  assert.equal(lpr(40_090, 50_000), 10);
  assert.equal(lpr(1024, 2048), 100);
});

test('kernels without an option, and vendors that may have it', () => {
  assert.equal(hasStrategy(parseKernelVersion('6.1.31'), 'local-port-range'), 'no');
  assert.equal(hasStrategy(parseKernelVersion('6.1.32'), 'local-port-range'), 'yes');
  assert.equal(hasStrategy(parseKernelVersion('6.2.16'), 'local-port-range'), 'no');
  assert.equal(hasStrategy(parseKernelVersion('3.10.0-1160.el7'), 'bind-no-port'), 'unknown');
  const vendor = predict(input({ kernel: '3.10.0-1160.el7', strategy: 'bind-no-port' }));
  assert.deepEqual([vendor.concurrent, vendor.sustained], [null, null]);
  const old = predict(input({ kernel: '4.1', strategy: 'bind-no-port' }));
  assert.deepEqual(
    [old.concurrent, old.sustained, old.formula],
    [0, 0, '0 (IP_BIND_ADDRESS_NO_PORT came with 4.2); 0 a second'],
  );
});

test('worked examples: fifty addresses in 2014 and now, and the exit of 2012', () => {
  const fifty = { strategy: 'bind', addresses: 50 } as const;
  const then = predict(input({ ...fifty, kernel: '3.2.0-4-amd64', range: { low: 32768, high: 61000 } }));
  assert.deepEqual([then.concurrent, Math.floor(then.sustained!)], [28_233, 470]);
  const now = predict(input({ ...fifty, range: { low: 32768, high: 60999 }, maxTwBuckets: 10_000_000 }));
  assert.deepEqual([now.concurrent, Math.floor(now.sustained!)], [1_411_600, 22_750]);
  const exit = predict(input({ strategy: 'bind', addresses: 4, kernel: '3.0', range: { low: 5000, high: 65000 } }));
  assert.deepEqual([exit.concurrent, Math.floor(exit.sustained!)], [60_001, 1000]);
});

test('an arm and the machine’s sysctls: the arm’s own come on top', () => {
  const defaults = {
    'net.ipv4.ip_local_port_range': '32768\t60999',
    'net.ipv4.tcp_tw_reuse': '2',
    'net.ipv4.tcp_max_tw_buckets': '131072',
  };
  assert.equal(predictArm(arm({ addresses: 5 }), KERNEL, defaults).prediction.concurrent, 500);
  const wide = arm({ addresses: 5 });
  delete (wide.sysctls as Record<string, string>)['net.ipv4.ip_local_port_range'];
  assert.equal(predictArm(wide, KERNEL, defaults).prediction.concurrent, 5 * 28_232);
  assert.equal(predictArm(wide, KERNEL, {}).prediction.concurrent, 5 * 28_232);
  assert.equal(predictArm(wide, parseKernelVersion('3.10.65'), {}).prediction.concurrent, 5 * 28_233);
  const connect = (sysctls: Record<string, string>) =>
    predictArm(arm({ load: { strategy: 'connect' }, sysctls }), KERNEL, defaults).prediction.sustained;
  assert.equal(connect({}), 100 / LATEST, 'tcp_tw_reuse=2 does nothing for 10.x');
  assert.equal(connect({ 'net.ipv4.tcp_tw_reuse': '1' }), 100);
  assert.equal(connect({ 'net.ipv4.tcp_tw_reuse': '1', 'net.ipv4.tcp_tw_reuse_delay': '500' }), 200);
  assert.equal(connect({ 'net.ipv4.tcp_tw_reuse': '1', 'net.ipv4.tcp_timestamps': '0' }), 100 / LATEST);
  assert.equal(connect({ 'net.ipv4.tcp_max_tw_buckets': '10' }), null);
  assert.equal(connect({ 'net.ipv4.ip_local_reserved_ports': '40000-40009,40005-40019,50000' }), 80 / LATEST);
});

test('an arm whose origin never accepts is freed by tcp_fin_timeout', () => {
  const load = { sink: 'listen-only' } as const;
  const plain = predictArm(arm({ load }), KERNEL, {}).prediction;
  assert.equal(plain.sustained, 100 / LATEST);
  assert.match(plain.rule, /the peer never closes, so tcp_fin_timeout frees the port 60 to 62\.05 s after our close/);
  assert.equal(
    predictArm(arm({ load, sysctls: { 'net.ipv4.tcp_fin_timeout': '5' } }), KERNEL, {}).prediction.sustained,
    100 / FIVE,
  );
});

test('an arm on 127.0.0.0/8 gets the reuse that tcp_tw_reuse=2 gives to loopback', () => {
  const local = { ...arm({ load: { strategy: 'connect' } }), addresses: ['127.0.1.1'] };
  assert.equal(predictArm(local, KERNEL, {}).prediction.sustained, 100);
  const mixed = { ...local, addresses: ['127.0.1.1', '10.0.0.1'] };
  assert.equal(predictArm(mixed, KERNEL, {}).prediction.sustained, 100 / LATEST);
});

test('tcp_tw_recycle, up to 4.11, ends TIME_WAIT after 3.5 RTO for every strategy; it needs timestamps', () => {
  const rate = (changes: Parameters<typeof input>[0]) => predict(input({ twRecycle: true, ...changes })).sustained;
  assert.equal(rate({ kernel: '3.2.71', addresses: 2 }), 100 / 0.7);
  assert.equal(rate({ kernel: '3.3.8', addresses: 2, rtoMs: 400 }), 200 / 1.4);
  assert.equal(rate({ kernel: '3.2.71', strategy: 'connect', twReuse: 1 }), 100 / 0.7);
  assert.equal(rate({ kernel: '4.12' }), 100 / LATEST);
  assert.equal(rate({ kernel: '3.2.71', timestamps: false }), 100 / 60);
  const arm2014 = predictArm(
    arm({ sysctls: { 'net.ipv4.tcp_tw_recycle': '1' } }),
    parseKernelVersion('3.2.0-4-amd64'),
    {},
  ).prediction;
  assert.match(arm2014.rule, /tcp_tw_recycle ends TIME_WAIT .* and drops connections of clients behind NAT\.$/);
});

test('a vendor’s length of TIME_WAIT, and the slots in which it ended before 4.1', () => {
  assert.equal(predict(input({ timeWaitSeconds: 5 })).sustained, 100 / FIVE);
  assert.match(predict(input({ kernel: '3.10' })).rule, /60 s of TIME_WAIT, which ends in batches every 7\.5 s\.$/);
});

test('6.1.0 to 6.1.4 did not show TIME_WAIT to bind()', () => {
  assert.equal(predict(input({ kernel: '6.1.4' })).sustained, null);
  assert.equal(predict(input({ kernel: '6.1.0' })).sustained, null);
  for (const kernel of ['6.1.5', '6.1.40', '6.1', '6.1.0-28-amd64', '6.2'])
    assert.equal(predict(input({ kernel })).sustained, 100 / LATEST, kernel);
  assert.equal(predict(input({ kernel: '6.1.4', strategy: 'bind-any' })).sustained, 100 / LATEST);
});

test('ports that other programs hold by bind(): lost to connect() and to the wildcard, not to another address', () => {
  const ports = (changes: Parameters<typeof input>[0]) => predict(input({ heldElsewhere: 30, ...changes }));
  assert.equal(ports({ strategy: 'bind-no-port', addresses: 2, destinations: 2 }).concurrent, 280);
  assert.equal(ports({ strategy: 'connect', addresses: 2, destinations: 2 }).concurrent, 140);
  assert.equal(ports({ strategy: 'connect', heldElsewhere: 100 }).concurrent, 0);
  assert.equal(ports({ strategy: 'bind', addresses: 2 }).concurrent, 200);
  assert.equal(ports({ strategy: 'bind', addresses: 2, kernel: '3.2' }).concurrent, 70);
  assert.match(ports({ strategy: 'connect' }).formula, /^\(P−M\)·D = 70 · 1 = 70/);
  assert.match(
    ports({ strategy: 'connect' }).rule,
    /; 30 ports are lost to other programs, which hold them by bind\(\);/,
  );
});

test('ports that they hold on the same address or on 0.0.0.0 are lost to everybody', () => {
  const ports = (changes: Parameters<typeof input>[0]) => predict(input({ heldHere: 30, ...changes })).concurrent;
  assert.deepEqual([ports({ addresses: 2 }), ports({ strategy: 'bind-any' })], [140, 70]);
  assert.equal(ports({ strategy: 'bind-no-port', addresses: 2, destinations: 2, heldElsewhere: 20 }), 200);
  assert.equal(predict(input({ heldHere: 30 })).slowWall?.tuples, 20);
});

const NOLINGER = { ...HAPROXY, config: ['option nolinger'] };

test('what is kept takes no port for a request; who closes first in a configuration of lines of somebody’s own is not known', () => {
  const of = (changes: Parameters<typeof arm>[0]) => predictArm(arm(changes), KERNEL, {}).prediction;
  const get = { protocol: 'get', holdMs: 0 } as const;
  const http = { ...HAPROXY, mode: 'http' } as const;
  for (const [proxy, load, sustained, limited] of [
    [{ ...SQUID, persistent: true }, get, null, 'not by ports'],
    [SQUID, get, 100 / LATEST, 'by ports'],
    [http, get, null, 'not by ports'],
    [HAPROXY, { protocol: 'tcp', holdMs: 0 }, 100 / LATEST, 'by ports'],
    [NOLINGER, { protocol: 'tcp', holdMs: 0 }, null, 'not modelled'],
    // The answer takes 2 s, and a connection is busy meanwhile.
    [{ ...SQUID, persistent: true }, { ...get, holdMs: 2000 }, 50, 'by ports'],
    [DANTE, { protocol: 'socks5', holdMs: 0 }, null, 'not modelled'],
  ] as const) {
    const prediction = of({ proxy, load: { ...load, strategy: 'bind' } });
    assert.deepEqual([prediction.sustained, prediction.limited], [sustained, limited], JSON.stringify(proxy));
  }
  const roles = { client: { 'net.ipv4.ip_local_port_range': '40010 40020' }, origin: {} };
  assert.equal(
    of({ proxy: DANTE, roles, load: { protocol: 'socks5', holdMs: 0 } }).concurrent,
    100,
    'no port of its own',
  );
});

test('a proxy on a kernel without IP_BIND_ADDRESS_NO_PORT binds as it did before there was one; a load of our own fails', () => {
  const old = parseKernelVersion('3.10.108');
  const held = { addresses: 2, destinations: 2 };
  const own = predictArm(arm({ ...held, load: { strategy: 'bind-no-port' } }), old, {}).prediction;
  assert.deepEqual([own.concurrent, own.fails], [0, 'setsockopt:ENOPROTOOPT']);
  const of = (proxy: typeof SQUID | typeof HAPROXY, strategy: StrategyName, kernel = old) =>
    predictArm(arm({ ...held, proxy, load: { strategy } }), kernel, {}).prediction;
  const plain = of(SQUID, 'bind-no-port');
  assert.deepEqual([plain.concurrent, plain.fails, plain.known?.how], [200, 'bind:EADDRINUSE', 'read']);
  const shared = of(HAPROXY, 'bind-no-port-reuseaddr');
  assert.deepEqual([shared.concurrent, shared.fails], [null, 'connect:EADDRNOTAVAIL']);
  assert.equal(of(SQUID, 'bind-no-port', KERNEL).concurrent, 400);
  // A vendor may have brought it to an older kernel.
  assert.equal(of(SQUID, 'bind-no-port', parseKernelVersion('3.10.0-514.el7.x86_64')).known?.how, 'assumed');
});

test('a share that is kept, and connections that end after some requests', () => {
  const rate = (load: Partial<LoadPlan>) =>
    predictArm(arm({ load: { engine: 'http', protocol: 'get', holdMs: 0, ...load } }), KERNEL, {}).prediction.sustained;
  assert.equal(rate({ keepAlive: 0.75 }), 400 / LATEST);
  assert.equal(rate({ keepAlive: true, keepAliveRequests: 10 }), 1000 / LATEST);
  assert.equal(rate({ keepAlive: true }), null);
});

test('neighbours: of the proxy’s ports what its other clients take, of the namespace’s what a program beside it binds', () => {
  const neighbour = (where: Neighbour['where'], strategy: StrategyName, afterMs: number | null = 0): Neighbour => ({
    name: where,
    where,
    addresses: [],
    afterMs,
    load: {
      ...arm().load,
      strategy,
      protocol: 'tcp',
      holdMs: 0,
      arrival: { shape: 'constant', rate: 10, durationMs: 3000 },
    },
  });
  const room = (strategy: StrategyName, neighbours: Neighbour[], addresses = 1) =>
    predictArm(arm({ addresses, load: { strategy } }), KERNEL, {}, neighbours).prediction.concurrent;
  assert.equal(room('bind', [neighbour('through', 'connect')], 3), 270, '30 of its connections, on three addresses');
  assert.equal(
    room('bind', [neighbour('through', 'connect', null)]),
    100,
    'it begins when the load has what it asked for',
  );
  assert.equal(room('bind', [neighbour('beside', 'bind')]), 100, 'it has an address of its own');
  assert.equal(room('connect', [neighbour('beside', 'bind')]), 70);
  assert.equal(room('connect', [neighbour('beside', 'connect')]), 100);
  assert.equal(room('bind-any', [neighbour('beside', 'connect')]), 70);
});

test('an arm without a closed form is simulated, in milliseconds also where it is large', () => {
  const sysctls = { 'net.ipv4.ip_autobind_reuse': '1' };
  const load = { strategy: 'bind-reuseaddr' } as const;
  const small = predictArm(arm({ load, sysctls, destinations: 2 }), KERNEL, {}).prediction;
  assert.equal(small.concurrent, null);
  const { ok, scaledTo, beforeFirstFailure } = small.simulated!;
  assert.ok(ok.low >= 115 && ok.high <= 126 && scaledTo === null && beforeFirstFailure !== null, JSON.stringify(small));
  assert.equal(predictArm(arm({ load, sysctls }), KERNEL, {}).prediction.simulated, undefined);
  const fleet = arm({
    load: {
      ...load,
      arrival: { shape: 'fill', attempts: 100_000_000, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
    },
    sysctls: { ...sysctls, 'net.ipv4.ip_local_port_range': '32768 60999' },
    addresses: 200,
    destinations: 8,
  });
  const large = predictArm(fleet, KERNEL, {}).prediction.simulated!;
  assert.ok(large.scaledTo !== null && large.beforeFirstFailure === null);
  const most = 200 * (28_232 + 7058 * 7);
  assert.ok(Math.abs(large.ok.mean / most - 1) < 0.05, `${large.ok.mean} is not about ${most}`);
});

test('RHEL 7: half of the range from build 862 on as reported, all of it up to 229, and between them nobody knows', () => {
  const of = (build: string) =>
    predict(
      input({
        kernel: `3.10.0-${build}.el7.x86_64`,
        strategy: 'bind-any-reuseaddr',
        range: { low: 500, high: 65_535 },
      }),
    );
  assert.equal(of('229.7.2').concurrent, 65_036);
  for (const build of ['862.14.4', '1062.12.1', '1160']) {
    assert.equal(of(build).concurrent, 32_518, build);
    assert.equal(of(build).known?.how, 'read', build);
  }
  const between = of('514.26.2');
  assert.equal(between.concurrent, 32_518, 'the lower ceiling of the two');
  assert.equal(between.known?.how, 'assumed');
  assert.match(between.known?.why ?? '', /after 229 and not after 862/);
});

test('a range that a what-if gives to each socket: bind() looks in it as connect() does', () => {
  const defaults = { 'net.ipv4.ip_local_port_range': '32768 60999' };
  const within = (strategy: StrategyName, low: number, high: number) =>
    predictArm(
      arm({ load: { strategy }, destinations: 3, proxy: { ...SQUID, whatIf: { portRange: { low, high } } } }),
      KERNEL,
      defaults,
    ).prediction.concurrent;
  assert.equal(within('bind', 40_010, 40_019), 10);
  assert.equal(within('local-port-range', 40_010, 40_019), 30);
  // An end outside of ip_local_port_range is ignored, and a socket that is not bound has no range.
  assert.equal(within('bind', 39_000, 40_019), 20);
  assert.equal(within('connect', 40_010, 40_019), 300);
});
