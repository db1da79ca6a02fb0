/**
 * The host lab leaves no sysctl changed: the values of all that a run writes are on the disk before the first write. They are restored
 * when the run ends, when the controller dies, or, if the agent itself was killed, by the next start that finds the file.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { machineNamespace, readSysctl, writeSysctl } from '../../kernel/sysctl.js';
import { makeFolder } from '../../machine/folders.js';
import { bootId, identityOf, isAlive } from '../../machine/process-identity.js';
import { replaceFile } from '../../machine/replace-file.js';
import { sealed, sealOf } from '../../machine/seal.js';
import { sweepUnfinished } from '../../machine/unfinished.js';
import { stateDirectory } from '../../machine/xdg.js';

const snapshotSchema = z.object({
  pid: z.number(),
  /** Clock ticks after boot at which the process began (proc(5), stat field 22): a pid alone may be another process by now. */
  processStart: z.string(),
  bootId: z.string(),
  /** The network namespace whose sysctls these are. */
  netns: z.string(),
  takenAt: z.string(),
  values: z.record(z.string(), z.string()),
});
export type Snapshot = z.infer<typeof snapshotSchema> & { readonly path: string };

interface Restoration {
  /** Name → the old value, which is in force again. */
  readonly restored: Record<string, string>;
  /** Names that could not be written, with the reason. */
  readonly failed: string[];
}

const PREFIX = 'host-sysctls-';

/**
 * Save the present values of `names`, durably. Call before the first write. What a killed agent left changed is restored first, or its
 * values would pass for the machine's own. Throws when that cannot be done, and when another run has changed sysctls.
 */
export function takeSnapshot(names: readonly string[]): Snapshot {
  refuseOtherRuns();
  const failed = staleSnapshots().flatMap((stale) => restoreSnapshot(stale).failed);
  if (failed.length > 0)
    throw new Error(`sysctls that a killed run left changed could not be restored: ${failed.join(', ')}`);
  const values: Record<string, string> = {};
  for (const name of names) {
    const result = readSysctl(name);
    if (!result.ok)
      throw new Error(`${name} cannot be read (${result.errno}), so it could not be restored; nothing was changed`);
    values[name] = result.value;
  }
  const directory = stateDirectory();
  makeFolder(directory, 0o700);
  const pid = ownPid();
  const path = join(directory, `${PREFIX}${pid}.json`);
  const snapshot = { ...identityOf(pid), netns: networkNamespace(), takenAt: new Date().toISOString(), values };
  replaceFile(path, sealed(JSON.stringify(snapshot)), { mode: 0o600, durable: true });
  return { ...snapshot, path };
}

/** Two runs would take each other's values for the machine's own. */
function refuseOtherRuns(): void {
  const other = snapshotsHere().find((snapshot) => isAlive(snapshot) && snapshot.pid !== ownPid());
  if (other)
    throw new Error(
      `another run on this host (process ${other.pid}) has changed sysctls; wait until it ends, or end it with SIGTERM`,
    );
}

/** The snapshot that this process took and has not restored yet. */
export function ownSnapshot(): Snapshot | undefined {
  return readSnapshot(join(stateDirectory(), `${PREFIX}${ownPid()}.json`));
}

/** Put a snapshot's values back and, when all are in force, delete it. */
export function restoreSnapshot(snapshot: Snapshot): Restoration {
  const restored: Record<string, string> = {};
  const failed: string[] = [];
  for (const [name, value] of Object.entries(snapshot.values)) {
    // An empty list (ip_local_reserved_ports) is written as a newline.
    const result = writeSysctl(name, value === '' ? '\n' : value);
    if (result.ok && result.value === value) restored[name] = value;
    else failed.push(`${name} = ${value} (${result.ok ? `the kernel now says ${result.value}` : result.errno})`);
  }
  if (failed.length === 0) rmSync(snapshot.path, { force: true });
  return { restored, failed };
}

/**
 * Snapshots of agents that are gone, of this boot and this network namespace, the newest first: restored in this order, the values
 * from before the first change win. Those of an earlier boot are deleted: a reboot has reset the sysctls.
 */
export function staleSnapshots(): Snapshot[] {
  // And of one that was killed before its snapshot had a name; then nothing was written yet.
  sweepUnfinished(stateDirectory());
  return snapshotsHere()
    .filter((snapshot) => !isAlive(snapshot))
    .sort((a, b) => b.takenAt.localeCompare(a.takenAt));
}

function snapshotsHere(): Snapshot[] {
  return snapshotFiles()
    .flatMap((path) => readSnapshot(path) ?? [])
    .filter((snapshot) => {
      if (snapshot.bootId !== bootId()) rmSync(snapshot.path, { force: true });
      return snapshot.bootId === bootId() && snapshot.netns === networkNamespace();
    });
}

/** Files that are named as snapshots and are none any more: their values are not believed, and they are left where they are. */
export function damagedSnapshots(): string[] {
  return snapshotFiles().filter((path) => existsSync(path) && readSnapshot(path) === undefined);
}

function snapshotFiles(): string[] {
  try {
    const names = readdirSync(stateDirectory());
    return names
      .filter((name) => name.startsWith(PREFIX) && name.endsWith('.json'))
      .map((name) => join(stateDirectory(), name));
  } catch {
    return [];
  }
}

/** Undefined when there is none, or it is not as it was written. */
function readSnapshot(path: string): Snapshot | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    if (sealOf(text) !== 'sealed') return undefined;
    return { ...snapshotSchema.parse(JSON.parse(text)), path };
  } catch {
    return undefined;
  }
}

function networkNamespace(): string {
  return readlinkSync(machineNamespace() ?? '/proc/self/ns/net');
}

/** As /proc has it, which may be that of another PID namespace than this process's own. */
function ownPid(): number {
  return Number(readlinkSync('/proc/self'));
}
