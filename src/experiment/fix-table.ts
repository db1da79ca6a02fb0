/**
 * One table of the catalogue: the fixes put to one strategy, or one real proxy, on one kernel. An experiment as any other, with one run an
 * arm, in a folder of its own with a journal, so that it is resumed after a crash.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { effectOf, expectedWaves, type FixCell, type FixTable, type Waves } from '../analysis/fixes.js';
import { atLeast, parseKernelVersion } from '../capacity/kernel-version.js';
import { sysctlLife } from '../capacity/sysctl-presence.js';
import { engineOf } from '../lab/vm/kernel.js';
import type { Arrival } from '../plan/plan.js';
import type { Fix } from '../profile/fix.js';
import { type LoadedProfile, loadProfile } from '../profile/load.js';
import type { Run, Variant } from '../results/schema.js';
import { runBlocks } from './blocks.js';
import { conclude } from './conclude.js';
import { inWords as lackingInWords } from './fit.js';
import { catalogueFor, type FixRow, fixFor, fixProfile, PAUSE_SECONDS, perWave, rowFile } from './fix-rows.js';
import { keepRow } from './fix-subject.js';
import { punctual } from './fix-timing.js';
import { finishedRuns, JOURNAL_FILE, type JournalContents, readJournal } from './journal.js';
import { type MakeLab, type Note, withLabs } from './labs.js';
import { planRuns } from './order.js';
import { findPlaces, type Places } from './places.js';
import { beginSession, commonBegin, reopen, resumeSession, type Session } from './session.js';

/** A cell is two counts, which the load itself has: nobody sees its timeline, and samples are a fifth of what a cell costs in a guest. */
const SAMPLE_MS = 1000;

/** How often the runs of a table that were no counts are made again. */
const MOST_AGAIN = 2;

export interface FixTableInput {
  readonly fixes: readonly Fix[];
  readonly of: FixRow;
  readonly kernel: string;
  /** Its folder; made where it does not exist. One with a journal is resumed. */
  readonly dir: string;
  readonly command: string;
  readonly signal: AbortSignal;
  readonly note: Note;
  /** A run begins: the name of its fix, runs that are done, and all. */
  readonly onRun: (fix: string, done: number, total: number) => void;
}

export interface FixTableEnd {
  readonly table: FixTable;
  /** One a line, in the order of the cells: what `run` of a cell points at. */
  readonly runs: readonly string[];
  /** Whether every run was made. */
  readonly complete: boolean;
}

/** Make a table, or what is missing of it. Rejects with FolderInUse where another process resumes its experiment by itself. */
export async function makeFixTable(input: FixTableInput): Promise<FixTableEnd> {
  const { dir, note } = input;
  mkdirSync(dir, { recursive: true });
  if (!existsSync(join(dir, JOURNAL_FILE)))
    return withLabs(note, async (makeLab) => {
      const { places, loaded, refused } = await placesFor(input, makeLab);
      keepRow(dir, input.of);
      const begin = commonBegin(places, loaded.text, input.command);
      // Where there are no locks, that was said of the folder around it.
      return beginSession(
        dir,
        { ...begin, kind: 'run', options: { refused } },
        () => {},
        (session) => makeRuns(input, session, places),
      );
    });
  return resumeSession(
    dir,
    'run',
    // Of what is damaged; where there are no locks, that was said of the folder around it.
    (text) => text.startsWith('warning: ') && note(text),
    (session) =>
      unfinished(session.contents).length === 0
        ? Promise.resolve(tableOf(input, session.contents))
        : reopen(
            session,
            () => false,
            note,
            (places) => makeRuns(input, session, places),
          ),
  );
}

/** A table whose runs were made, here or elsewhere. @throws JournalError */
export function finishedTable(input: Pick<FixTableInput, 'fixes' | 'of' | 'kernel' | 'dir'>): FixTableEnd {
  return tableOf(input, readJournal(input.dir, 'run'));
}

function unfinished(contents: JournalContents<'run'>) {
  const finished = finishedRuns(contents);
  return planRuns(contents.begin.experiment).filter(({ id }) => !finished.has(id));
}

async function makeRuns(input: FixTableInput, session: Session<'run'>, { all: [place] }: Places): Promise<FixTableEnd> {
  for (let again = 0; ; again++) {
    let late = false;
    const onLate = () => {
      late = true;
    };
    // One that was late each time is shown as it is.
    const lab = again < MOST_AGAIN ? punctual(place.lab, place.environment, onLate) : place.lab;
    const contents = again === 0 ? session.contents : readJournal(session.dir, 'run');
    await runBlocks(
      { ...session, contents },
      {
        placeOf: () => ({ ...place, lab, sampleMs: SAMPLE_MS }),
        observing: false,
        signal: input.signal,
        onEvent: (event) => {
          if (event.type === 'run-start') input.onRun(event.planned.variant, event.done, event.total);
        },
      },
    );
    if (!late || input.signal.aborted) break;
    session.journal.append({ type: 'resume', at: new Date().toISOString() });
  }
  return tableOf(input, readJournal(session.dir, 'run'));
}

interface Possible {
  readonly places: Places;
  readonly loaded: LoadedProfile;
  /** Name of a fix → why it cannot be tried here. */
  readonly refused: Readonly<Record<string, string>>;
}

/** Leaves out, one round after the other, what the lab refuses. */
async function placesFor({ fixes, of, kernel, note }: FixTableInput, makeLab: MakeLab): Promise<Possible> {
  const refused: Record<string, string> = {};
  for (;;) {
    const tried = fixes.filter((fix) => fixFor(fix, of).kind === 'change' && !(fix.name in refused));
    const loaded = loadProfile(fixProfile(tried, of, kernel), `fixes-${rowFile(of)}-${kernel}.yaml`, { engineOf });
    const places = await findPlaces(loaded.experiment, (name, provided) => makeLab(provided, name), { say: note });
    if (places.findings.length === 0) return { places, loaded, refused };
    const found = ofVariants(places, tried);
    if (Object.keys(found).length === 0) throw loaded.refuse(places.findings);
    Object.assign(refused, found);
  }
}

/** Why a lab refuses a fix: since or until when kernels have it, or, where that is not the reason, what the rehearsal says. */
function ofVariants({ findings, all }: Places, fixes: readonly Fix[]): Record<string, string> {
  return Object.fromEntries(
    findings.flatMap(({ arm, message }) => {
      const fix = fixes.find(({ name }) => name === arm);
      if (fix === undefined) return [];
      const lives = Object.keys(fix.change.sysctls ?? {}).flatMap((name) => {
        const life = sysctlLife(name, all[0].kernel);
        return life === undefined ? [] : [`${name}: ${life}`];
      });
      return [[fix.name, lives.length > 0 ? lives.join('; ') : message] as const];
    }),
  );
}

function tableOf(
  { fixes, of, kernel }: Pick<FixTableInput, 'fixes' | 'of' | 'kernel'>,
  contents: JournalContents<'run'>,
): FixTableEnd {
  const results = conclude(contents);
  const { environment } = results;
  const refused = contents.begin.options?.refused ?? {};
  const wholeSeconds = !atLeast(parseKernelVersion(environment.kernel), '6.14');
  const runs: string[] = [];
  const file = runsFile(kernel, of);
  const baselineVariant = results.variants.find(({ baseline }) => baseline)!;
  const before = wavesOf(baselineVariant.runs.at(-1));
  const measured = (variant: Variant): FixCell => {
    const run = variant.runs.at(-1);
    if (variant.absent) return { kind: 'absent', why: lackingInWords(variant) };
    const waves = wavesOf(run);
    if (run === undefined || waves === null || before === null)
      return { kind: 'failed', why: run?.problems[0] ?? 'not run' };
    runs.push(JSON.stringify(evidence(variant, run)));
    return {
      kind: 'measured',
      ...effectOf(waves, before),
      waves,
      attempts: run.attempts,
      predicted: expected(of, variant, run.attempts, wholeSeconds),
      prediction: variant.prediction,
      run: `${file}#L${runs.length}`,
    };
  };
  const baseline = measured(baselineVariant);
  const cell = (fix: Fix): FixCell => {
    const what = fixFor(fix, of);
    if (what.kind !== 'change') return what;
    const why = refused[fix.name];
    if (why !== undefined) return { kind: 'absent', why };
    const variant = results.variants.find(({ name }) => name === fix.name);
    return variant ? measured(variant) : { kind: 'failed', why: 'not run' };
  };
  return {
    table: {
      kernel: { name: kernel, release: environment.kernel, lab: environment.lab },
      ...of,
      baseline,
      cells: Object.fromEntries(fixes.map((fix) => [fix.name, cell(fix)])),
    },
    runs,
    complete: results.experiment.runsDone === planRuns(contents.begin.experiment).length,
  };
}

/** Where the runs of a table are, from the result folder. */
export function runsFile(kernel: string, of: FixRow): string {
  return `runs/${kernel.replaceAll('/', '_')}.${rowFile(of)}.ndjson`;
}

function expected(of: FixRow, { load, prediction }: Variant, attempts: number, wholeSeconds: boolean): Waves | null {
  if (prediction.limited === 'not modelled') return null;
  const isFill = load.arrival.shape === 'fill';
  if (catalogueFor(of) === 'router')
    return load.keepAlive
      ? expectedOfPool(prediction, load.arrival, perWave(of))
      : expectedOfNat(prediction, load.close, isFill ? perWave(of) : attempts, isFill);
  if (isFill) return expectedWaves(prediction, perWave(of), PAUSE_SECONDS, wholeSeconds);
  return prediction.sustained === null && prediction.concurrent !== 0 ? [attempts, 0] : null;
}

/**
 * Requests on connections that are used again: there are never more of these than requests under way, so that nothing is late for want of a port as
 * long as those of both waves have one each. At a pace it is up to the machine how many are under way.
 */
function expectedOfPool({ concurrent }: Variant['prediction'], arrival: Arrival, attempts: number): Waves | null {
  if (arrival.shape !== 'fill' || concurrent === null || 2 * arrival.inFlight > concurrent) return null;
  return [attempts, attempts];
}

/** Connections that are open until the wave ends, and then keep their ports for as long as conntrack does. */
function expectedOfNat(
  { concurrent, again, sustained }: Variant['prediction'],
  close: Variant['load']['close'],
  attempts: number,
  inWaves: boolean,
): Waves | null {
  if (concurrent === null || again === null || again === undefined) return null;
  const first = Math.min(attempts, concurrent);
  if (inWaves) return [first, again <= PAUSE_SECONDS ? first : Math.min(attempts, concurrent - first)];
  // At a pace: each is closed before the next comes, so that its port serves again at once, or not before the load has ended. Where the server
  // has closed, its own TIME_WAIT answers some of those that come again, and they are late.
  if (sustained === null && close === 'server') return null;
  return sustained === null ? [attempts, 0] : [first, 0];
}

/** A fix that needs a pace has its attempts in one go. */
function wavesOf(run: Run | undefined): Waves | null {
  if (run?.status !== 'ok') return null;
  if (run.waves.length !== 2) return [run.outcomes.ok ?? 0, 0];
  return [run.waves[0]!.outcomes.ok ?? 0, run.waves[1]!.outcomes.ok ?? 0];
}

/** A run without what only charts need. */
function evidence({ name, changes, prediction, load }: Variant, run: Run) {
  const { proxy } = run;
  const { id, startedAt, attempts, outcomes, waves, capacity, counters, sysctls, origin, warnings, problems } = run;
  return {
    ...{ fix: name, changes, strategy: load.strategy, id, startedAt, attempts, outcomes, waves, capacity },
    ...{ counters, sysctls, origin, warnings, problems, predicted: prediction.formula },
    ...(proxy
      ? { proxy: { kind: proxy.kind, version: proxy.version, failures: proxy.failures, answers: proxy.answers } }
      : {}),
  };
}
