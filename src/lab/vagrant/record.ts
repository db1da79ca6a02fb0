/**
 * Which boxes this package has made, and who uses them: one file a box in the state directory. It is there before the box is, and
 * goes when the box has gone, so that a box which outlives a killed controller can be named.
 */
import { createHash } from 'node:crypto';
import { linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { unlessThrown } from '../../domain/error.js';
import { makeFolder } from '../../machine/folders.js';
import { identityOf, isAlive } from '../../machine/process-identity.js';
import { readJson } from '../../machine/read-file.js';
import { replaceFile } from '../../machine/replace-file.js';
import { stateDirectory } from '../../machine/xdg.js';
import { AFTER } from '../../plan/box.js';
import { LabError } from '../lab.js';
import type { VagrantFolder } from './command.js';

const recordSchema = z.object({
  box: z.string(),
  folder: z.string(),
  dotfile: z.string().nullable(),
  /** Whether this package made it; it never destroys what somebody else made. */
  made: z.boolean(),
  /** What its last user wanted to become of it. */
  after: z.enum(AFTER),
  /** Whether there is a snapshot to go back to. */
  snapshot: z.boolean(),
  /** The controller that uses it; null: it was kept. A pid alone may be another process by now. */
  user: z.object({ pid: z.number(), processStart: z.string(), bootId: z.string() }).nullable(),
  since: z.string(),
});
export type BoxRecord = z.infer<typeof recordSchema>;

function folder(): string {
  return join(stateDirectory(), 'boxes');
}

/** Machines of different Vagrantfiles may have the same name. */
function pathOf({ box, folder: vagrantfile }: Pick<BoxRecord, 'box' | 'folder'>): string {
  return join(folder(), `${box}-${createHash('sha256').update(vagrantfile).digest('hex').slice(0, 8)}.json`);
}

/** The record of a box; undefined when nobody uses it here, and this package has not made it. */
export function recordOf(box: string, place: VagrantFolder): BoxRecord | undefined {
  return readJson(pathOf({ box, folder: place.folder }), recordSchema);
}

/** All records. */
export function boxRecords(): BoxRecord[] {
  const names = unlessThrown(() => readdirSync(folder()), []);
  return names
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readJson(join(folder(), name), recordSchema) ?? []);
}

/** Boxes whose controller is gone without having done with them what it was to do. */
export function leftRecords(): BoxRecord[] {
  return boxRecords().filter(({ user, after }) => user !== null && !isAlive(user) && after !== 'keep');
}

/**
 * Take a box for this process. The record is on the disk when this returns.
 * @param there whether the box is there already
 * @throws LabError when another process has it
 */
export function claim(box: string, place: VagrantFolder, after: BoxRecord['after'], there: boolean): BoxRecord {
  const earlier = recordOf(box, place);
  if (earlier?.user && isAlive(earlier.user)) throw inUse(box, earlier.user.pid);
  const record: BoxRecord = {
    box,
    ...place,
    made: !there || (earlier?.made ?? false),
    after,
    snapshot: there && (earlier?.snapshot ?? false),
    user: identityOf(process.pid),
    since: new Date().toISOString(),
  };
  makeFolder(folder(), 0o700);
  if (earlier) {
    writeRecord(record);
    return record;
  }
  // Of two processes that make a new one at once, one is the first.
  const [path, own] = [pathOf(record), `${pathOf(record)}.${process.pid}`];
  writeFileSync(own, JSON.stringify(record), { mode: 0o600 });
  try {
    linkSync(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw inUse(box, recordOf(box, place)?.user?.pid);
  } finally {
    rmSync(own, { force: true });
  }
  return record;
}

function inUse(box: string, pid: number | undefined): LabError {
  return new LabError(`another run${pid === undefined ? '' : ` (process ${pid})`} has the Vagrant box ${box}`, {
    remedy: 'wait until it has ended, or take another box',
  });
}

/** Never half of it. */
export function writeRecord(record: BoxRecord): void {
  replaceFile(pathOf(record), JSON.stringify(record), { mode: 0o600 });
}

/** The box is gone. */
export function dropRecord(record: BoxRecord): void {
  rmSync(pathOf(record), { force: true });
}
