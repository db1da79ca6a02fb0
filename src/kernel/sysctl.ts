/**
 * Sysctls of the namespace that this process is in, through /proc/sys (proc(5), sysctl(8)). Whether a name may be set at all is
 * decided before, by knowledge (capacity/sysctl-catalogue.ts), not here by trying.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export type SysctlResult =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly errno: string };

/** /proc/sys path of a dotted name. A `/` inside a name stands for a dot of an interface's name, as in sysctl(8). */
function pathOf(name: string): string {
  return `/proc/sys/${name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))}`;
}

/** White space in a value is how the kernel separates fields: one space, as the profile writes it. */
export function normaliseValue(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

/** Read a sysctl. The errno is a name, as ENOENT. */
export function readSysctl(name: string): SysctlResult {
  return attempt(() => normaliseValue(readFileSync(pathOf(name), 'utf8')));
}

/** Write a sysctl and read it back: `value` is what the kernel then says. */
export function writeSysctl(name: string, value: string): SysctlResult {
  return attempt(() => {
    writeFileSync(pathOf(name), value);
    return normaliseValue(readFileSync(pathOf(name), 'utf8'));
  });
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

function attempt(action: () => string): SysctlResult {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, errno: (error as NodeJS.ErrnoException).code ?? 'EIO' };
  }
}
