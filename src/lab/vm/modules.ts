/**
 * Which modules of a kernel the guest loads, and in what order.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What a lab needs and a kernel may have as a module. One that is built in, or that a kernel lacks, is no file and is skipped. */
const WANTED = ['ipv6', 'tcp_diag', 'veth'];

/**
 * The files of the modules to load, each after those that it needs.
 * @param folder as /lib/modules/6.1.0, with the modules.dep that depmod(8) writes; null when the kernel has no modules
 */
export function modulesToLoad(folder: string | null): string[] {
  if (folder === null || !existsSync(join(folder, 'modules.dep'))) return [];
  return orderModules(readFileSync(join(folder, 'modules.dep'), 'utf8'), WANTED).map((path) => join(folder, path));
}

/** The only folder in /lib/modules of an unpacked package, or null. */
export function moduleFolder(parent: string): string | null {
  const [release] = existsSync(parent) ? readdirSync(parent) : [];
  return release === undefined ? null : join(parent, release);
}

/** Pure. @param dependencies the text of a modules.dep(5): `a.ko: b.ko c.ko`, where c.ko is to be loaded before b.ko */
export function orderModules(dependencies: string, wanted: readonly string[]): string[] {
  const needs = new Map(
    dependencies.split('\n').flatMap((line): [string, string[]][] => {
      const [path, rest] = line.split(':');
      return path === undefined || rest === undefined ? [] : [[path, rest.trim().split(/\s+/).filter(Boolean)]];
    }),
  );
  const paths = new Map([...needs.keys()].map((path) => [moduleName(path), path]));
  const ordered = new Set<string>();
  for (const name of wanted) {
    const path = paths.get(name);
    if (path === undefined) continue;
    for (const needed of needs.get(path)!.toReversed()) ordered.add(needed);
    ordered.add(path);
  }
  return [...ordered];
}

/** A file may be called tcp-diag.ko where the module is tcp_diag. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\..*)?$/, '')
    .replaceAll('-', '_');
}
