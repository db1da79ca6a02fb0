import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { Arrival } from '../../src/plan/plan.js';
import { SQUID } from '../support/proxies.js';
import { type ArmChanges, arm, KERNEL } from './inputs.js';

const DEFAULTS = { 'net.ipv4.tcp_tw_reuse': '2', 'net.ipv4.tcp_max_tw_buckets': '131072' };
const judge = (changes: ArmChanges, kernel = KERNEL) =>
  predictArm(arm(changes), kernel, DEFAULTS).determinism({ lab: 'netns' });

function is(expected: boolean, changes: ArmChanges, why: RegExp, kernel = KERNEL): void {
  const { deterministic, why: reason } = judge(changes, kernel);
  assert.equal(deterministic, expected, reason);
  assert.match(reason, why);
  assert.match(reason, /[^.]\.$/);
}

const constant = (rate: number, durationMs: number): Arrival => ({ shape: 'constant', rate, durationMs });
const fill = (changes: Partial<Extract<Arrival, { shape: 'fill' }>> = {}): Arrival => ({
  shape: 'fill',
  attempts: 300,
  failures: null,
  inFlight: 32,
  waves: 1,
  pauseMs: 1500,
  ...changes,
});

test('attempts within the ceiling all succeed, whatever is freed', () => {
  const arrival = constant(50, 2000);
  for (const close of ['client', 'server', 'reset'] as const) {
    for (const holdMs of [0, 100, null])
      is(true, { load: { arrival, close, holdMs } }, /^100 attempts are within the ceiling/);
  }
  is(
    true,
    { load: { arrival, strategy: 'connect', holdMs: 0 }, sysctls: { 'net.ipv4.tcp_tw_reuse': '1' } },
    /all succeed/,
  );
  is(true, { load: { arrival, pick: 'random' }, addresses: 5 }, /all succeed/);
});

test('what is held to the end fills the ceiling exactly', () => {
  is(true, {}, /^nothing is freed before the run ends, so 100 succeed \(P·S = 100 · 1 = 100\) and the others fail\.$/);
  is(true, { addresses: 2, load: { arrival: constant(300, 2000) } }, /so 200 succeed/);
  is(true, { load: { holdMs: 12_000, close: 'reset' } }, /so 100 succeed/);
  is(
    true,
    { load: { strategy: 'connect', arrival: { shape: 'ramp', from: 10, to: 200, durationMs: 2000 } } },
    /so 100/,
  );
  is(true, { load: { arrival: { shape: 'steps', rates: [10, 500], eachMs: 1000 } } }, /so 100/);
});

test('TIME_WAIT holds a tuple for 60 s, so a shorter run is exact where nothing reuses it', () => {
  is(true, { load: { holdMs: 0 } }, /so 100 succeed/);
  is(true, { load: { holdMs: 0 }, sysctls: { 'net.ipv4.tcp_tw_reuse': '1' } }, /so 100/);
  is(true, { load: { holdMs: 0, strategy: 'connect' } }, /so 100/);
  is(true, { load: { holdMs: 0, strategy: 'bind-reuseaddr' } }, /so 100/);
  is(
    false,
    { load: { holdMs: 0, arrival: constant(100, 55_000) } },
    /come free while attempts still arrive: our close leaves 60 to 62\.05 s/,
  );
});

test('what frees tuples at once or soon makes time decide', () => {
  const strategy = 'connect';
  is(
    false,
    { load: { holdMs: 0, strategy }, sysctls: { 'net.ipv4.tcp_tw_reuse': '1' } },
    /tcp_tw_reuse frees a port 1 s after/,
  );
  is(false, { load: { holdMs: 0, strategy: 'bind-explicit-port' } }, /takes over a TIME_WAIT at once/);
  is(false, { load: { holdMs: 0, strategy: 'bind-explicit-port-reuseport' } }, /takes over a TIME_WAIT at once/);
  is(false, { load: { holdMs: 0, close: 'server' } }, /the server closes first/);
  is(false, { load: { holdMs: 0, close: 'reset' } }, /RST leaves no TIME_WAIT/);
  is(
    false,
    { load: { holdMs: 0 }, sysctls: { 'net.ipv4.tcp_max_tw_buckets': '10' } },
    /tcp_max_tw_buckets = 10 is below/,
  );
  is(true, { load: { holdMs: null }, sysctls: { 'net.ipv4.tcp_max_tw_buckets': '10' } }, /so 100/);
  is(
    true,
    { load: { holdMs: 0, strategy: 'bind-explicit-port' }, sysctls: { 'net.ipv4.tcp_timestamps': '0' } },
    /so 100/,
  );
});

test('loopback addresses get the reuse of the default tcp_tw_reuse=2', () => {
  const local = { ...arm({ load: { strategy: 'connect', holdMs: 0 } }), addresses: ['127.0.1.1'] };
  assert.equal(predictArm(local, KERNEL, DEFAULTS).determinism({ lab: 'netns' }).deterministic, false);
  assert.equal(judge({ load: { strategy: 'connect', holdMs: 0 } }).deterministic, true);
});

test('ports that are shared at random have no exact count', () => {
  const sysctls = { 'net.ipv4.ip_autobind_reuse': '1' };
  is(false, { load: { strategy: 'bind-reuseaddr' }, sysctls, destinations: 2 }, /at random/);
  is(false, { load: { strategy: 'bind-any-reuseaddr' }, sysctls, destinations: 2 }, /at random/);
  is(true, { load: { strategy: 'bind-reuseaddr' }, sysctls }, /so 100 succeed/);
  is(false, { load: { strategy: 'bind-reuseaddr', holdMs: 0 }, sysctls }, /takes over a TIME_WAIT at once/);
  is(true, { load: { strategy: 'bind' }, sysctls, destinations: 2, addresses: 1 }, /so 100/);
  is(false, { load: { strategy: 'bind-reuseaddr' } }, /first collision on/, parseKernelVersion('3.3.8'));
  is(false, { load: { strategy: 'bind-reuseport' } }, /at random/, parseKernelVersion('4.9.154'));
});

test('poisson and hold are never exact, nor is what answers outside the lab', () => {
  is(false, { load: { arrival: { shape: 'poisson', rate: 1, durationMs: 1000 } } }, /poisson/);
  is(false, { load: { arrival: { shape: 'hold', connections: 10, durationMs: 1000 } } }, /hold opens/);
  const destinations = { kind: 'external', targets: [{ address: '192.0.2.1', port: 80 }] } as const;
  is(false, { destinations: { ...destinations, targets: [...destinations.targets] } }, /outside the lab/);
});

test('fill: attempts with any workers, failures with one, one wave, and held', () => {
  is(true, { load: { arrival: fill() } }, /so 100 succeed/);
  is(true, { load: { arrival: fill(), workers: 2 } }, /so 100 succeed/);
  is(true, { load: { arrival: fill({ attempts: null, failures: 10 }) } }, /so 100 succeed/);
  is(
    false,
    { load: { arrival: fill({ attempts: null, failures: 10 }), workers: 2 } },
    /several workers count their failures/,
  );
  is(false, { load: { arrival: fill({ waves: 2 }) } }, /one wave leaves behind/);
  is(true, { load: { arrival: fill({ attempts: 50, waves: 2 }) } }, /100 attempts are within/);
  // The second wave of a program with a list of ports of its own met all that the first had left: 3 ok of 6, with 15 tuples.
  for (const strategy of [
    'bind-explicit-port-exclusive',
    'bind-explicit-port-reuseport',
    'bind-explicit-port',
  ] as const)
    is(false, { load: { strategy, arrival: fill({ attempts: 3, waves: 2 }) } }, /./);
  is(false, { load: { arrival: fill(), holdMs: 0 } }, /lasts as long as it takes/);
  is(false, { load: { arrival: fill(), holdMs: 60_000 } }, /lasts as long as it takes/);
  is(true, { load: { arrival: fill(), holdMs: 2_400_000 } }, /nothing is freed before the run ends/);
  is(
    false,
    { load: { arrival: fill({ attempts: null, failures: 10 }), holdMs: 2_400_000 } },
    /lasts as long as it takes/,
  );
});

test('an odd range loses one port at random in each search, where the kernel searches by parity', () => {
  const sysctls = { 'net.ipv4.ip_local_port_range': '40000 40100' };
  is(false, { sysctls }, /odd number of ports/);
  is(false, { sysctls, load: { strategy: 'connect' } }, /odd number of ports/);
  is(true, { sysctls, load: { arrival: constant(50, 2000) } }, /100 attempts are within/);
  is(false, { sysctls, load: { arrival: constant(101, 1000) } }, /odd number of ports/);
  is(true, { sysctls, load: { strategy: 'bind-explicit-port' } }, /so 101 succeed/);
  is(true, { sysctls, load: { strategy: 'local-port-range' } }, /so 101 succeed/);
  is(false, { sysctls, load: { strategy: 'local-port-range' } }, /odd number of ports/, parseKernelVersion('6.6.9'));
  is(true, { sysctls: { 'net.ipv4.ip_local_port_range': '40000 40000' } }, /so 1 succeed/);
});

test('random and per-worker picks are exact only while one address could take all', () => {
  const load = { arrival: constant(1000, 2000) };
  is(false, { addresses: 2, load: { ...load, pick: 'random' } }, /not every one is sure to fill up/);
  is(false, { addresses: 2, load: { pick: 'random', arrival: constant(60, 2000) } }, /not every one is sure/);
  is(false, { addresses: 2, load: { ...load, pick: 'by-worker', workers: 2 } }, /not every one is sure/);
  is(true, { addresses: 2, load: { ...load, pick: 'by-worker' } }, /so 200 succeed/);
  is(true, { addresses: 2, load: { ...load, pick: 'random', strategy: 'bind-any' } }, /so 100 succeed/);
  is(true, { addresses: 2, load: { ...load, pick: 'random' } }, /so 100 succeed/, parseKernelVersion('3.2.71'));
});

test('round-robin: every source and target fills up, or none can overflow', () => {
  const at = (attempts: number): ArmChanges => ({
    addresses: 3,
    destinations: 2,
    load: { strategy: 'bind-no-port', arrival: fill({ attempts }) },
  });
  is(true, at(600), /600 attempts are within/);
  is(true, at(606), /so 600 succeed/);
  is(true, at(5000), /so 600 succeed/);
  is(true, { ...at(301), load: { strategy: 'bind', arrival: fill({ attempts: 301 }) } }, /so 300 succeed/);
  is(true, { ...at(1), load: { strategy: 'connect', arrival: fill({ attempts: 198 }) } }, /198 attempts are within/);
  is(false, { ...at(1), load: { strategy: 'connect', arrival: fill({ attempts: 201 }) } }, /not every one is sure/);
});

test('explicit ports without SO_REUSEADDR: destinations walk one list, so short runs are exact only with one of them', () => {
  const strategy = 'bind-explicit-port-exclusive';
  is(true, { load: { strategy, arrival: constant(10, 1000), holdMs: 0, close: 'reset' } }, /10 attempts are within/);
  is(false, { load: { strategy, arrival: constant(10, 1000) }, destinations: 2 }, /not every one is sure/);
  is(true, { load: { strategy, arrival: constant(300, 1000) }, destinations: 2 }, /so 100 succeed/);
  is(false, { load: { strategy, workers: 2 } }, /several workers take ports from their lists/);
});

test('what the generator sheds and the origin drops', () => {
  is(false, { load: { maxInFlight: 50 } }, /maxInFlight is below/);
  is(true, { load: { maxInFlight: 200 } }, /so 100/);
  is(true, { load: { sink: 'listen-only' } }, /so 100/);
  is(false, { load: { sink: 'listen-only', arrival: constant(5000, 1000) } }, /net\.core\.somaxconn \(4096\)/);
  is(
    false,
    { load: { sink: 'listen-only', arrival: fill({ attempts: null, failures: 1 }) } },
    /overflow the accept queue/,
  );
  is(false, { load: { sink: 'listen-only' } }, /net\.core\.somaxconn \(128\)/, parseKernelVersion('4.19'));
  is(true, { load: { sink: 'listen-only', holdMs: 0 } }, /so 100/);
  is(
    false,
    { load: { sink: 'listen-only', holdMs: 0 }, sysctls: { 'net.ipv4.tcp_fin_timeout': '5' } },
    /tcp_fin_timeout frees the port 5 to 5\.26 s/,
  );
  // The order is random, and every port is found all the same.
  is(true, { sysctls: { 'net.ipv4.ip_local_port_step_width': '3' } }, /so 100/, parseKernelVersion('7.1.3'));
});

test('a strategy that the kernel lacks fails each time alike, but on a vendor’s kernel nobody knows', () => {
  is(
    true,
    { load: { strategy: 'bind-no-port' } },
    /no attempt can succeed: IP_BIND_ADDRESS_NO_PORT came with 4\.2/,
    parseKernelVersion('3.10.65'),
  );
  is(false, { load: { strategy: 'bind-no-port' } }, /may or may not have it/, parseKernelVersion('3.10.0-1160.el7'));
});

test('through a proxy: tunnels that are held are as sure, what the proxy does in its own time is not', () => {
  const load = { protocol: 'connect', arrival: fill({ attempts: 120 }) } as const;
  is(true, { proxy: SQUID, load }, /so 100 succeed/);
  is(true, { proxy: SQUID, load, destinations: 4 }, /so 100 succeed/);
  is(true, { proxy: SQUID, load: { ...load, arrival: fill({ attempts: 80 }) } }, /80 attempts are within the ceiling/);
  is(false, { proxy: SQUID, load: { ...load, holdMs: 0 } }, /when the proxy closes its connections/);
  is(false, { proxy: SQUID, load: { ...load, arrival: fill({ failures: 5 }) } }, /a proxy answers in its own time/);
  is(false, { proxy: { ...SQUID, outgoing: 'random' }, load }, /the proxy draws its outgoing addresses/);
  is(false, { proxy: { ...SQUID, config: ['workers 2'] }, load }, /adds lines to the configuration/);
});

test('no count is exact on the host, where other programs hold ports too', () => {
  const { determinism } = predictArm(arm({ load: { arrival: constant(10, 1000) } }), KERNEL, DEFAULTS);
  assert.equal(determinism({ lab: 'netns' }).deterministic, true);
  assert.deepEqual(determinism({ lab: 'host' }), {
    deterministic: false,
    why: 'other programs of this machine hold ports too, and nobody knows how many.',
  });
});

test('what time decides is not promised: a fill with an end in time, short timeouts, much to move', () => {
  is(false, { load: { arrival: fill({ attempts: 50, withinMs: 5 }) } }, /the fill ends after 5ms, so time decides/);
  is(false, { load: { timeoutMs: 5 } }, /a timeout of 5ms is shorter than a lost packet/);
  is(true, { load: { timeoutMs: 1000 } }, /so 100/);
  is(true, { load: { exchange: { request: 64, response: 256 } } }, /so 100/);
  is(false, { load: { exchange: { request: 64, response: 1_048_576 } } }, /moves 100 MiB a second/);
  is(false, { load: { exchange: { request: 65_536, response: 1 }, arrival: constant(2000, 100) } }, /moves 125 MiB/);
  is(false, { load: { exchange: { request: 1, response: 1_048_576 }, arrival: fill() } }, /moves 6 MiB a second/);
  is(false, { load: { protocol: 'get', body: 1_048_576, holdMs: 0 } }, /moves 100 MiB a second/);
  is(false, { load: { protocol: 'get', holdMs: 5000, arrival: constant(10, 1000) } }, /the origin answers after 5s/);
  is(true, { load: { engine: 'http', protocol: 'get', tls: true, arrival: constant(50, 1000) } }, /all succeed/);
  is(false, { load: { engine: 'http', protocol: 'get', tls: true, arrival: constant(4000, 10) } }, /moves 63 MiB/);
});

test('the origin’s own sysctls count: timestamps, a short accept queue, and what nobody predicts', () => {
  const origin = (sysctls: Record<string, string>) => ({ roles: { client: {}, origin: sysctls } });
  const reuses = { load: { holdMs: 0, strategy: 'bind-explicit-port' } } as const;
  is(true, { ...reuses, ...origin({ 'net.ipv4.tcp_timestamps': '0' }) }, /so 100/);
  is(false, reuses, /takes over a TIME_WAIT at once/);
  is(false, origin({ 'net.core.somaxconn': '9' }), /net\.core\.somaxconn = 9 is below .* \(origin\)/);
  is(true, origin({ 'net.core.somaxconn': '4096' }), /so 100/);
  is(false, { ...origin({ 'net.core.somaxconn': '128' }), load: { sink: 'listen-only' } }, /somaxconn/);
  is(true, { load: { sink: 'listen-only' }, sysctls: { 'net.core.somaxconn': '9' } }, /so 100/);
  is(false, origin({ 'net.ipv4.tcp_max_syn_backlog': '2' }), /tcp_max_syn_backlog = 2/);
  is(true, origin({ 'net.ipv4.tcp_tw_reuse': '1', 'net.ipv4.tcp_rmem': '4096 8192 8192' }), /so 100/);
  is(false, origin({ 'net.ipv4.tcp_tw_recycle': '1' }), /what net\.ipv4\.tcp_tw_recycle of the origin does/);
  const client = { roles: { client: { 'net.ipv4.ip_local_port_range': '1024 1025' }, origin: {} } };
  const load = { protocol: 'connect', arrival: fill({ attempts: 120 }) } as const;
  is(false, { proxy: SQUID, load, ...client }, /ip_local_port_range of the client of the proxy/);
});

test('a prediction uses timestamps only where both ends have them', () => {
  const sustained = (roles: ArmChanges['roles']) =>
    predictArm(arm({ load: { strategy: 'bind-explicit-port', holdMs: 0 }, roles }), KERNEL, DEFAULTS).prediction
      .sustained;
  const without = sustained({ client: {}, origin: { 'net.ipv4.tcp_timestamps': '0' } });
  assert.equal(sustained({ client: {}, origin: {} }), null, 'a TIME_WAIT is taken over at once');
  assert.ok(without !== null && without < 100 / 60, `${without}/s`);
});

test('a sysctl that nothing is known of costs exactness, one that is known to be harmless does not', () => {
  is(true, { sysctls: { 'net.ipv4.tcp_keepalive_time': '60', 'vm.min_free_kbytes': '65536' } }, /so 100/);
  is(false, { sysctls: { 'net.ipv4.tcp_min_snd_mss': '48' } }, /what net\.ipv4\.tcp_min_snd_mss of the client does/);
  is(false, { sysctls: { 'fs.nr_open': '100' } }, /what fs\.nr_open of the client does/);
  is(true, { sysctls: { 'net.netfilter.nf_conntrack_max': '196608' } }, /so 100/);
  is(false, { sysctls: { 'net.netfilter.nf_conntrack_max': '100' } }, /nf_conntrack_max = 100 is below/);
  is(false, { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '50000' } }, /for the privileged only/);
  const same = predictArm(arm({ sysctls: { 'net.ipv4.x': '1' } }), KERNEL, { ...DEFAULTS, 'net.ipv4.x': '1' });
  assert.equal(same.determinism({ lab: 'netns' }).deterministic, true, 'the value that a fresh lab has');
});
