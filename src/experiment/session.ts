/**
 * A session: the work of one command in one result folder. It has the folder's lock and its journal and, for what is measured, the places
 * where that is done. Three designs are made in sessions: blocks of runs (`run`), a search for rates (`search`), and the catalogue of
 * fixes (`fixes`), each table of which is a session of blocks in a folder within.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { damagedSnapshots, staleSnapshots } from '../agent/place/host-guard.js';
import { UserError } from '../domain/error.js';
import { LABS } from '../domain/lab.js';
import { LabError } from '../lab/lab.js';
import { leftBoxes } from '../lab/vagrant/box.js';
import { makeFolder } from '../machine/folders.js';
import { readRegularFile } from '../machine/read-file.js';
import { naming, resumable } from '../machine/write-error.js';
import type { Experiment } from '../plan/plan.js';
import type { LoadedProfile } from '../profile/load.js';
import { SCHEMA_VERSION } from '../results/schema.js';
import { chooseDesign, whyUseless } from './design.js';
import { sameFit } from './fit.js';
import { createResultFolder, PROFILE_FILE } from './folder.js';
import { withLockedFolder } from './folder-lock.js';
import { finishedRuns, type Journal, type JournalContents, openJournal, readJournal } from './journal.js';
import type { BeginOf, JournalKind } from './journal-entry.js';
import { type Note, withLabs } from './labs.js';
import {
  environmentsOf,
  findPlaces,
  type KnownPlace,
  type KnownPlaces,
  type LabOf,
  type Places,
  type PlacesOf,
} from './places.js';
import { sideBySide } from './side-by-side.js';

export interface Session<K extends JournalKind> {
  /** The result folder, locked against every other process. */
  readonly dir: string;
  readonly journal: Journal;
  /** What the journal held when the session began; of a new one its begin alone. */
  readonly contents: JournalContents<K>;
}

/** Begin in a folder that is new. Rejects with FolderInUse. */
export function beginSession<K extends JournalKind, T>(
  dir: string,
  begin: BeginOf<K>,
  note: Note,
  work: (session: Session<K>) => Promise<T>,
): Promise<T> {
  return withLockedFolder(dir, note, () => {
    const { kind } = begin;
    return withJournal(dir, kind, async (journal) => {
      const path = join(dir, PROFILE_FILE);
      if ('profile' in begin) naming(path, () => writeFileSync(path, begin.profile));
      journal.append(begin);
      return work({
        dir,
        journal,
        contents: { begin, runs: [], observed: [], steps: new Map(), ended: null, damage: [] },
      });
    });
  });
}

/** Resume what was begun in a folder. Rejects with FolderInUse, and with UserError where it cannot be resumed. */
export function resumeSession<K extends JournalKind, T>(
  dir: string,
  kind: K,
  note: Note,
  work: (session: Session<K>) => Promise<T>,
): Promise<T> {
  return withLockedFolder(dir, note, () => {
    const contents = readJournal(dir, kind);
    const path = join(dir, PROFILE_FILE);
    if (
      'profile' in contents.begin &&
      existsSync(path) &&
      readRegularFile(path, 'put the profile back') !== contents.begin.profile
    )
      throw new UserError(
        `${path} was changed after this began, and results of two profiles do not belong together; restore it, or start again with: bindstorm ${kind} ${path}`,
      );
    for (const text of contents.damage) note(`warning: ${text}`);
    return withJournal(dir, kind, (journal) => work({ dir, journal, contents }));
  });
}

async function withJournal<T>(dir: string, kind: JournalKind, work: (journal: Journal) => Promise<T>): Promise<T> {
  const journal = openJournal(dir);
  try {
    // Of a table within `fixes` the folder around it says how to resume, since the outermost has the last word.
    return await resumable(`bindstorm ${kind} --resume ${dir}`, () => work(journal));
  } finally {
    journal.close();
  }
}

/** What measures, and so has an experiment and places for it. */
type Measuring = 'run' | 'search';

/** Whether the first run that is to be made is on a kernel: its lab may be made ready during the rehearsal. */
type IsFirst = (kernel: string | undefined, experiment: Experiment, finished: ReadonlySet<string>) => boolean;

export interface Start<K extends Measuring> {
  readonly loaded: LoadedProfile;
  /** The folder in which the result folder is made, and what that is called beside the time. */
  readonly out: string;
  readonly name: string;
  /** The result folder itself, which must not be there yet; absent: a new one in `out`. */
  readonly dir?: string | undefined;
  readonly command: string;
  readonly begin: (common: CommonBegin) => BeginOf<K>;
  readonly isFirst: IsFirst;
  /** All pairs are made, and judged once; else arms are stopped when they are decided. */
  readonly fixed?: boolean | undefined;
  /** Told why the runs cannot decide anything: whether they are to be made all the same. Absent: nothing is decided by runs. */
  readonly anyway?: (why: string) => Promise<boolean>;
}

/** What the journals of all that measures begin with. */
export type CommonBegin = Omit<BeginOf<'run'>, 'kind' | 'options'>;

/**
 * Try in the labs what the experiment needs, make a result folder, and work in it. Rejects with LabError, with ProfileError where the
 * experiment cannot run here, and as `work` does.
 */
export function start<K extends Measuring, T>(
  wanted: Start<K>,
  note: Note,
  work: (session: Session<K>, places: Places) => Promise<T>,
): Promise<T> {
  const { experiment } = wanted.loaded;
  const { isFirst } = wanted;
  return withLabs(note, async (makeLab) => {
    await checkLeftovers(experiment, note);
    const labOf: LabOf = (kernel, provided) => makeLab(provided, kernel, isFirst(kernel, experiment, new Set()));
    return startAt(wanted, await findPlaces(experiment, labOf, { say: note }), note, work);
  });
}

/** The same in places that have been tried. Rejects with ProfileError where the experiment cannot run there, and as `work` does. */
export async function startAt<K extends Measuring, P extends KnownPlace, T>(
  { loaded, out, name, dir: own, command, begin, fixed, anyway }: Omit<Start<K>, 'isFirst'>,
  found: PlacesOf<P>,
  note: Note,
  work: (session: Session<K>, places: PlacesOf<P>) => Promise<T>,
): Promise<T> {
  if (found.findings.length > 0) throw loaded.refuse(found.findings);
  const places = designed(found, loaded.unsaid, fixed ? 'fixed' : 'looks');
  const useless = anyway ? whyUseless(places.experiment, environmentsOf(places)) : null;
  if (useless !== null && !(await anyway?.(useless)))
    throw new UserError(`${loaded.file}: ${useless}; to make the runs anyway, add --force`);
  const dir = own ?? createResultFolder(out, name, new Date());
  if (own !== undefined) makeFolder(own);
  return beginSession(dir, begin(commonBegin(places, loaded.text, command)), note, (session) => work(session, places));
}

/** The places with what was left to the tool chosen for them. */
export function designed<P extends KnownPlace>(
  places: PlacesOf<P>,
  unsaid: LoadedProfile['unsaid'],
  how: 'looks' | 'fixed',
): PlacesOf<P> {
  const experiment = chooseDesign(places.experiment, unsaid, environmentsOf(places), how);
  return { ...places, experiment: sideBySide(experiment, environmentsOf(places)) };
}

/** What a journal says of an experiment and of the places where it is run. @param profile its text */
export function commonBegin({ experiment, all }: KnownPlaces, profile: string, command: string): CommonBegin {
  return {
    type: 'begin',
    schemaVersion: SCHEMA_VERSION,
    startedAt: new Date().toISOString(),
    command,
    profile,
    experiment,
    environment: all[0].environment,
    ...(experiment.kernels ? { kernels: all.map(({ environment }) => environment) } : {}),
  };
}

/**
 * Open the places of a session that is resumed, and work there. Rejects with UserError where they are not those in which it was begun:
 * results of two machines, or of two kernels, are not one experiment.
 */
export function reopen<K extends Measuring, T>(
  { dir, journal, contents }: Session<K>,
  isFirst: IsFirst,
  note: Note,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const { experiment, environment, kernels }: CommonBegin = contents.begin;
  const finished = finishedRuns(contents);
  return withLabs(note, async (makeLab) => {
    await checkLeftovers(experiment, note);
    const labOf: LabOf = (kernel, provided) => makeLab(provided, kernel, isFirst(kernel, experiment, finished));
    const places = await findPlaces(experiment, labOf, { say: note });
    const changed = differences({ environment, kernels }, places, ['kernel', 'node', 'cpu', 'lab']);
    if (changed.length > 0)
      throw new UserError(
        `${dir} was begun on another machine or kernel (${changed.join('; ')}), and results of two are not one experiment; start a new one`,
      );
    if (places.findings.length > 0)
      throw new UserError(places.findings.map(({ message }) => `${join(dir, PROFILE_FILE)}: ${message}`).join('\n'));
    if (!sameSubjects(experiment, places.experiment))
      throw new UserError(
        `a kernel or a proxy of ${dir} is not the one that it was begun with, and results of two are not one experiment; start a new one`,
      );
    journal.append({ type: 'resume', at: new Date().toISOString() });
    return work(places);
  });
}

/** What is not as it was where an experiment was begun, as `kernel was 6.1 and is 6.18`. @param keys what has to be the same */
export function differences(
  { environment, kernels }: Pick<CommonBegin, 'environment' | 'kernels'>,
  { all }: KnownPlaces,
  keys: readonly ('kernel' | 'node' | 'cpu' | 'lab')[],
): string[] {
  return all.flatMap(({ name, environment: is }, i) => {
    const was = kernels?.[i] ?? environment;
    const of = name === undefined ? '' : ` of ${name}`;
    return keys.filter((key) => was[key] !== is[key]).map((key) => `${key}${of} was ${was[key]} and is ${is[key]}`);
  });
}

/** Whether kernels lack the same, and proxies get their ports in the same way, which depends on their version. */
export function sameSubjects(a: Experiment, b: Experiment): boolean {
  return sameFit(a, b) && a.arms.every(({ load }, i) => load.strategy === b.arms[i]!.load.strategy);
}

/** What a killed run has left: it is in the way of a host run, and worth a warning otherwise. A box of its own a lab puts away itself. */
async function checkLeftovers({ lab, box: own }: Experiment, note: Note): Promise<void> {
  const stale = staleSnapshots();
  for (const { values, takenAt } of stale)
    note(
      `warning: a host run of ${takenAt} was killed before it could restore ${Object.keys(values).join(', ')}; \`bindstorm restore\` puts the old values back`,
    );
  for (const path of damagedSnapshots())
    note(`warning: ${path}, where a host run saved the earlier sysctls, is damaged; see \`bindstorm restore\``);
  if (LABS[lab].guarded && stale.length > 0)
    throw new LabError('an earlier host run was killed before it could restore its sysctls', {
      remedy: 'run `bindstorm restore` first',
    });
  for (const { box, since } of await leftBoxes())
    if (box !== own?.name)
      note(
        `warning: a run of ${since} was killed and has left the Vagrant box ${box} up; \`bindstorm restore\` puts it away`,
      );
}
