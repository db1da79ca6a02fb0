/** The command of an emulated machine: what its CPU has, and what its kernel is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineCommand } from '../../../src/lab/vm/qemu.js';

function asked(accelerator: 'kvm' | 'tcg') {
  const command = machineCommand({ path: '/boot/vmlinuz' }, accelerator, 2 ** 30, ['quiet']);
  const after = (option: string) => command[command.indexOf(option) + 1]!;
  return { cpu: after('-cpu'), parameters: after('-append').split(' ') };
}

test('an emulated CPU has cmpxchg16b, without which HAProxy dies; its kernel does without, and does not look for late ticks', () => {
  const { cpu, parameters } = asked('tcg');
  assert.ok(cpu.split(',').includes('+cx16'), cpu);
  // X86_FEATURE_CX16 is 4*32+13 (arch/x86/include/asm/cpufeatures.h).
  for (const parameter of ['clearcpuid=141', 'no_timer_check', 'quiet']) assert.ok(parameters.includes(parameter));
});

test('a kernel under KVM has the CPU of this machine as it is', () => {
  const { cpu, parameters } = asked('kvm');
  assert.equal(cpu, 'host');
  assert.deepEqual(
    parameters.filter((parameter) => /^clearcpuid|^no_timer/.test(parameter)),
    [],
  );
});
