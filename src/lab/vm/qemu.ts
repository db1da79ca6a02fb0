/**
 * QEMU: a machine of a standard PC's parts, for a kernel image as hardware boots it. It has memory, one CPU and three serial lines,
 * which every kernel for x86 can drive without a module; no disk, no network device, nothing of this machine.
 *
 *     descriptor 1   console                     /dev/ttyS0
 *     3              the agent                   /dev/ttyS1
 *     5              what init says              /dev/ttyS2
 */
import { findProgram } from '../../machine/programs.js';

export const QEMU = 'qemu-system-x86_64';
export const INSTALL_QEMU = 'install QEMU, for example: apt-get install --no-install-recommends qemu-system-x86';

export type Accelerator =
  | { readonly kind: 'kvm' }
  /** The CPU is emulated; and why KVM is not used. */
  | { readonly kind: 'tcg'; readonly why: string };

export interface QemuKernel {
  readonly engine: 'qemu';
  /** A bzImage. */
  readonly path: string;
  readonly accelerator: Accelerator;
  /** By the user: nobody knows whether it has what a guest needs. */
  readonly given: boolean;
  /** Modules to load in the guest, in order. */
  readonly modules: readonly string[];
}

/** Whether QEMU is there. */
export function hasQemu(): boolean {
  return findProgram(QEMU) !== undefined;
}

/** CPUs. The emulated one has rdrand, without which a guest waits a second for entropy, and cmpxchg16b, without which HAProxy dies of SIGILL. */
const CPU: Readonly<Record<Accelerator['kind'], string>> = { kvm: 'host', tcg: 'qemu64,+rdrand,+cx16' };

/**
 * Kernels themselves do without cmpxchg16b (X86_FEATURE_CX16, word 4, bit 13): with it, guests with Linux 6.12 died at boot in QEMU 7.2 in one
 * case out of fifteen. Names of features are taken since 5.19, their numbers by all.
 */
const WITHOUT_CX16 = `clearcpuid=${4 * 32 + 13}`;

/**
 * Linux looks at boot whether five ticks come within the time of ten, and panics when they do not (`IO-APIC + timer doesn't work!`,
 * timer_irq_works(), arch/x86/kernel/apic/io_apic.c). Those of an emulated timer come, but on a busy machine late. Under KVM
 * Linux leaves it out by itself.
 */
const NO_TIMER_CHECK = 'no_timer_check';

/** What an emulated machine asks of its kernel. */
const EMULATED = [WITHOUT_CX16, NO_TIMER_CHECK];

/** QEMU's own command: a machine that boots this kernel and ends when it panics, reboots or switches off. */
export function machineCommand(
  kernel: Pick<QemuKernel, 'path'>,
  accelerator: Accelerator['kind'],
  memory: number,
  parameters: readonly string[],
): string[] {
  return [
    QEMU,
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', `pc,accel=${accelerator}`, '-cpu', CPU[accelerator], '-smp', '1', '-m', `${memory / 2 ** 20}M`],
    ...['-kernel', kernel.path],
    ...['-append', ['console=ttyS0', 'panic=-1', ...(accelerator === 'tcg' ? EMULATED : []), ...parameters].join(' ')],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
  ];
}

/** A guest with the agent's lines. @param parameters of the kernel */
export function qemuCommand(
  kernel: QemuKernel,
  image: string,
  memory: number,
  parameters: readonly string[],
): string[] {
  return [
    ...machineCommand(kernel, kernel.accelerator.kind, memory, parameters),
    ...['-initrd', image],
    ...['-chardev', 'socket,id=agent,fd=3', '-serial', 'chardev:agent'],
    ...['-chardev', 'socket,id=status,fd=5', '-serial', 'chardev:status'],
  ];
}
