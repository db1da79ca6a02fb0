/**
 * Which processes have sockets open, by the links of /proc/PID/fd (proc(5)). A socket in TIME_WAIT has no process any more.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';
import { socketsOf } from './descriptors.js';
import type { InodeSet } from './inode-set.js';

export interface Process {
  readonly pid: number;
  /** The name of the program, as ps(1) shows it. */
  readonly command: string;
}

interface Owner extends Process {
  readonly sockets: number;
  /** Label of the inode set → sockets. */
  readonly labels: ReadonlyMap<number, number>;
  /** Whether it has so many descriptors that a sample of them was counted. */
  readonly estimated: boolean;
}

export interface FoundOwners {
  /** Most sockets first. A socket that several processes share counts for each. */
  readonly owners: readonly Owner[];
  /** Processes whose descriptors may not be read, and which may be in the namespace. */
  readonly unreadable: number;
  /** Whether the search was given up because there are too many descriptors. */
  readonly incomplete: boolean;
  /** Who has the sockets that are set apart, by inode. */
  readonly apart: ReadonlyMap<number, Process>;
}

/** The processes of this machine by the network namespace that they are in. */
export interface Processes {
  /** `net:[4026531840]` → pids. */
  readonly byNamespace: ReadonlyMap<string, readonly number[]>;
  /** Those that may not be asked. */
  readonly unreadable: number;
}

/** Those that are read, two to three microseconds each. */
const MOST_DESCRIPTORS = 200_000;

/** Every process that /proc shows, by its network namespace. */
export function processesByNamespace(): Processes {
  const byNamespace = new Map<string, number[]>();
  let unreadable = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const namespace = readlinkSync(`/proc/${name}/ns/net`);
      const pids = byNamespace.get(namespace);
      if (pids) pids.push(Number(name));
      else byNamespace.set(namespace, [Number(name)]);
    } catch (error) {
      // It may have ended in between.
      if ((error as NodeJS.ErrnoException).code === 'EACCES') unreadable++;
    }
  }
  return { byNamespace, unreadable };
}

export interface OwnerSearch {
  /** Of the sockets whose owners are wanted. */
  readonly inodes: InodeSet;
  /** Of the network namespace that the sockets are in, such as `net:[4026531840]`: processes in others are passed over. */
  readonly namespace: string;
  readonly processes: () => Processes;
  /** Whether a socket with this label does not count for its owner, who is only named: a listener. */
  readonly isApart: (label: number) => boolean;
  /** Whether each socket's owner is to be found, however many descriptors that takes. Else the counts of a process with very many are estimates. */
  readonly exact?: boolean;
  readonly most?: number;
}

/** Look for the processes that have these sockets open. */
export function findOwners({
  inodes,
  namespace,
  processes,
  isApart,
  exact = false,
  most = MOST_DESCRIPTORS,
}: OwnerSearch): FoundOwners {
  const owners: Owner[] = [];
  const apart = new Map<number, Process>();
  let unreadable = 0;
  let descriptors = 0;
  const result = (incomplete: boolean) => ({ owners: sorted(owners), unreadable, incomplete, apart });
  if (inodes.size() === 0) return result(false);
  const there = processes();
  unreadable = there.unreadable;
  const sampled: number[] = [];
  for (const pid of there.byNamespace.get(namespace) ?? []) {
    if (descriptors >= most) return result(true);
    const { labels, others, read, isSampled, isUnreadable } = heldBy(pid, inodes, isApart, exact ? 'all' : 'sample');
    if (isUnreadable) unreadable++;
    if (isSampled) sampled.push(pid);
    descriptors += read;
    if (labels.size + others.length === 0) continue;
    const process = { pid, command: commandOf(pid) };
    for (const inode of others) if (!apart.has(inode)) apart.set(inode, process);
    const sockets = [...labels.values()].reduce((sum, n) => sum + n, 0);
    if (sockets > 0) owners.push({ ...process, sockets, labels, estimated: isSampled });
  }
  // A listener is one descriptor of many, and may not be in a sample.
  for (const pid of apart.size < inodes.countWhere(isApart) ? sampled : []) {
    const { others } = heldBy(pid, inodes, isApart, 'all');
    for (const inode of others) if (!apart.has(inode)) apart.set(inode, { pid, command: commandOf(pid) });
  }
  return result(false);
}

/** The name of a program, as ps(1) shows it; `?`: the process has ended, or may not be read. */
export function commandOf(pid: number): string {
  return unlessThrown(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), '?');
}

function sorted(owners: readonly Owner[]): Owner[] {
  return [...owners].sort((a, b) => b.sockets - a.sockets || a.pid - b.pid);
}

function heldBy(pid: number, inodes: InodeSet, isApart: (label: number) => boolean, how: 'all' | 'sample') {
  const own = new Set<number>();
  const labels = new Map<number, number>();
  const others: number[] = [];
  const seen = socketsOf(pid, how);
  if (seen === null) return { labels, others, read: 0, isSampled: false, isUnreadable: true };
  for (let i = 0; i < seen.inodes.length; i++) {
    const inode = seen.inodes[i]!;
    const label = inodes.labelOf(inode);
    if (label === undefined || own.has(inode)) continue;
    own.add(inode);
    if (isApart(label)) others.push(inode);
    else labels.set(label, (labels.get(label) ?? 0) + (i < seen.single ? 1 : seen.weight));
  }
  const { isSampled, descriptors } = seen;
  return { labels, others, read: isSampled ? 0 : descriptors, isSampled, isUnreadable: false };
}
