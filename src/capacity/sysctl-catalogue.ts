/**
 * Where a sysctl may be set: known to be per network namespace on this kernel, global, or gone. Pure.
 *
 * The netns lab writes only what is known here, and tries nothing: a root process in a network namespace can really write
 * the machine's own vm.* and fs.*, and a file that is writable there (nf_hooks_lwtunnel) is not always the namespace's own.
 */

import type { SysctlScope } from '../domain/lab.js';
import { own } from '../domain/own.js';
import { closest } from '../domain/words.js';
import { atLeast, type KernelVersion, kernelSeries } from './kernel-version.js';
import { RECORDED_LIMITS } from './real-scale.js';
import { INTERFACE_TREES, NETNS_KEYS, type NetnsKeys } from './sysctl-data.js';
import {
  GLOBAL_KEYS,
  GONE_KEYS,
  type GoneKey,
  HIDDEN_FROM_USERS,
  HOST_ONLY_KEYS,
  KERNEL_KEYS,
  NEVER_KEYS,
  READ_ONLY_KEYS,
} from './sysctl-refused.js';

/** The keys that decide about local ports, TIME_WAIT and queues, for the environment's record. A kernel may lack some of them. */
export const PORT_SYSCTLS: readonly string[] = [
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_autobind_reuse',
  'net.ipv4.ip_local_port_step_width',
  'net.ipv4.tcp_tw_reuse',
  'net.ipv4.tcp_tw_reuse_delay',
  'net.ipv4.tcp_tw_recycle',
  'net.ipv4.tcp_timestamps',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_max_tw_buckets',
  ...RECORDED_LIMITS,
];

export type SysctlJudgement = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const OK: SysctlJudgement = { ok: true };
const OTHER_LABS = 'it needs the VM lab (--lab vm) or the guarded host lab';

/** Name → its row in NETNS_KEYS. */
export const perNetns: ReadonlyMap<string, NetnsKeys> = new Map(
  NETNS_KEYS.flatMap((row) => row.names.map((name) => [row.prefix + name, row] as const)),
);

/**
 * Whether a lab may set a sysctl on a kernel.
 * @param name one whose form is right (domain/sysctl-syntax.ts)
 * @param scope what the lab may write, `LABS[kind].sysctls`
 * @returns ok, or the reason in full sentences: which key, why, since or until which version, and what to use instead
 */
export function judgeSysctl(name: string, kernel: KernelVersion, scope: SysctlScope): SysctlJudgement {
  const on = kernelSeries(kernel);
  const never = own(NEVER_KEYS, name);
  if (never !== undefined) return refuse(`${name} ${never}; it is refused in every lab.`);
  if (READ_ONLY_KEYS.includes(name) || /^net\.ipv[46]\.conf\.[^.]+\.mc_forwarding$/.test(name))
    return refuse(`${name} can be read and not written.`);
  const gone = GONE_KEYS.find((key) => covers(key.name, name) && atLeast(kernel, key.removedIn));
  if (gone) return refuse(goneReason(name, gone));
  const key = perNetns.get(name);
  if (key?.before === 'absent' && !atLeast(kernel, key.since)) {
    return refuse(`${name} does not exist on ${on}: it came with ${release(key)}; use a newer kernel or leave it out.`);
  }
  if (scope === 'kernel') return OK;
  return scope === 'machine' ? judgeOnHost(name) : judgeInNamespace(name, kernel, key);
}

function judgeOnHost(name: string): SysctlJudgement {
  if (!name.startsWith('kernel.') || KERNEL_KEYS.includes(name)) return OK;
  return refuse(
    `${name} is refused in the host lab: of kernel.* only ${KERNEL_KEYS.join(', ')} are known to be safe to change and to put back.`,
  );
}

function judgeInNamespace(name: string, kernel: KernelVersion, key: NetnsKeys | undefined): SysctlJudgement {
  const on = kernelSeries(kernel);
  if (key && atLeast(kernel, key.since)) return OK;
  if (key) {
    return refuse(
      `${name} is global on ${on} and would change the whole machine: it is per network namespace since ${release(key)}; ${OTHER_LABS}.`,
    );
  }
  const tree = /^(net\.ipv[46]\.(?:conf|neigh))\.([^.]+)\.([^.]+)$/.exec(name);
  if (tree && !(tree[1]!.endsWith('neigh') && tree[2] === 'default'))
    return judgeInterfaceKey(name, tree[1]!, tree[3]!, on);
  if (/^(?:vm|fs|kernel)\./.test(name)) {
    return refuse(
      `${name} is global: ${name.split('.')[0]}.* does not belong to a network namespace, and root in the lab would change the whole machine; ${OTHER_LABS}.`,
    );
  }
  const global = GLOBAL_KEYS.find((row) => row.names.some((pattern) => covers(pattern, name)));
  if (global) {
    const note = global.note === undefined ? '' : ` ${global.note}`;
    return refuse(`${name} is global: one value serves the whole machine; ${OTHER_LABS}.${note}`);
  }
  if (HOST_ONLY_KEYS.includes(name))
    return refuse(`${name} can be written only in the initial network namespace; ${OTHER_LABS}.`);
  if (HIDDEN_FROM_USERS.some((pattern) => covers(pattern, name))) {
    return refuse(
      `${name} is per network namespace, but the kernel hides it in the namespace of an unprivileged user, and the netns lab must run alike with and without root; use the VM lab or the guarded host lab.`,
    );
  }
  // An old name with a successor, on a kernel that still has it.
  const old = GONE_KEYS.find((row) => covers(row.name, name));
  if (old) return refuse(`${name} is global on ${on}, and was removed in ${old.removedIn}; use ${old.instead}.`);
  const near = closest(name, [...perNetns.keys()]);
  return refuse(
    `${name} is not known to be per network namespace on ${on}, and the netns lab writes only what is known, because anything else could change the whole machine; ${
      near === undefined ? 'check the name, or use the guarded host lab' : `did you mean ${near}?`
    }${near === undefined ? '.' : ''}`,
  );
}

function judgeInterfaceKey(name: string, treeName: string, key: string, on: string): SysctlJudgement {
  const tree = INTERFACE_TREES.find((row) => row.tree === treeName)!;
  if (tree.keys.includes(key)) return OK;
  const near = closest(key, tree.keys);
  return refuse(
    `${name} is not known on ${on}: ${treeName} has no key ${key} that can be written${near === undefined ? '.' : `; did you mean ${near}?`}`,
  );
}

function goneReason(name: string, gone: GoneKey): string {
  const release = gone.exact ? gone.removedIn : `${gone.removedIn} or earlier`;
  return `${name} was removed in ${release}: ${gone.why}; use ${gone.instead}.`;
}

function release(key: NetnsKeys): string {
  return key.exact ? key.since : `${key.since} at the latest`;
}

/** Whether a pattern (`name`, `name.` or `name*`) covers a name. */
export function covers(pattern: string, name: string): boolean {
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern.endsWith('.') ? name.startsWith(pattern) : name === pattern;
}

function refuse(reason: string): SysctlJudgement {
  return { ok: false, reason };
}
