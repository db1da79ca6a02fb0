/**
 * Sysctls of the namespace that this process is in, through /proc/sys (proc(5), sysctl(8)). Whether a name may be set at all is
 * decided before, by knowledge (capacity/sysctl-catalogue.ts), not here by trying.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { normaliseSysctl } from '../domain/sysctl-syntax.js';
import { withNamespace } from './namespace.js';

type SysctlResult = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly errno: string };

/** /proc/sys path of a dotted name. A `/` inside a name stands for a dot of an interface's name, as in sysctl(8). */
function pathOf(name: string): string {
  return `/proc/sys/${name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))}`;
}

/** Where the keys of the whole machine lie, where that is not this process's own namespace. */
let machine: string | undefined;

/**
 * From now on, keys of net.* that this namespace lacks or may only read are those of another one. The kernel shows what is one
 * value for all (net.core.netdev_max_backlog, tcp_tw_recycle before 4.10) in the machine's first network namespace alone.
 * @param namespace the path of the machine's first network namespace, such as /proc/1/ns/net; entering it takes root's capabilities there
 */
export function reachMachine(namespace: string): void {
  machine = namespace;
}

/** The network namespace that holds the machine's own sysctls; undefined unless {@link reachMachine} has named it. */
export function machineNamespace(): string | undefined {
  return machine;
}

/** Read a sysctl. The errno is a name, such as ENOENT. */
export function readSysctl(name: string): SysctlResult {
  return wherever(name, () => normaliseSysctl(readFileSync(pathOf(name), 'utf8')));
}

/** Write a sysctl and read it back: `value` is what the kernel then says. */
export function writeSysctl(name: string, value: string): SysctlResult {
  return wherever(name, () => written(name, value));
}

/** The same in the namespace of the calling thread alone, whatever {@link reachMachine} has named. */
export function writeOwnSysctl(name: string, value: string): SysctlResult {
  return attempt(() => written(name, value));
}

function written(name: string, value: string): string {
  writeFileSync(pathOf(name), value);
  return normaliseSysctl(readFileSync(pathOf(name), 'utf8'));
}

/** Read several; those that cannot be read are left out. */
export function readSysctls(names: Iterable<string>): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const result = readSysctl(name);
    if (result.ok) values[name] = result.value;
  }
  return values;
}

/** What the own namespace refuses because it is not its own. The keys of an interface are those of this one's interfaces only. */
function wherever(name: string, action: () => string): SysctlResult {
  const here = attempt(action);
  if (here.ok || machine === undefined || !ELSEWHERE.has(here.errno)) return here;
  if (!name.startsWith('net.') || /^net\.ipv[46]\.(?:conf|neigh)\./.test(name)) return here;
  const there = withNamespace(machine, () => attempt(action));
  return there.ok || there.errno !== 'ENOENT' ? there : here;
}

const ELSEWHERE = new Set(['ENOENT', 'EACCES', 'EPERM']);

function attempt(action: () => string): SysctlResult {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, errno: (error as NodeJS.ErrnoException).code ?? 'EIO' };
  }
}
