/**
 * Since or until when kernels have a sysctl, and whether a name is one at all: for experiments on several kernels, in which what
 * a kernel lacks is a finding of its own. Pure.
 */
import { atLeast, type KernelVersion, parseKernelVersion } from './kernel-version.js';
import { covers, perNetns } from './sysctl-catalogue.js';
import { INTERFACE_TREES } from './sysctl-data.js';
import { GLOBAL_KEYS, GONE_KEYS, type GoneKey, HOST_ONLY_KEYS, KERNEL_KEYS } from './sysctl-refused.js';

/**
 * Why a kernel lacks a sysctl, by its version: `since Linux 6.14` or `until Linux 4.11`, which is the last one that had it.
 * @returns undefined where the version gives no reason: the kernel may have it, or may be built without what brings it
 */
export function sysctlLife(name: string, kernel: KernelVersion): string | undefined {
  const gone = GONE_KEYS.find((key) => covers(key.name, name) && atLeast(kernel, key.removedIn));
  if (gone) return lastRelease(gone) ?? `gone since Linux ${gone.removedIn} at the latest`;
  const key = perNetns.get(name);
  if (key?.before === 'absent' && !atLeast(kernel, key.since))
    return `since Linux ${key.since}${key.exact ? '' : ' at the latest'}`;
  return undefined;
}

/** `until Linux 4.11` for what 4.12 removed; undefined where the release before is not known. */
function lastRelease({ removedIn, exact }: GoneKey): string | undefined {
  const { major, minor } = parseKernelVersion(removedIn);
  return exact && minor > 0 ? `until Linux ${major}.${minor - 1}` : undefined;
}

/** Whether some kernel is known to have, or to have had, a sysctl of this name. A typo is not; nor is all that is: of vm.* and fs.* there is no list. */
export function isKnownSysctl(name: string): boolean {
  if (perNetns.has(name) || HOST_ONLY_KEYS.includes(name) || KERNEL_KEYS.includes(name)) return true;
  if (GONE_KEYS.some((key) => covers(key.name, name))) return true;
  // A pattern would take a typo for a name.
  if (GLOBAL_KEYS.some(({ names }) => names.includes(name))) return true;
  const tree = /^(net\.ipv[46]\.(?:conf|neigh))\.[^.]+\.([^.]+)$/.exec(name);
  return tree !== null && INTERFACE_TREES.some((row) => row.tree === tree[1] && row.keys.includes(tree[2]!));
}

/** Whether a sysctl is there only where the module nf_conntrack is loaded (net/netfilter/nf_conntrack_standalone.c). */
export function needsConntrack(name: string): boolean {
  return /^net\.(?:netfilter\.nf_conntrack_|nf_conntrack_max$|ipv4\.netfilter\.|ipv4\.ip_conntrack_max$)/.test(name);
}
