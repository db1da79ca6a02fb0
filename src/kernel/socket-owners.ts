/**
 * Which processes have sockets open, by the links of /proc/PID/fd (proc(5)). A socket in TIME_WAIT has no process any more.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';
import type { InodeSet } from './inode-set.js';

interface Owner {
  readonly pid: number;
  /** The name of the program, as ps(1) shows it. */
  readonly command: string;
  readonly sockets: number;
}

export interface Owners {
  /** Most sockets first. A socket that several processes share counts for each. */
  readonly owners: readonly Owner[];
  /** Processes of the namespace whose descriptors may not be read. */
  readonly unreadable: number;
  /** Whether the search was given up because there are too many descriptors. */
  readonly incomplete: boolean;
}

/** About 2 µs each. */
const MOST_DESCRIPTORS = 200_000;

/**
 * @param inodes of the sockets whose owners are wanted
 * @param namespace the network namespace that the sockets are in, such as `net:[4026531840]`: processes in others are passed over
 */
export function findOwners(inodes: InodeSet, namespace: string, most = MOST_DESCRIPTORS): Owners {
  const owners: Owner[] = [];
  let unreadable = 0;
  let descriptors = 0;
  if (inodes.size() === 0) return { owners, unreadable, incomplete: false };
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    if (descriptors >= most) return { owners: sorted(owners), unreadable, incomplete: true };
    const open = descriptorsOf(pid, namespace);
    if (open === 'unreadable') unreadable++;
    if (open === 'unreadable' || open === 'elsewhere') continue;
    descriptors += open.length;
    const sockets = countOf(pid, open, inodes);
    if (sockets > 0)
      owners.push({
        pid: Number(pid),
        command: unlessThrown(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), '?'),
        sockets,
      });
  }
  return { owners: sorted(owners), unreadable, incomplete: false };
}

function sorted(owners: readonly Owner[]): Owner[] {
  return [...owners].sort((a, b) => b.sockets - a.sockets || a.pid - b.pid);
}

/** Whoever may not be asked for his namespace may not be asked for his descriptors either; he may be of this namespace. */
function descriptorsOf(pid: string, namespace: string): string[] | 'unreadable' | 'elsewhere' {
  try {
    if (readlinkSync(`/proc/${pid}/ns/net`) !== namespace) return 'elsewhere';
    return readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    // It may have ended in between.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'unreadable' : 'elsewhere';
  }
}

function countOf(pid: string, descriptors: readonly string[], inodes: InodeSet): number {
  const own = new Set<number>();
  for (const fd of descriptors) {
    const inode = socketInode(`/proc/${pid}/fd/${fd}`);
    if (inode !== undefined && inodes.has(inode)) own.add(inode);
  }
  return own.size;
}

function socketInode(path: string): number | undefined {
  try {
    const link = readlinkSync(path);
    return link.startsWith('socket:[') ? Number(link.slice(8, -1)) : undefined;
  } catch {
    return undefined;
  }
}
