/**
 * Control groups of version 2 by their IDs, which are the inode numbers of their folders (cgroups(7)): the group of a process that has ended.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unlessThrown } from '../domain/error.js';

export interface ControlGroups {
  /** The path below the root of the hierarchy, as `/system.slice/nginx.service`; null: there is none with this ID any more. */
  pathOf(id: string): string | null;
}

/** A machine has some hundreds. */
const MOST_FOLDERS = 20_000;
const AGAIN_MS = 5_000;

/** Look them up; the folders are read again when one is not known, though not more often than each five seconds. */
export function createControlGroups(): ControlGroups {
  const known = new Map<string, string>();
  const gone = new Set<string>();
  let readAt = Number.NEGATIVE_INFINITY;
  const root = unlessThrown(rootOfUnified, null);
  return {
    pathOf(id) {
      const path = known.get(id);
      if (path !== undefined) return path;
      if (root === null || gone.has(id) || performance.now() - readAt < AGAIN_MS) return null;
      readAt = performance.now();
      readAll(root, known);
      const found = known.get(id) ?? null;
      if (found === null) gone.add(id);
      return found;
    },
  };
}

/** Where version 2 is mounted, also beside version 1 (proc_pid_mountinfo(5)); null: nowhere. */
function rootOfUnified(): string | null {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((text) => / - cgroup2 /.test(text));
  return line?.split(' ')[4] ?? null;
}

function readAll(root: string, known: Map<string, string>): void {
  const open = [''];
  for (let folder = open.pop(), read = 0; folder !== undefined && read < MOST_FOLDERS; folder = open.pop(), read++) {
    const path = folder;
    const full = join(root, path);
    const inode = unlessThrown(() => statSync(full, { bigint: true }).ino, null);
    if (inode === null) continue;
    known.set(String(inode), path === '' ? '/' : path);
    for (const entry of unlessThrown(() => readdirSync(full, { withFileTypes: true }), []))
      if (entry.isDirectory()) open.push(`${path}/${entry.name}`);
  }
}
