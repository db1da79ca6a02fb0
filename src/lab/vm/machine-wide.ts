/**
 * What of a guest's kernel the sysctls of runs ask for: that no other run has it, as they change all of it; and that it is not too new. Pure.
 */
import { LAB_SYSCTLS } from '../../agent/place/sysctls.js';
import { type KernelVersion, parseKernelVersion } from '../../capacity/kernel-version.js';
import { judgeSysctl } from '../../capacity/sysctl-catalogue.js';
import { sysctlLife } from '../../capacity/sysctl-presence.js';
import type { Arm } from '../../plan/plan.js';

/** What is not known of a kernel before its boot is as on the newest. */
const NEWEST = parseKernelVersion('99.0');

/**
 * Whether a run of an arm changes what is the whole kernel's, and not its namespaces' own. What a kernel has not got changes nothing.
 * @param kernel undefined where it is not known yet
 */
export function setsMachine(
  { sysctls, roles }: Pick<Arm, 'sysctls' | 'roles'>,
  kernel: KernelVersion = NEWEST,
): boolean {
  const names = [...Object.keys(LAB_SYSCTLS), ...namesIn({ sysctls, roles })];
  return names.some((name) => !judgeSysctl(name, kernel, 'namespace').ok && sysctlLife(name, kernel) === undefined);
}

/** The sysctls of some arms that newer kernels have no more, each with the last kernel that has it: `net.ipv4.tcp_tw_recycle: until Linux 4.11`. */
export function goneSysctls(arms: readonly Pick<Arm, 'sysctls' | 'roles'>[]): string[] {
  const gone = arms.flatMap(namesIn).flatMap((name) => {
    const life = sysctlLife(name, NEWEST);
    return life === undefined ? [] : [`${name}: ${life}`];
  });
  return [...new Set(gone)];
}

function namesIn({ sysctls, roles }: Pick<Arm, 'sysctls' | 'roles'>): string[] {
  return [sysctls, roles?.client ?? {}, roles?.origin ?? {}, roles?.router ?? {}].flatMap((some) => Object.keys(some));
}
