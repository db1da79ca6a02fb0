import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Arm, experimentSchema } from '../../src/plan/plan.js';
import { type LoadOptions, loadProfile } from '../../src/profile/load.js';

const HEAD = `name: x
addresses: { cidr: 10.50.0.0/24, count: 50 }
load: { strategy: bind, arrival: { shape: constant, rate: 2000/s, duration: 10s } }
`;

const load = (text: string, options?: LoadOptions) => loadProfile(text, 'x.yaml', options).experiment;

/** One variant laid over HEAD, or over another head. */
function variant(yaml: string, head = HEAD): Arm {
  return load(`${head}variants: [{ name: v, ${yaml} }]\n`).arms[1]!;
}

test('defaults of all that a profile need not say', () => {
  const text = `name: x
addresses: 10.50.0.0/29
load: { arrival: { shape: constant, rate: 10/s, duration: 1s } }
variants: [{ name: again }]
`;
  const arm = {
    name: 'baseline',
    description: null,
    baseline: true,
    changes: [],
    sysctls: {},
    load: {
      workers: 1,
      strategy: 'connect',
      pick: 'round-robin',
      arrival: { shape: 'constant', rate: 10, durationMs: 1000 },
      close: 'client',
      drain: false,
      holdMs: 0,
      timeoutMs: 5000,
      exchange: null,
      engine: 'socket',
      keepAlive: false,
      tls: false,
      protocol: 'tcp',
      body: 0,
      sink: 'accept',
      maxInFlight: null,
      ports: null,
      lagBudgetMs: 10,
      clocks: 1,
    },
    addresses: ['10.50.0.1', '10.50.0.2', '10.50.0.3', '10.50.0.4', '10.50.0.5', '10.50.0.6'],
    destinations: { kind: 'lab', addresses: 1, ports: 1 },
  };
  const experiment = load(text);
  assert.deepEqual(experiment, {
    name: 'x',
    description: null,
    lab: 'netns',
    subject: 'direct',
    arms: [arm, { ...arm, name: 'again', baseline: false }],
    repeat: 10,
    warmup: 1,
    seed: 1,
    goal: 'failures.share',
    guardrails: ['latency.service.p90', 'cpu.perConnection'],
    thresholds: [],
    profileHash: createHash('sha256').update(text).digest('hex'),
  });
  assert.deepEqual(experimentSchema.parse(experiment), experiment);
});

test('a fill counts capacity, and has defaults of its own', () => {
  const { goal, guardrails, arms } = load(`name: x
addresses: 10.50.0.0/24
load: { arrival: { shape: fill, failures: 20 } }
variants: [{ name: v, load: { arrival: { shape: fill, attempts: 10, waves: 2, pause: 2s, inFlight: 1 } } }]
`);
  assert.equal(goal, 'capacity');
  assert.deepEqual(guardrails, ['latency.service.p90', 'cpu.perConnection']);
  assert.deepEqual(arms[0]!.load.arrival, {
    shape: 'fill',
    attempts: null,
    failures: 20,
    inFlight: 32,
    waves: 1,
    pauseMs: 1500,
  });
  assert.deepEqual(arms[1]!.changes, [
    'arrival fill to 20 failures or 10m, 32 in flight → fill to 10 attempts, 1 in flight, 2 waves 2s apart',
  ]);
});

test('a default guardrail that is the goal is left out', () => {
  assert.deepEqual(load(`${HEAD}variants: [{ name: v }]\ngoal: latency.service.p90\n`).guardrails, [
    'cpu.perConnection',
  ]);
});

test('the command line overrides lab, repeat and seed', () => {
  const text = `${HEAD}variants: [{ name: v }]\nrepeat: 5\nseed: 9\nallowHostChanges: true\n`;
  const plain = load(text);
  const overridden = load(text, { lab: 'host', repeat: 7, seed: 8 });
  assert.deepEqual([plain.lab, plain.repeat, plain.seed], ['netns', 5, 9]);
  assert.deepEqual([overridden.lab, overridden.repeat, overridden.seed], ['host', 7, 8]);
});

test('what the VM lab boots, by the profile and by the command line', () => {
  const guestOf = (lab: string, options: LoadOptions = {}) =>
    load(`${HEAD}variants: [{ name: v }]\n${lab}\n`, options).guest;
  assert.deepEqual(guestOf('lab: { kind: vm }'), { engine: 'uml', kernel: 'bookworm' });
  assert.deepEqual(guestOf('lab: { kind: vm, kernel: trixie }'), { engine: 'uml', kernel: 'trixie' });
  assert.deepEqual(guestOf('lab: { kind: vm, kernel: trixie, engine: uml }', { kernels: ['./linux'] }), {
    engine: 'uml',
    kernel: './linux',
  });
  assert.deepEqual(guestOf('', { lab: 'vm', kernels: ['sid'] }), { engine: 'uml', kernel: 'sid' });
  assert.deepEqual(guestOf('lab: { kind: vm, kernel: running }'), { engine: 'qemu', kernel: 'running' });
  const image = guestOf('lab: { kind: vm, kernel: ./bzImage }', {
    engineOf: (path) => (path === './bzImage' ? 'qemu' : 'uml'),
  });
  assert.deepEqual(image, { engine: 'qemu', kernel: './bzImage' });
  assert.deepEqual(guestOf('lab: { kind: vm, engine: uml }', { engine: 'qemu', kernels: ['running'] }), {
    engine: 'qemu',
    kernel: 'running',
  });
  assert.equal(guestOf('lab: { kind: vm, kernel: trixie }', { lab: 'netns' }), undefined);
  assert.throws(
    () => guestOf('', { kernels: ['sid'] }),
    /--kernel is for the vm lab, but the lab is netns: add --lab vm/,
  );
  assert.throws(
    () => guestOf('', { engine: 'qemu' }),
    /--engine is for the vm lab, but the lab is netns: add --lab vm/,
  );
  assert.throws(
    () => guestOf('lab: { kind: vm, engine: uml, kernel: running }'),
    /engine uml cannot boot the kernel "running"/,
  );
});

test('which box the Vagrant lab brings up, by the profile and by the command line', () => {
  const boxOf = (lab: string, options: LoadOptions = {}) =>
    load(`${HEAD}variants: [{ name: v }]\n${lab}\n`, options).box;
  assert.deepEqual(boxOf('lab: { kind: vagrant }'), { name: 'bookworm', after: 'destroy', between: 'restore' });
  assert.deepEqual(boxOf('lab: { kind: vagrant, box: trixie, after: revert, between: revert }', { box: 'jammy' }), {
    name: 'jammy',
    after: 'revert',
    between: 'revert',
  });
  assert.deepEqual(boxOf('', { lab: 'vagrant', box: 'trixie' })?.name, 'trixie');
  assert.equal(boxOf('lab: { kind: vagrant, box: trixie }', { lab: 'netns' }), undefined);
  assert.throws(
    () => boxOf('', { box: 'trixie' }),
    /--box is for the vagrant lab, but the lab is netns: add --lab vagrant/,
  );
});

test('sysctls: the variant overlays the baseline, numbers and tabs become plain text', () => {
  const head = `${HEAD}sysctls: { net.ipv4.tcp_fin_timeout: 5, net.ipv4.ip_local_port_range: "32768\\t60999" }\n`;
  const arm = variant('sysctls: { net.ipv4.tcp_fin_timeout: 30, net.ipv4.tcp_tw_reuse: 1 }', head);
  assert.deepEqual(arm.sysctls, {
    'net.ipv4.tcp_fin_timeout': '30',
    'net.ipv4.ip_local_port_range': '32768 60999',
    'net.ipv4.tcp_tw_reuse': '1',
  });
  assert.deepEqual(arm.changes, ['net.ipv4.tcp_fin_timeout = 30 (was 5)', 'net.ipv4.tcp_tw_reuse = 1']);
  assert.deepEqual(
    variant('sysctls: { net.ipv4.tcp_fin_timeout: 5 }', head).changes,
    [],
    'what it is already is no change',
  );
});

test('load: each key replaces its own, the arrival as a whole', () => {
  const strategy = variant('load: { strategy: bind-no-port }');
  assert.equal(strategy.load.strategy, 'bind-no-port');
  assert.deepEqual(strategy.load.arrival, { shape: 'constant', rate: 2000, durationMs: 10_000 });
  assert.deepEqual(strategy.changes, ['strategy bind → bind-no-port']);

  const arrival = variant('load: { arrival: { shape: poisson, rate: 90/min, duration: 2m } }');
  assert.equal(arrival.load.strategy, 'bind');
  assert.deepEqual(arrival.load.arrival, { shape: 'poisson', rate: 1.5, durationMs: 120_000 });
  assert.deepEqual(arrival.changes, ['arrival constant 2000/s for 10s → poisson 1.5/s for 2m']);

  assert.deepEqual(
    variant('load: { workers: 2, close: reset, hold: 1500ms, timeout: 1s, exchange: { request: 1, response: 2 } }')
      .changes,
    [
      'workers 1 → 2',
      'close client → reset',
      'hold 0s → 1500ms',
      'timeout 5s → 1s',
      'exchange none → 1 B out, 2 B back',
    ],
  );
});

test('a port list goes with the strategies that use one', () => {
  const head = HEAD.replace('strategy: bind', 'strategy: bind-explicit-port, ports: 20000-20099');
  assert.deepEqual(variant('load: { strategy: local-port-range }', head).load.ports, { low: 20000, high: 20099 });
  const bind = variant('load: { strategy: bind }', head);
  assert.equal(bind.load.ports, null);
  assert.deepEqual(bind.changes, ['strategy bind-explicit-port → bind', "ports 20000-20099 → the kernel's range"]);
});

test('addresses: the count alone, the pick alone, or another set', () => {
  const count = variant('addresses: { count: 100 }');
  assert.equal(count.addresses.length, 100);
  assert.deepEqual(count.changes, ['100 addresses (was 50)']);

  const pick = variant('addresses: { pick: random }');
  assert.equal(pick.addresses.length, 50);
  assert.equal(pick.load.pick, 'random');
  assert.deepEqual(pick.changes, ['pick round-robin → random']);

  const cidr = variant('addresses: { cidr: 10.60.0.0/24 }');
  assert.deepEqual(cidr.changes, ['50 addresses from 10.60.0.1 (was 50 from 10.50.0.1)'], 'a CIDR keeps the count');

  const range = variant('addresses: { range: 10.50.0.1-10.50.0.4 }');
  assert.deepEqual(range.changes, ['4 addresses (was 50)'], 'a range spells its own size');

  const list = variant('addresses: { list: ["FD00:50::0A"] }');
  assert.deepEqual(list.addresses, ['fd00:50::a']);
  assert.deepEqual(list.changes, ['1 address from fd00:50::a (was 50 from 10.50.0.1)']);
});

test('destinations: addresses and ports each replace their own', () => {
  const head = `${HEAD}destinations: { addresses: 2 }\n`;
  assert.deepEqual(variant('destinations: { ports: 4 }', head).destinations, { kind: 'lab', addresses: 2, ports: 4 });
  assert.deepEqual(variant('destinations: { ports: 4 }', head).changes, ['8 destinations (was 2)']);
  assert.deepEqual(variant('destinations: { addresses: 1, ports: 2 }', head).changes, [
    'destinations 1 address × 2 ports (was 2 addresses × 1 port)',
  ]);
});

test('external targets replace the origin, canonical and on the allow list however it is spelled', () => {
  const head = `${HEAD.replace('cidr: 10.50.0.0/24, count: 50', 'list: ["fd00::1"]')}
lab: { kind: host }
allowHostChanges: true
destinations: { ports: 4 }
allow: ["[fd00:20:0::1]:80", "10.20.0.1:80"]
`;
  const arm = variant('destinations: { targets: ["[FD00:20::1]:80"] }', head);
  assert.deepEqual(arm.destinations, { kind: 'external', targets: [{ address: 'fd00:20::1', port: 80 }] });
  assert.deepEqual(arm.changes, ['destinations [fd00:20::1]:80 (was 1 address × 4 ports)']);
});

test('the host lab has loopback addresses, and sysctls when the profile allows them', () => {
  const experiment = load(`name: x
lab: { kind: host }
allowHostChanges: true
addresses: 127.0.1.0/30
load: { arrival: { shape: hold, connections: 10, duration: 1s } }
variants: [{ name: v, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }]
`);
  assert.deepEqual(experiment.arms[1]!.addresses, ['127.0.1.1', '127.0.1.2']);
  assert.equal(experiment.goal, 'failures.share');
});

test('thresholds in the units of their metrics', () => {
  const { thresholds } = load(`${HEAD}variants: [{ name: v }]
thresholds:
  - { metric: latency.connect.p99, max: 5ms, variant: v }
  - { metric: failures.share, max: 1% }
  - { metric: capacity, min: 100, max: 200, variant: baseline }
`);
  assert.deepEqual(thresholds, [
    { metric: 'latency.connect.p99', max: 5000, min: null, text: 'max 5ms', variant: 'v' },
    { metric: 'failures.share', max: 0.01, min: null, text: 'max 1%', variant: null },
    { metric: 'capacity', max: 200, min: 100, text: 'max 200, min 100', variant: 'baseline' },
  ]);
});

test('anchors spare repetition', () => {
  const { arms } = load(`${HEAD}variants:
  - { name: a, sysctls: &reuse { net.ipv4.tcp_tw_reuse: 1 } }
  - { name: b, sysctls: *reuse, load: { strategy: bind-no-port } }
`);
  assert.deepEqual(arms[2]!.sysctls, { 'net.ipv4.tcp_tw_reuse': '1' });
});
