/**
 * The kinds of labs and what each can do. Code outside of src/lab/ asks for a trait, never for a kind, so that a new kind is a folder
 * in src/lab/ and one row here. Pure.
 */
import type { Engine } from './guest.js';

export const LAB_KINDS = ['netns', 'vm', 'vagrant', 'host'] as const;
export type LabKind = (typeof LAB_KINDS)[number];

/**
 * Which sysctls may be written in a lab.
 * - namespace: those that are per network namespace; any other would change the machine around it
 * - kernel: all that exist, since the kernel is the lab's own
 * - machine: this machine's own, as far as they are known to be safe to change and to restore
 */
export type SysctlScope = 'namespace' | 'kernel' | 'machine';

export interface LabTraits {
  /**
   * Each run has network namespaces of its own: no other program uses their ports and addresses, and nothing of a run (TIME_WAIT,
   * sysctls) is left for the next one. Roles, proxies and neighbours need it, and so do exact predictions.
   */
  readonly ownNamespace: boolean;
  /** It loads this machine and may change it, so the profile and the command line must both ask for it. */
  readonly guarded: boolean;
  /** Its load can reach addresses outside of the lab. */
  readonly reaches: boolean;
  /** Where runs happen: on this machine's kernel, in a guest that is booted for the runs, or in a box made beforehand. */
  readonly machine: 'this' | 'guest' | 'box';
  /** What the agent may write. */
  readonly sysctls: SysctlScope;
  /** What may be written in the namespaces of the roles that are not under test. */
  readonly roleSysctls: SysctlScope;
  /** Milliseconds to make the lab, start its processes and take it down, as measured on small machines. */
  readonly overheadMs: number | Readonly<Record<Engine, number>>;
  /** Milliseconds more for a run that has a guest of its own. */
  readonly bootMs?: Readonly<Record<Engine, number>>;
}

/** Most labs are namespaces that are gone afterwards. */
const APART = { ownNamespace: true, guarded: false, reaches: false, overheadMs: 350 } as const;

/** A row for each kind, as in `LABS[experiment.lab].ownNamespace`. */
export const LABS: Readonly<Record<LabKind, LabTraits>> = {
  netns: { ...APART, machine: 'this', sysctls: 'namespace', roleSysctls: 'namespace' },
  vm: {
    ...APART,
    machine: 'guest',
    sysctls: 'kernel',
    roleSysctls: 'kernel',
    // QEMU's with an emulated CPU.
    overheadMs: { uml: 1000, qemu: 2500 },
    bootMs: { uml: 2500, qemu: 6500 },
  },
  // Only the agent reaches what is the whole box's, and restores it.
  vagrant: { ...APART, machine: 'box', sysctls: 'kernel', roleSysctls: 'namespace' },
  host: {
    ownNamespace: false,
    guarded: true,
    reaches: true,
    machine: 'this',
    sysctls: 'machine',
    roleSysctls: 'machine',
    overheadMs: 350,
  },
};

/**
 * The overhead of one run in milliseconds.
 * @param engine what boots the guest, where there is one @param boots whether it does so for this run
 */
export function labOverheadMs(kind: LabKind, engine: Engine | undefined, boots = false): number {
  const { overheadMs, bootMs } = LABS[kind];
  const boot = boots && bootMs ? bootMs[engine ?? 'uml'] : 0;
  return boot + (typeof overheadMs === 'number' ? overheadMs : overheadMs[engine ?? 'uml']);
}
