/** What an arm comes to on a machine, and whether a rate holds there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atMachineScale, judgeRate } from '../../src/capacity/at-scale.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { RealCapacity } from '../../src/results/schema.js';
import { type ArmChanges, arm, KERNEL, LATEST } from './inputs.js';

const USUAL = { 'net.ipv4.ip_local_port_range': '32768 60999', 'net.ipv4.tcp_max_tw_buckets': '65536' };
const RANGE = 'net.ipv4.ip_local_port_range';
const of = (changes: ArmChanges = {}, baseline: ArmChanges = {}) =>
  atMachineScale(
    arm({ ...changes, load: { holdMs: 0, ...changes.load } }),
    arm({ ...baseline, load: { holdMs: 0, ...baseline.load } }),
    KERNEL,
    USUAL,
  );

function scaled(real: RealCapacity): Extract<RealCapacity, { kind: 'scaled' }> {
  assert.ok(real.kind === 'scaled', JSON.stringify(real));
  return real;
}

test('a hundred ports of the lab are the 28,232 of a machine, and four times as many are all that there are', () => {
  const baseline = scaled(of({ addresses: 5 }));
  assert.deepEqual([baseline.ports, baseline.concurrent, baseline.limited], [28_232, 141_160, 'by ports']);
  // TIME_WAIT in full, whatever the memory of this machine makes of tcp_max_tw_buckets.
  assert.equal(baseline.sustained, 141_160 / LATEST);
  assert.deepEqual(baseline.slow, { tuples: 70_580, rate: 70_580 / LATEST });
  assert.equal(scaled(of({ sysctls: { [RANGE]: '40000 40399' } })).ports, 64_512);
  assert.equal(scaled(of({ sysctls: { [RANGE]: '40000 40149' } })).ports, 42_348);
});

test('a list of ports of the program’s own grows with the range; a real range stays', () => {
  const own = scaled(of({ load: { strategy: 'bind-explicit-port', ports: { low: 50_000, high: 50_049 } } }));
  assert.equal(own.ports, 14_116);
  const real = { sysctls: { [RANGE]: '1024 65535' } };
  assert.equal(scaled(of(real, real)).ports, 64_512);
});

test('the range of the kernel changes nothing for a program that never asks for a port of it', () => {
  const load = { strategy: 'bind-explicit-port-exclusive', ports: { low: 40_000, high: 40_059 } } as const;
  const usual = { load, sysctls: { [RANGE]: '32768 60999' } };
  for (const narrow of ['50000 50009', '1024 65535'])
    assert.deepEqual(of({ load, sysctls: { [RANGE]: narrow } }, usual), of(usual, usual), narrow);
  assert.equal(scaled(of({ load, sysctls: { [RANGE]: '50000 50009' } }, usual)).ports, 60);
  assert.equal(of({ sysctls: { [RANGE]: '50000 50009' } }, { sysctls: { [RANGE]: '32768 60999' } }).kind, 'none');
});

test('what is no value of a machine is not scaled, unless the whole experiment has it', () => {
  const buckets = { sysctls: { 'net.ipv4.tcp_max_tw_buckets': '100' } };
  assert.match(JSON.stringify(of(buckets)), /tcp_max_tw_buckets = 100 is less than this kernel’s own 65,536/);
  assert.equal(scaled(of(buckets, buckets)).sustained, 28_232 / LATEST);
  // In a guest it is set for the lab's few ports; the 1.4 million of fifty addresses are not cut short by it.
  const many = { addresses: 50, sysctls: { 'net.ipv4.tcp_max_tw_buckets': '262144' } };
  assert.equal(scaled(of(many, many)).sustained, (50 * 28_232) / LATEST);
});

test('a rate holds, holds slowly, or fails, and no number is rounded in its favour', () => {
  const baseline = scaled(of());
  const { sustained, slow } = baseline;
  assert.deepEqual(judgeRate(baseline, 1000), { kind: 'fails', afterSeconds: 28.232 });
  assert.deepEqual(judgeRate(baseline, sustained!), { kind: 'holds', spare: 0, slow: slow!.rate, fastSpare: null });
  assert.deepEqual(judgeRate(baseline, slow!.rate!), { kind: 'holds', spare: 1, slow: null, fastSpare: 0 });
  assert.deepEqual(judgeRate(scaled(of({ load: { close: 'reset' } })), 1e6), {
    kind: 'holds',
    spare: null,
    slow: null,
    fastSpare: null,
  });
  const shared = {
    sysctls: { 'net.ipv4.ip_autobind_reuse': '1' },
    load: { strategy: 'bind-reuseaddr' },
    destinations: 2,
  } as const;
  assert.deepEqual(judgeRate(scaled(of(shared)), 1), { kind: 'not modelled' });
});

test('plan and capacity size by one rule: as many addresses as are just enough', () => {
  const needed = predictArm(arm({ load: { holdMs: 0 }, sysctls: { [RANGE]: '40000 40999' } }), KERNEL, {}).addressesFor(
    300,
    'hard',
  );
  assert.ok(needed.kind === 'addresses');
  assert.ok(needed.addresses * needed.perAddress >= 300 && (needed.addresses - 1) * needed.perAddress < 300);
});

test('of a User-Mode Linux guest the timer is not the machine’s: TIME_WAIT is that of HZ=250, and it is said', () => {
  const at = (hz: number | null, engine?: 'uml' | 'qemu-kvm') =>
    scaled(
      atMachineScale(
        arm({ load: { holdMs: 60_000 } }),
        arm({ load: { holdMs: 60_000 } }),
        { ...KERNEL, hz },
        USUAL,
        undefined,
        engine,
      ),
    );
  const machine = at(250);
  assert.equal(machine.hz, undefined);
  assert.equal(Math.floor(machine.sustained!), 231);
  assert.deepEqual(at(100, 'uml'), { ...machine, hz: 250 });
  assert.equal(Math.floor(at(100, 'qemu-kvm').sustained!), 225, 'that kernel was built for a machine');
  assert.equal(at(100, 'qemu-kvm').hz, undefined);
});
