/**
 * Which runs change the whole kernel of their guest, so that no other run may have it. Pure.
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
  const names = [LAB_SYSCTLS, sysctls, roles?.client ?? {}, roles?.origin ?? {}, roles?.router ?? {}].flatMap((some) =>
    Object.keys(some),
  );
  return names.some((name) => !judgeSysctl(name, kernel, 'namespace').ok && sysctlLife(name, kernel) === undefined);
}
