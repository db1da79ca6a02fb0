/**
 * Which modules of a kernel the guest loads, and in what order. What a module needs it says itself (`depends=` in its section
 * .modinfo, as modinfo(8) shows); the list of depmod(8) exists only where a package was installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isElf, sectionOf } from '../../machine/elf.js';
import { cacheFolder, cacheKey } from '../../machine/folders.js';
import { replaceFile } from '../../machine/replace-file.js';
import { LabError } from '../lab.js';

/** What a lab needs and a kernel may have as a module. One that is built in, or that a kernel lacks, is no file and is skipped. */
const WANTED = ['ipv6', 'tcp_diag', 'veth'];
/**
 * What brings the sysctls of connection tracking. Since 4.10 it tracks nothing until a firewall rule asks for it; before, packets
 * are tracked as soon as nf_conntrack_ipv4 is there, which is a part of nf_conntrack since 4.19.
 */
export const CONNTRACK = ['nf_conntrack', 'nf_conntrack_ipv4'];
/** What the rules of a NAT, and the counts of what it does, take beside those. */
export const NAT = [
  ...CONNTRACK,
  ...['nf_conntrack_netlink', 'nf_tables', 'nf_nat', 'nft_chain_nat', 'nft_masq', 'nft_nat', 'nft_redir', 'nft_ct'],
  ...['nft_numgen', 'nft_hash', 'nft_tproxy', 'nf_tproxy_ipv4', 'nf_tproxy_ipv6'],
];
const FILE = /\.ko(?:\.(gz|xz|zst))?$/;
/** Program → Debian package. gzip is read by Node. */
const DECOMPRESSORS = { xz: { program: 'xz', from: 'xz-utils' }, zst: { program: 'zstd', from: 'zstd' } } as const;
const MOST_BYTES = 2 ** 26;

/**
 * The files of the modules to load, each after those that it needs; none of them compressed.
 * @param folder as /lib/modules/6.1.0; null when the kernel has no modules
 * @param more wanted beside what every lab needs
 * @param decompressed the folder for copies of compressed ones
 * @throws LabError when one cannot be decompressed
 */
export function modulesToLoad(
  folder: string | null,
  more: readonly string[] = [],
  decompressed = () => cacheFolder('modules'),
): string[] {
  if (folder === null || !existsSync(folder)) return [];
  // Beside "kernel" an installed kernel may have "source", a link to where it was built, with the same files.
  const installed = join(folder, 'kernel');
  const root = existsSync(installed) ? installed : folder;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => FILE.test(path));
  const paths = new Map(files.map((path) => [moduleName(path), join(root, path)]));
  const ready = new Map<string, string>();
  const at = (name: string) => {
    const path = paths.get(name);
    if (path !== undefined && !ready.has(name)) ready.set(name, uncompressed(path, decompressed));
    return ready.get(name);
  };
  return orderModules([...WANTED, ...more], (name) => {
    const path = at(name);
    return path === undefined ? undefined : dependenciesOf(readFileSync(path));
  }).map((name) => at(name)!);
}

/** The only folder in /lib/modules of an unpacked package, or null. */
export function moduleFolder(parent: string): string | null {
  const [release] = existsSync(parent) ? readdirSync(parent) : [];
  return release === undefined ? null : join(parent, release);
}

/** Pure. @param needs the names of the modules that a module needs; undefined when there is no such file */
export function orderModules(
  wanted: readonly string[],
  needs: (name: string) => readonly string[] | undefined,
): string[] {
  const ordered = new Set<string>();
  const add = (name: string) => {
    const needed = ordered.has(name) ? undefined : needs(name);
    if (needed === undefined) return;
    for (const other of needed) add(other);
    ordered.add(name);
  };
  for (const name of wanted) add(name);
  return [...ordered];
}

/** The names after `depends=` in a module. Pure. @param module the bytes of a .ko file */
export function dependenciesOf(module: Buffer): string[] {
  const information = isElf(module) ? sectionOf(module, '.modinfo') : undefined;
  const depends = information
    ?.toString('latin1')
    .split('\0')
    .find((entry) => entry.startsWith('depends='));
  return (depends?.slice('depends='.length).split(',') ?? []).filter(Boolean).map(withUnderscores);
}

/** A file may be called tcp-diag.ko where the module is tcp_diag. */
function moduleName(path: string): string {
  return withUnderscores(basename(path).replace(FILE, ''));
}

function withUnderscores(name: string): string {
  return name.replaceAll('-', '_');
}

/** The file itself, or a decompressed copy of it: only newer kernels can decompress, and not all of those do. */
function uncompressed(path: string, decompressed: () => string): string {
  const method = FILE.exec(path)?.[1];
  if (method === undefined) return path;
  const { size, mtimeMs } = statSync(path);
  const copy = join(decompressed(), cacheKey(path, size, mtimeMs), `${moduleName(path)}.ko`);
  if (existsSync(copy)) return copy;
  mkdirSync(dirname(copy), { recursive: true });
  replaceFile(copy, decompress(path, method as 'gz' | keyof typeof DECOMPRESSORS));
  return copy;
}

function decompress(path: string, method: 'gz' | keyof typeof DECOMPRESSORS): Buffer {
  const compressed = readFileSync(path);
  if (method === 'gz') return gunzipSync(compressed);
  const { program, from } = DECOMPRESSORS[method];
  const { status, stdout, error } = spawnSync(program, ['-dc'], { input: compressed, maxBuffer: MOST_BYTES });
  if (status === 0) return stdout;
  throw new LabError(`the module ${path} cannot be decompressed (${error?.message ?? `${program} failed`})`, {
    remedy: `install ${from}, for example: apt-get install ${from}`,
  });
}
