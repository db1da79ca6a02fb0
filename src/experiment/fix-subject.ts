/**
 * A real proxy, or a router, as a row of the table of fixes: which version is here, and the row of one that is not.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../domain/error.js';
import { readRegularFile } from '../machine/read-file.js';
import type { Fix } from '../profile/fix.js';
import type { FixTable } from '../results/fixes.js';
import { examineProgram } from '../subjects/examine.js';
import { type ProxyKind, programOf, proxySubjectOf, type RouterKind } from '../subjects/index.js';
import { type FixRow, HOST } from './fix-rows.js';

/** Which program a table is of, beside its journal. */
const ROW_FILE = 'row.json';

export type FoundRow =
  | { readonly kind: 'there'; readonly of: FixRow }
  /** Its program is not on this machine. */
  | { readonly kind: 'absent'; readonly of: FixRow; readonly why: string };

/**
 * The row of a program: its version, and by it its strategy.
 * @param dir of its table, which may have been begun
 * @throws UserError when it was begun with another version
 */
export async function subjectRow(kind: ProxyKind, dir: string, examine = examineProgram): Promise<FoundRow> {
  const { defaults, strategy } = proxySubjectOf(kind);
  const before = rowIn(dir);
  const found = await examine(programOf(defaults));
  if (!found.ok) {
    // What was measured while it was here still stands.
    if (before !== undefined) return { kind: 'there', of: before };
    const of = { strategy: strategy(defaults, null), subject: { kind, version: null } };
    return { kind: 'absent', of, why: `${kind} is not installed (${found.reason}): ${found.remedy}` };
  }
  const { version } = found;
  if (before !== undefined && before.subject?.version !== version)
    throw new UserError(
      `${dir} was begun with ${kind} ${before.subject?.version}, and here is ${version}; counts of two versions do not belong in one table: begin a new one, or remove that folder to measure its row again`,
    );
  return { kind: 'there', of: { strategy: strategy(defaults, version), subject: { kind, version } } };
}

/** The row of a router, which is the kernel's own: nothing of it can be missing before its lab is tried. */
export function routerRow(kind: RouterKind): FoundRow {
  return { kind: 'there', of: { strategy: 'connect', subject: { kind, version: null } } };
}

/** Which program a table is of, by its folder. */
export function rowIn(dir: string): FixRow | undefined {
  const path = join(dir, ROW_FILE);
  return existsSync(path)
    ? (JSON.parse(readRegularFile(path, 'remove its folder to measure its row again')) as FixRow)
    : undefined;
}

/** Keep which program a table is of, so that it is not resumed with another version. */
export function keepRow(dir: string, of: FixRow): void {
  if (of.subject !== undefined) writeFileSync(join(dir, ROW_FILE), JSON.stringify(of));
}

/** The table of a program that is not here. */
export function absentTable(fixes: readonly Fix[], of: FixRow, kernel: string, why: string): FixTable {
  const cell = { kind: 'absent', why } as const;
  const isHost = kernel === HOST;
  return {
    kernel: {
      name: kernel,
      release: isHost ? release() : kernel,
      lab: isHost ? 'network namespace' : 'virtual machine',
    },
    ...of,
    baseline: cell,
    cells: Object.fromEntries(fixes.map(({ name }) => [name, cell])),
  };
}
