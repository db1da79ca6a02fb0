/**
 * The tables of the catalogue of fixes, made by a fleet: a table is a unit.
 */
import { join } from 'node:path';
import type { TableName, TablesElsewhere } from '../../experiment/catalogue.js';
import { HOST } from '../../experiment/fix-rows.js';
import { JOURNAL_FILE } from '../../experiment/journal.js';
import { makeFolder } from '../../machine/folders.js';
import { deferred } from '../../machine/promises.js';
import { replaceFile } from '../../machine/replace-file.js';
import { FIX_PROXIES } from '../../profile/fix.js';
import { GUESTS, kernelAbility, NAMESPACES } from '../agent/abilities.js';
import type { Files } from '../pieces.js';
import type { Queue } from '../protocol.js';
import { wordOf } from '../subjects.js';
import type { Dispatch, QueuedUnit, UnitEnd } from './dispatch.js';

/** What a machine must be able to do for a table. @param kernel the release that tables of `host` are to be of */
export function tableNeeds({ kernel, row }: TableName, release: string): string[] {
  if (kernel !== HOST) return [GUESTS];
  const program = FIX_PROXIES.find((kind) => kind === row);
  return [NAMESPACES, kernelAbility(release), ...(program ? [program] : [])];
}

/** The queues of some tables: one for all that need the same. */
export function tableQueues(names: readonly TableName[], release: string): Queue[] {
  const all = names.map((name) => tableNeeds(name, release));
  return [...new Map(all.map((needs) => [queueOf(needs), { name: queueOf(needs), needs }])).values()];
}

function queueOf(needs: readonly string[]): string {
  return wordOf(needs.filter((need) => !need.startsWith('kernel:')).join('-'));
}

/**
 * Have tables made, all at once that are asked for at once.
 * @param cannot why no machine can make one; null: some can
 */
export function tablesElsewhere(
  dispatch: Dispatch,
  experiment: string,
  release: string,
  cannot: (name: TableName) => string | null,
): TablesElsewhere {
  const asked = new Map<
    string,
    { readonly name: TableName; readonly end: ReturnType<typeof deferred<UnitEnd | null>> }
  >();
  let all: Promise<void> | null = null;
  const begin = async (signal: AbortSignal) => {
    // Whoever asks for several has asked for the last of them by then.
    await new Promise(setImmediate);
    const units = [...asked].map(([id, { name }]): QueuedUnit => {
      const work = { kind: 'table', ...name } as const;
      return { unit: { experiment, id, work }, queue: queueOf(tableNeeds(name, release)) };
    });
    const why = await dispatch.make(units, ({ id }, end) => asked.get(id)!.end.resolve(end), signal);
    for (const { end } of asked.values()) end.resolve(why === null ? null : { how: 'gave-up', why });
  };
  return {
    async make(name, dir, signal) {
      const why = cannot(name);
      if (why !== null) return { how: 'absent', why };
      const mine = { name, end: deferred<UnitEnd | null>() };
      asked.set(unitName(name), mine);
      all ??= begin(signal);
      await Promise.race([mine.end.promise, all]);
      const end = await mine.end.promise;
      if (end === null) return { how: 'missing', why: 'it was interrupted' };
      if (end.how === 'gave-up') return { how: 'missing', why: end.why };
      write(dir, end.files);
      return { how: 'made' };
    },
  };
}

function unitName({ kernel, row }: TableName): string {
  return wordOf(`${kernel}-${row}`);
}

/** The journal comes last: a folder with one is complete. */
function write(dir: string, files: Files): void {
  const paths = Object.keys(files).sort((a, b) => Number(a === JOURNAL_FILE) - Number(b === JOURNAL_FILE));
  for (const path of paths) {
    makeFolder(join(dir, path, '..'));
    replaceFile(join(dir, path), files[path]!, { durable: path === JOURNAL_FILE });
  }
}
