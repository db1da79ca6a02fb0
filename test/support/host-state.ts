/**
 * What a lab must leave as it was: this host's sysctls, links, addresses, routes and named namespaces.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/** Where a lab could do harm. */
const FOLDERS = ['/proc/sys/net', '/proc/sys/vm', '/proc/sys/fs'];
/** Not settings: gauges of what goes on at the moment, orders to the kernel, and other file systems. */
const NO_SETTINGS =
  /\/(?:fs\/(?:aio-nr|binfmt_misc|dentry-state|file-nr|inode-nr|inode-state|quota)|vm\/(?:stat_refresh|compact_memory|drop_caches)|net\/netfilter\/nf_conntrack_count)/;

/** Name → value, as text, of everything that is compared. Lifetimes and counters are left out. */
export function hostState(): Record<string, string> {
  const state: Record<string, string> = {};
  for (const path of FOLDERS.flatMap(files)) {
    const value = read(path);
    if (value !== undefined) state[path] = value;
  }
  for (const link of list('/sys/class/net')) state[`link ${link}`] = 'present';
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    for (const { cidr } of addresses) state[`address ${name} ${cidr}`] = 'present';
  }
  for (const name of list('/run/netns')) state[`/run/netns/${name}`] = 'present';
  // Destination, gateway, mask and so on; without the reference and use counts.
  for (const line of lines('/proc/net/route')) state[`route ${dropFields(line, [4, 5])}`] = 'present';
  for (const line of lines('/proc/net/ipv6_route')) state[`route ${dropFields(line, [6, 7])}`] = 'present';
  return state;
}

function files(folder: string): string[] {
  return entries(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (NO_SETTINGS.test(path)) return [];
    return entry.isDirectory() ? files(path) : [path];
  });
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function list(folder: string): string[] {
  return entries(folder).map(({ name }) => name);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Write-only, or not for this user.
  }
}

function lines(path: string): string[] {
  return (read(path) ?? '').split('\n').filter((line) => line !== '');
}

function dropFields(line: string, fields: readonly number[]): string {
  return line
    .trim()
    .split(/\s+/)
    .filter((_, i) => !fields.includes(i))
    .join(' ');
}
