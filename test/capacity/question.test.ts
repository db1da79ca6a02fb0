import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { type CapacityQuestion, capacityOf } from '../../src/capacity/question.js';
import { LATEST } from './inputs.js';

function ask(changes: Partial<Omit<CapacityQuestion, 'kernel'>> & { kernel?: string }) {
  const { kernel = '6.1.192', ...rest } = changes;
  return capacityOf({
    strategy: 'bind',
    addresses: 1,
    destinations: 1,
    hosts: 1,
    range: null,
    reserved: 0,
    heldHere: 0,
    heldElsewhere: 0,
    rate: null,
    holdMs: 0,
    close: 'client',
    pick: 'round-robin',
    loss: 1e-4,
    sysctls: {},
    ...rest,
    kernel: parseKernelVersion(kernel, 250),
  });
}

test('50,000 a second through NO_PORT to 20 destinations: walls, when, and how many addresses', () => {
  const { full, slow, atRate, ports } = ask({ strategy: 'bind-no-port', destinations: 20, rate: 50_000 });
  assert.equal(ports, 28_232);
  assert.deepEqual(full, { tuples: 564_640, rate: 564_640 / LATEST });
  assert.deepEqual(slow, { tuples: 282_320, rate: 282_320 / LATEST });
  assert.deepEqual([atRate!.slow, atRate!.full], [282_320 / 50_000, 564_640 / 50_000]);
  assert.deepEqual(atRate!.needed.full, { kind: 'addresses', addresses: 6, perAddress: 564_640 / LATEST });
});

test('the box of 2014: its fifty addresses were one pool, and recycling is what helped', () => {
  const then = ask({ kernel: '3.2.0-4-amd64', addresses: 50, rate: 1000 });
  assert.deepEqual([then.full.tuples, Math.floor(then.full.rate!)], [28_233, 470]);
  assert.equal(Math.round(then.atRate!.full!), 28);
  assert.equal(then.atRate!.needed.full.kind, 'useless');
  const recycled = ask({
    kernel: '3.2.0-4-amd64',
    addresses: 50,
    rate: 1000,
    sysctls: { 'net.ipv4.tcp_tw_recycle': '1' },
  });
  assert.equal(recycled.atRate!.full, null);
  assert.equal(ask({ addresses: 50 }).full.tuples, 1_411_600);
});

test('hosts multiply, and share the rate', () => {
  const one = ask({ strategy: 'bind-no-port', addresses: 16, destinations: 5, rate: 10_000 });
  const fleet = ask({ strategy: 'bind-no-port', addresses: 16, destinations: 5, rate: 3_000_000, hosts: 300 });
  assert.equal(fleet.full.tuples, 300 * one.full.tuples!);
  assert.equal(fleet.full.rate, 300 * one.full.rate!);
  assert.deepEqual(fleet.atRate, one.atRate);
});

test('spread at random: less is sustained, and the first refusal long before the end', () => {
  const even = ask({ addresses: 50, range: { low: 40_000, high: 40_099 } });
  const random = ask({ addresses: 50, range: { low: 40_000, high: 40_099 }, pick: 'random' });
  assert.equal(even.firstFull, null);
  assert.ok(random.firstFull!.median < 0.9 * even.full.tuples!);
  assert.ok(random.full.rate! < even.full.rate!);
  assert.equal(ask({ pick: 'random' }).firstFull, null, 'one place only');
});

test('no closed form: simulated; the slow wall has one all the same', () => {
  const { full, slow, prediction, atRate } = ask({
    strategy: 'bind-reuseaddr',
    destinations: 3,
    sysctls: { 'net.ipv4.ip_autobind_reuse': '1' },
    rate: 1000,
  });
  assert.deepEqual(full, { tuples: null, rate: null });
  assert.equal(slow!.tuples, 7058);
  const most = 28_232 + 2 * 7058;
  assert.ok(prediction.simulated!.ok.high <= most && prediction.simulated!.ok.low > 0.95 * most);
  assert.equal(atRate!.needed.full.kind, 'unknown');
  assert.equal(atRate!.slow, 7058 / 1000);
});

test('more reserved and held ports than there are', () => {
  assert.throws(
    () => ask({ heldHere: 40_000 }),
    /0 reserved ports and 40000 held by others are more than the range has, 28232/,
  );
  assert.equal(ask({ strategy: 'connect', heldHere: 28_232, rate: 5 }).atRate!.full, 0);
});

test('what the kernel lacks', () => {
  const none = ask({ kernel: '3.10', strategy: 'bind-no-port', rate: 1 });
  assert.deepEqual([none.full.tuples, none.slow, none.atRate!.full], [0, null, 0]);
});

test('from which hold on a rate fills the ports, the same whatever hold is asked about', () => {
  const longest = 564_640 / 300 - LATEST;
  for (const holdMs of [0, 2000, 2_400_000]) {
    const { atRate } = ask({ addresses: 20, rate: 300, holdMs });
    assert.ok(Math.abs(atRate!.longestHold! - longest) < 1e-6, `${holdMs} ms: ${atRate!.longestHold}`);
  }
  const just = ask({ addresses: 20, rate: 300, holdMs: longest * 1000 });
  assert.ok(Math.abs(just.full.rate! - 300) < 1e-6);
  assert.equal(ask({ rate: 500 }).atRate!.longestHold, 0, 'more than TIME_WAIT alone leaves');
  assert.equal(ask({ rate: 300, close: 'reset' }).atRate!.longestHold, 28_232 / 300);
});
