/**
 * The catalogue of fixes put to one strategy, or real proxy, on one kernel: an experiment as any other, one run an arm, in a folder of
 * its own with a journal, so that it goes on after a crash.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { effectOf, expectedWaves, type FixCell, type FixTable, type Waves } from '../analysis/fixes.js';
import { atLeast, parseKernelVersion } from '../capacity/kernel-version.js';
import { sysctlLife } from '../capacity/sysctl-presence.js';
import { openingNext } from '../lab/ahead.js';
import type { Lab } from '../lab/lab.js';
import type { Experiment } from '../plan/plan.js';
import type { Fix } from '../profile/fix.js';
import { loadProfile } from '../profile/load.js';
import { type Results, type Run, SCHEMA_VERSION, type Variant } from '../results/schema.js';
import { conclude } from './conclude.js';
import { conduct } from './controller.js';
import { inWords as lackingInWords } from './fit.js';
import { type FixRow, fixFor, fixProfile, HOST, isModelled, PAUSE_SECONDS, PER_WAVE, rowFile } from './fix-rows.js';
import { keepRow } from './fix-subject.js';
import { PROFILE_FILE } from './folder.js';
import { JOURNAL_FILE } from './folder-kind.js';
import { withLockedFolder } from './folder-lock.js';
import { openJournal, readJournal } from './journal.js';
import { planRuns } from './order.js';
import { findPlaces, type Places } from './places.js';

export interface FixRun {
  readonly fixes: readonly Fix[];
  readonly of: FixRow;
  readonly kernel: string;
  /** Its folder; made where it does not exist. One with a journal is gone on with. */
  readonly dir: string;
  readonly engineOf: (path: string) => 'uml' | 'qemu' | undefined;
  readonly labOf: (experiment: Experiment, kernel: string | undefined) => Lab;
  readonly command: string;
  readonly signal: AbortSignal;
  readonly onRun: (name: string, done: number, total: number) => void;
}

export interface FixRunEnd {
  readonly table: FixTable;
  /** One a line, in the order of the cells: what `run` of a cell points at. */
  readonly runs: readonly string[];
  /** Whether every run was made. */
  readonly complete: boolean;
}

/** Rejects with FolderInUse where somebody goes on with this table's experiment by itself. */
export function runFixes(input: FixRun): Promise<FixRunEnd> {
  mkdirSync(input.dir, { recursive: true });
  // Where there are no locks, that was said of the folder around it.
  return withLockedFolder(
    input.dir,
    () => {},
    () => runAlone(input),
  );
}

async function runAlone(input: FixRun): Promise<FixRunEnd> {
  const before = finishedBefore(input);
  if (before !== undefined) return before;
  const wanted = input.fixes.filter((fix) => fixFor(fix, input.of).kind === 'change');
  const { places, absent } = await placesFor(wanted, input);
  const contents = begun(
    input,
    places,
    wanted.filter(({ name }) => !absent.has(name)),
  );
  writeFileSync(join(input.dir, ABSENT_FILE), JSON.stringify([...absent]));
  const { experiment } = contents.begin;
  const planned = planRuns(experiment);
  const journal = openJournal(input.dir);
  const finished = new Set(contents.runs.filter(({ status }) => status === 'ok').map(({ id }) => id));
  const [place] = places.all;
  // A guest boots longer than it is measured, and counts do not mind the company.
  const next =
    input.kernel === HOST ? undefined : openingNext(place.lab, planned.filter(({ id }) => !finished.has(id)).length);
  try {
    await conduct({
      experiment,
      placeOf: () => ({ ...place, lab: next ?? place.lab }),
      dir: input.dir,
      journal,
      planned,
      finished,
      observing: false,
      signal: input.signal,
      onEvent: (event) => {
        if (event.type === 'run-start') input.onRun(event.planned.variant, event.done, event.total);
      },
    });
  } finally {
    await next?.release();
  }
  journal.append({ type: 'end', at: new Date().toISOString(), status: input.signal.aborted ? 'partial' : 'complete' });
  journal.close();
  return tableOf(input, conclude(readJournal(input.dir)), absent, planned.length);
}

/** What the lab refuses, beside the journal, so that a table that is whole needs no lab again. */
const ABSENT_FILE = 'absent.json';

/** The table as it stands, where nothing is left to run. */
function finishedBefore(input: FixRun): FixRunEnd | undefined {
  if (!existsSync(join(input.dir, JOURNAL_FILE)) || !existsSync(join(input.dir, ABSENT_FILE))) return undefined;
  const contents = readJournal(input.dir);
  const planned = planRuns(contents.begin.experiment);
  const done = new Set(contents.runs.filter(({ status }) => status === 'ok').map(({ id }) => id));
  if (!planned.every(({ id }) => done.has(id))) return undefined;
  const absent = new Map(JSON.parse(readFileSync(join(input.dir, ABSENT_FILE), 'utf8')) as [string, string][]);
  return tableOf(input, conclude(contents), absent, planned.length);
}

interface Possible {
  readonly places: Places;
  /** Name of a fix → why it cannot be tried here. */
  readonly absent: ReadonlyMap<string, string>;
}

/** Leaves out, one round after the other, what the lab refuses. */
async function placesFor(wanted: readonly Fix[], { of, kernel, labOf, engineOf }: FixRun): Promise<Possible> {
  const absent = new Map<string, string>();
  for (;;) {
    const fixes = wanted.filter(({ name }) => !absent.has(name));
    const loaded = loadProfile(fixProfile(fixes, of, kernel), `fixes-${rowFile(of)}-${kernel}.yaml`, { engineOf });
    const places = await findPlaces(loaded.experiment, (name) => labOf(loaded.experiment, name));
    if (places.findings.length === 0) return { places, absent };
    const refused = ofVariants(places, fixes);
    if (refused.size === 0) throw loaded.refuse(places.findings);
    for (const [name, why] of refused) absent.set(name, why);
  }
}

/** Why a lab refuses a fix: since or until when kernels have it, or, where that is not the reason, what the rehearsal says. */
function ofVariants({ findings, all }: Places, fixes: readonly Fix[]): Map<string, string> {
  return new Map(
    findings.flatMap(({ path, message }) => {
      const fix = path[0] === 'variants' ? fixes[Number(path[1])] : undefined;
      if (fix === undefined) return [];
      const lives = Object.keys(fix.change.sysctls ?? {}).flatMap((name) => {
        const life = sysctlLife(name, all[0].kernel);
        return life === undefined ? [] : [`${name}: ${life}`];
      });
      return [[fix.name, lives.length > 0 ? lives.join('; ') : message] as const];
    }),
  );
}

function begun({ dir, command, of, kernel }: FixRun, places: Places, fixes: readonly Fix[]) {
  if (existsSync(join(dir, JOURNAL_FILE))) return readJournal(dir);
  const text = fixProfile(fixes, of, kernel);
  keepRow(dir, of);
  writeFileSync(join(dir, PROFILE_FILE), text);
  const journal = openJournal(dir);
  journal.append({
    type: 'begin',
    schemaVersion: SCHEMA_VERSION,
    startedAt: new Date().toISOString(),
    command,
    profile: text,
    experiment: places.experiment,
    environment: places.all[0].environment,
    ...(places.experiment.kernels ? { kernels: places.all.map(({ environment }) => environment) } : {}),
  });
  journal.close();
  return readJournal(dir);
}

function tableOf(
  { fixes, of, kernel }: FixRun,
  results: Results,
  refused: ReadonlyMap<string, string>,
  planned: number,
): FixRunEnd {
  const { environment } = results;
  const wholeSeconds = !atLeast(parseKernelVersion(environment.kernel), '6.14');
  const runs: string[] = [];
  const file = runsFile(kernel, of);
  const baselineVariant = results.variants.find(({ baseline }) => baseline)!;
  const before = wavesOf(baselineVariant.runs.at(-1));
  const measured = (variant: Variant, isKnown: boolean): FixCell => {
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
      predicted: isKnown ? expected(variant, run.attempts, wholeSeconds) : null,
      prediction: variant.prediction,
      run: `${file}#L${runs.length}`,
    };
  };
  const baseline = measured(baselineVariant, true);
  const cell = (fix: Fix): FixCell => {
    const what = fixFor(fix, of);
    if (what.kind !== 'change') return what;
    const why = refused.get(fix.name);
    if (why !== undefined) return { kind: 'absent', why };
    const variant = results.variants.find(({ name }) => name === fix.name);
    return variant ? measured(variant, isModelled(what.change)) : { kind: 'failed', why: 'not run' };
  };
  return {
    table: {
      kernel: { name: kernel, release: environment.kernel, lab: environment.lab },
      ...of,
      baseline,
      cells: Object.fromEntries(fixes.map((fix) => [fix.name, cell(fix)])),
    },
    runs,
    complete: results.experiment.runsDone === planned,
  };
}

/** Where the runs of a table are, from the result folder. */
export function runsFile(kernel: string, of: FixRow): string {
  return `runs/${kernel.replaceAll('/', '_')}.${rowFile(of)}.ndjson`;
}

function expected({ load, prediction }: Variant, attempts: number, wholeSeconds: boolean): Waves | null {
  if (load.keepAlive) return null;
  if (load.arrival.shape === 'fill') return expectedWaves(prediction, PER_WAVE, PAUSE_SECONDS, wholeSeconds);
  return prediction.sustained === null && prediction.concurrent !== 0 ? [attempts, 0] : null;
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
