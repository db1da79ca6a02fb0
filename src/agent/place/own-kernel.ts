/**
 * Roles on a kernel that is the lab's own, of which some sysctls are one value for all of them.
 */
import { readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { parseKernelVersion } from '../../capacity/kernel-version.js';
import { judgeSysctl } from '../../capacity/sysctl-catalogue.js';
import { machineNamespace } from '../../kernel/sysctl.js';
import type { RunSpec } from '../protocol.js';

/** The network namespace of this process, as a path that others of its /proc can open. */
export function ownNetwork(): string {
  return `/proc/${readlinkSync('/proc/self')}/ns/net`;
}

/** Where a role finds the sysctls that are the whole kernel's: here, where the kernel is the lab's own and this is its first namespace. */
export function machineOf({ ownKernel }: Pick<RunSpec, 'ownKernel'>): { readonly machine?: string } {
  const machine = machineNamespace() ?? (ownKernel ? ownNetwork() : undefined);
  return machine === undefined ? {} : { machine };
}

/** Whether each namespace has a value of its own on this kernel; any other would be set for all roles. */
export function isOwnHere(sysctl: string): boolean {
  return judgeSysctl(sysctl, parseKernelVersion(release()), 'namespace').ok;
}
