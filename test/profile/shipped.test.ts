import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import { filesFrom } from '../../src/commands/read-files.js';
import { STRATEGY_NAMES } from '../../src/domain/strategy.js';
import { arrivalDurationMs, scheduledAttempts } from '../../src/plan/arrival.js';
import { loadProfile } from '../../src/profile/load.js';
import { ProfileError } from '../../src/profile/problem.js';

const FOLDER = new URL('../../../profiles/', import.meta.url);
const textOf = (name: string) => readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8');
const readFiles = filesFrom(fileURLToPath(FOLDER));
const load = (name: string) => loadProfile(textOf(name), `profiles/${name}.yaml`, { readFiles }).experiment;

/** Of another kernel than this machine's. */
const IN_GUESTS = ['squid-2014-kernel', 'squid-2014-kernels', 'tor-2012-vm', 'tw-recycle-harm'];
/** A template that must be edited first. */
const TEMPLATES = ['staging'];
const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -5)] : []));

test('the profiles are those that the documentation names', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| \[([^\]]+)\]\(profiles\/\1\.yaml\)/gm)].map(([, name]) => name!);
  assert.deepEqual(names.toSorted(), rows.toSorted());
  assert.ok(rows.length >= 17);
});

for (const name of names.filter((each) => !TEMPLATES.includes(each))) {
  test(`${name} loads, is called by its file's name, and says what it is for`, () => {
    const experiment = load(name);
    assert.equal(experiment.name, name);
    assert.ok(experiment.description);
    assert.equal(experiment.lab, IN_GUESTS.includes(name) ? 'vm' : 'netns');
    for (const arm of experiment.arms.filter(({ baseline }) => !baseline))
      assert.notDeepEqual(arm.changes, [], `${arm.name} changes nothing`);
  });
}

test("quickstart's arms and what they change", () => {
  const { arms, goal, repeat, warmup } = load('quickstart');
  assert.deepEqual(
    arms.map((arm) => [arm.name, ...arm.changes]),
    [
      ['baseline'],
      ['wider-range', 'net.ipv4.ip_local_port_range = 40000 40399 (was 40000 40099)'],
      ['fin-timeout', 'net.ipv4.tcp_fin_timeout = 5'],
      ['tw-reuse', 'net.ipv4.tcp_tw_reuse = 1'],
      ['twice-the-addresses', '10 addresses (was 5)'],
      ['no-port', 'strategy bind → bind-no-port', '4 destinations (was 1)'],
      ['no-port-tw-reuse', 'net.ipv4.tcp_tw_reuse = 1', 'strategy bind → bind-no-port', '4 destinations (was 1)'],
      ['reuseaddr-autobind', 'net.ipv4.ip_autobind_reuse = 1', 'strategy bind → bind-reuseaddr'],
    ],
  );
  assert.equal(goal, 'failures.share');
  assert.ok(arms.every(({ load: { arrival } }) => scheduledAttempts(arrival) === 1000));
  const loadMs = arms.reduce((sum, arm) => sum + arrivalDurationMs(arm.load.arrival)!, 0) * (repeat + warmup);
  const overheadMs = arms.length * (repeat + warmup) * 250;
  assert.ok(loadMs + overheadMs < 50_000, `${loadMs + overheadMs} ms leaves no room below a minute`);
});

test('capacity has every strategy once, and attempts for every tuple', () => {
  const { arms, goal } = load('capacity');
  assert.deepEqual(arms.map(({ load: { strategy } }) => strategy).sort(), [...STRATEGY_NAMES].sort());
  assert.equal(goal, 'capacity');
  for (const arm of arms) assert.ok(scheduledAttempts(arm.load.arrival)! > 2 * 100 * 2 * 4, arm.name);
});

test('headline is the arithmetic of 2014: every port of fifty addresses, one connection each', () => {
  for (const { load: plan, sysctls, addresses, destinations } of load('headline').arms) {
    const [low, high] = sysctls['net.ipv4.ip_local_port_range']!.split(' ').map(Number);
    assert.equal((high! - low! + 1) * addresses.length, 1_411_600);
    assert.equal(scheduledAttempts(plan.arrival), 1_411_600);
    assert.deepEqual(destinations, { kind: 'lab', addresses: 1, ports: 1 });
  }
});

test('squid-2014-full has the numbers of the report, and more sockets than one range holds', () => {
  const { arms } = load('squid-2014-full');
  const baseline = arms[0]!;
  assert.equal(baseline.proxy?.kind, 'squid');
  assert.equal(baseline.addresses.length, 50);
  assert.deepEqual(baseline.sysctls, {
    'net.ipv4.ip_local_port_range': '32768 61000',
    'net.ipv4.tcp_fin_timeout': '5',
  });
  assert.ok(scheduledAttempts(baseline.load.arrival)! > 61_000 - 32_768 + 1);
});

for (const [name, room] of [
  ['squid-2014', 200],
  ['squid-fixes', 120],
] as const) {
  test(`${name}: half of the attempts fit, ports and addresses half as many again hold half as many again`, () => {
    const { arms, repeat } = load(name);
    const ports = (arm: (typeof arms)[number]) => {
      const [low, high] = arm.sysctls['net.ipv4.ip_local_port_range']!.split(' ').map(Number);
      return (high! - low! + 1) * arm.addresses.length;
    };
    const rooms = Object.fromEntries(arms.map((arm) => [arm.name, ports(arm)]));
    assert.equal(rooms.baseline, room);
    assert.equal(rooms['wider-range'], 1.5 * room);
    assert.equal(rooms['more-addresses'], 1.5 * room);
    assert.ok(arms.every(({ proxy }) => proxy?.kind === 'squid'));
    assert.ok(arms.every(({ load: { arrival } }) => scheduledAttempts(arrival) === 2 * room));
    const loadMs = arms.reduce((sum, arm) => sum + arrivalDurationMs(arm.load.arrival)!, 0) * repeat;
    assert.ok(loadMs + arms.length * repeat * 750 < 110_000, 'about a minute');
  });
}

test('tor-2012 tries each sysctl of the list that a namespace has, alone and together, and names the others', () => {
  const { arms, description } = load('tor-2012');
  const base = arms[0]!.sysctls;
  const plain = arms.filter(({ proxy, addresses }) => proxy?.kind === 'tor' && !proxy.suite && addresses.length === 1);
  assert.ok(arms.every(({ proxy }) => proxy?.kind === 'tor'));
  assert.equal(arms.filter(({ proxy }) => proxy?.kind === 'tor' && proxy.suite === 'bullseye').length, 4);
  const own = plain.slice(1).map((arm) => Object.entries(arm.sysctls).filter(([name, value]) => base[name] !== value));
  const alone = own.filter((sysctls) => sysctls.length === 1).map((sysctls) => sysctls[0]!);
  assert.deepEqual(Object.fromEntries(alone), TOR_LIST);
  assert.deepEqual(Object.fromEntries(own.at(-1)!), TOR_LIST);
  for (const name of ['tcp_tw_recycle', 'ip_conntrack_max', 'rmem_max', 'wmem_max', 'netdev_max_backlog']) {
    assert.ok(description?.includes(name), name);
  }
});

const TOR_LIST = {
  'net.ipv4.tcp_rmem': '4096 87380 33554432',
  'net.ipv4.tcp_wmem': '4096 65536 33554432',
  'net.ipv4.tcp_no_metrics_save': '1',
  'net.ipv4.tcp_moderate_rcvbuf': '1',
  'net.ipv4.tcp_max_syn_backlog': '10240',
  'net.ipv4.tcp_fin_timeout': '4',
  'net.ipv4.tcp_keepalive_time': '60',
  'net.ipv4.tcp_keepalive_intvl': '10',
  'net.ipv4.tcp_keepalive_probes': '3',
  'net.core.somaxconn': '20480',
  'net.ipv4.tcp_max_tw_buckets': '2000000',
  'net.ipv4.tcp_timestamps': '0',
  'net.ipv4.ip_local_port_range': '1025 65530',
};

test('tor-2012-vm has the whole list of the mail on each kernel, alone and together', () => {
  const { arms, kernels, warmup, repeat } = load('tor-2012-vm');
  assert.deepEqual(
    kernels?.map(({ name }) => name),
    ['bookworm', 'trixie'],
  );
  const whole = { ...TOR_LIST, ...TOR_GLOBAL };
  for (const { name: kernel } of kernels!) {
    const own = arms.filter((arm) => arm.kernel === kernel);
    const base = own[0]!.sysctls;
    const changed = own
      .slice(1)
      .map((arm) => Object.entries(arm.sysctls).filter(([name, value]) => base[name] !== value));
    const alone = changed.filter((sysctls) => sysctls.length === 1).map((sysctls) => sysctls[0]!);
    assert.deepEqual(Object.fromEntries(alone), whole);
    assert.equal(alone.length, 24);
    assert.deepEqual(Object.fromEntries(changed.at(-1)!), whole);
    assert.ok(own.at(-1)!.skipMissing);
  }
  assert.ok((warmup + repeat) * arms.length <= 110, 'some seven minutes of guests');
});

const TOR_GLOBAL = {
  'net.core.rmem_max': '33554432',
  'net.core.wmem_max': '33554432',
  'net.core.netdev_max_backlog': '2500',
  'net.ipv4.tcp_tw_recycle': '1',
  'vm.min_free_kbytes': '65536',
  'net.ipv4.netfilter.ip_conntrack_max': '196608',
  'net.netfilter.nf_conntrack_tcp_timeout_established': '7200',
  'net.netfilter.nf_conntrack_checksum': '0',
  'net.netfilter.nf_conntrack_max': '196608',
  'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': '15',
  'net.nf_conntrack_max': '196608',
};

test('staging is refused as it ships, at each place to edit, and runs once they are edited', () => {
  const text = textOf('staging');
  assert.throws(
    () => loadProfile(text, 'profiles/staging.yaml'),
    (error) => {
      assert.ok(error instanceof ProfileError);
      assert.deepEqual(
        error.problems.map(({ path }) => path),
        ['addresses.list[0]', 'allow[0]', 'destinations.targets[0]'],
      );
      const lines = text.split('\n');
      for (const { line, message } of error.problems) {
        assert.match(message, /placeholder: put .* here/);
        assert.match(lines[line - 2]!, /EDIT/);
      }
      return true;
    },
  );
  const edited = text.replaceAll('192.0.2.10', '10.20.0.10').replaceAll('198.51.100.', '10.20.0.');
  const { lab, arms } = loadProfile(edited, 'my-staging.yaml').experiment;
  assert.equal(lab, 'host');
  assert.deepEqual(arms[0]!.destinations, { kind: 'external', targets: [{ address: '10.20.0.10', port: 3128 }] });
});

test('counts that the rules decide stay exact', () => {
  const exact = (name: string) => {
    const experiment = load(name);
    return experiment.arms.filter(
      (arm) => predictArm(arm, parseKernelVersion('6.18.44', 250), {}).determinism(experiment).deterministic,
    ).length;
  };
  const counts = ['capacity', 'quickstart', 'tor-2012', 'tor-2012-vm'].map((name) => [name, exact(name)]);
  assert.deepEqual(Object.fromEntries(counts), { capacity: 12, quickstart: 7, 'tor-2012': 21, 'tor-2012-vm': 54 });
});
