/**
 * In a box (src/lab/vagrant) each agent has a network namespace of its own, and the machine around it is the lab's too, for more
 * than one run: what belongs to the machine is restored as on the host lab.
 */
import { release } from 'node:os';
import { parseKernelVersion } from '../../capacity/kernel-version.js';
import { judgeSysctl } from '../../capacity/sysctl-catalogue.js';
import { machineNamespace, reachMachine, readSysctl } from '../../kernel/sysctl.js';
import { restoreSnapshot, staleSnapshots, takeSnapshot } from './host-guard.js';

/** The agent's /proc is that of the box, whose first process is in its first network namespace. */
const FIRST_NAMESPACE = '/proc/1/ns/net';

/** From now on the box's own sysctls can be set. Those that a killed agent left changed are restored. */
export function enterBox(): void {
  reachMachine(FIRST_NAMESPACE);
  for (const stale of staleSnapshots()) restoreSnapshot(stale);
}

/** Of some sysctls, those that outlive this namespace; none outside a box. */
export function machineSysctls(names: readonly string[]): string[] {
  if (machineNamespace() === undefined) return [];
  const kernel = parseKernelVersion(release());
  return names.filter((name) => !judgeSysctl(name, kernel, 'namespace').ok);
}

/** Do something that may write some sysctls, and restore those that outlive this namespace. */
export async function restoringMachineSysctls<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
  const own = machineSysctls(names).filter((name) => readSysctl(name).ok);
  const snapshot = own.length === 0 ? null : takeSnapshot(own);
  try {
    return await work();
  } finally {
    if (snapshot) restoreSnapshot(snapshot);
  }
}
