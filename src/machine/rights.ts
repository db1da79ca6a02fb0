/**
 * What keeps a process that is root from a system call: that it is root of a user namespace alone (user_namespaces(7)), a capability that was taken from
 * it (capabilities(7)), a filter (seccomp(2)), or a security module. Engines of containers do each of them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';
import { ENOSYS, errnoName } from '../kernel/errno.js';

/** Their numbers (include/uapi/linux/capability.h). BPF and PERFMON are there since Linux 5.8; SYS_ADMIN has them in it. */
const CAPABILITIES = { SYS_PTRACE: 19, SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const;
export type Capability = keyof typeof CAPABILITIES;

export interface Rights {
  readonly root: boolean;
  /** Whether its user namespace is the first one. */
  readonly ofMachine: boolean;
  /** Those in effect. */
  has(capability: Capability): boolean;
  /** Whether a filter of seccomp looks at its system calls. */
  readonly filtered: boolean;
}

/** Those of this process, now. */
export function readRights(): Rights {
  return rightsIn(
    unlessThrown(() => readFileSync('/proc/self/status', 'utf8'), ''),
    process.getuid?.() === 0,
    !inUserNamespace(),
  );
}

/** What /proc/PID/status says (proc_pid_status(5)). @param ofMachine whether the process is in the first user namespace */
export function rightsIn(status: string, root: boolean, ofMachine: boolean): Rights {
  const effective = BigInt(`0x${/^CapEff:\s*([\da-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return {
    root,
    ofMachine,
    has: (capability) => ((effective >> BigInt(CAPABILITIES[capability])) & 1n) === 1n,
    // 0: none, 1: strict, 2: a filter.
    filtered: /^Seccomp:\s*2$/m.test(status),
  };
}

/** Root, and not only of a user namespace. */
export function isRootOfMachine(): boolean {
  return process.getuid?.() === 0 && !inUserNamespace();
}

/** The initial user namespace maps every uid to itself (user_namespaces(7)); before Linux 3.5 there is no other. */
function inUserNamespace(): boolean {
  const path = '/proc/self/uid_map';
  return existsSync(path) && !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync(path, 'utf8'));
}

/**
 * Why a system call was refused, as a clause for a reader.
 * @param call as `bpf`
 * @param errno EPERM, EACCES, ENOSYS or the like
 * @param needs the capability that it takes; null: none
 */
export function whyRefused(call: string, errno: number, needs: Capability | null, rights = readRights()): string {
  const { root, ofMachine, has, filtered } = rights;
  const answer = `answers ${call}() with ${errnoName(errno)}`;
  if (needs !== null && !root) return 'it takes root';
  if (needs !== null && !ofMachine)
    return 'it takes root of the machine, and this is root of a user namespace alone, as in a rootless container';
  if (needs !== null && !has(needs))
    return `this root lacks the capability ${needs}, which a container is given by --cap-add ${needs}`;
  if (filtered)
    return `a filter of seccomp ${answer}, as that of a container does unless it is started with --security-opt seccomp=unconfined (Kubernetes: seccompProfile of type Unconfined)`;
  if (errno === ENOSYS) return `this kernel has no ${call}() (ENOSYS)`;
  return `the kernel ${answer} all the same, as a security module (AppArmor, SELinux) or lockdown may have it; for a container try --security-opt apparmor=unconfined`;
}
