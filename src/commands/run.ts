/**
 * `bindstorm run`: the whole loop.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { staleSnapshots } from '../agent/place/host-guard.js';
import { predictArm } from '../capacity/predict.js';
import type { Engine } from '../domain/guest.js';
import { conclude } from '../experiment/conclude.js';
import { type ConductEnd, conduct } from '../experiment/controller.js';
import { sameFit } from '../experiment/fit.js';
import { createResultFolder, PROFILE_FILE, writeResults } from '../experiment/folder.js';
import { withLockedFolder } from '../experiment/folder-lock.js';
import {
  type Journal,
  type JournalBegin,
  type JournalContents,
  openJournal,
  readJournal,
} from '../experiment/journal.js';
import { planObservations, planRuns } from '../experiment/order.js';
import { findPlaces, type Place, type Places } from '../experiment/places.js';
import { shortages } from '../experiment/shortages.js';
import type { Lab } from '../lab/lab.js';
import { leftBoxes } from '../lab/vagrant/box.js';
import { experimentOn } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import { renderTerminal } from '../report/terminal.js';
import { writeReports } from '../report/write.js';
import { type Results, SCHEMA_VERSION } from '../results/schema.js';
import { differences } from './elsewhere.js';
import { EXIT, EXIT_HELP, UserError } from './exit.js';
import { integerOption } from './integer-option.js';
import { labOf, note, releasing } from './labs.js';
import { type LiveServer, openLive } from './live.js';
import { deterministicIn, roomIn, wallsIn } from './live-state.js';
import {
  BOX_HELP,
  boxOption,
  ENGINE_HELP,
  engineOption,
  KERNEL_HELP,
  kernelOption,
  LAB_HELP,
  labOption,
} from './options.js';
import { readProfile } from './profile-file.js';
import { createProgress } from './progress.js';
import { search } from './search.js';
import { appendStepSummary } from './step-summary.js';

interface RunOptions {
  readonly lab?: Experiment['lab'];
  readonly kernel?: string[];
  readonly engine?: Engine;
  readonly box?: string;
  readonly repeat?: number;
  readonly seed?: number;
  readonly out: string;
  readonly resume?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  /** The port of the live page; true: any. */
  readonly live?: number | true;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run a profile: the baseline and each variant, repeated; then a verdict and a report')
    .argument('[profile]', 'a profile that ships, as quickstart, or a path')
    .option('--lab <kind>', LAB_HELP, labOption)
    .option('--kernel <names>', KERNEL_HELP, kernelOption)
    .option('--engine <name>', ENGINE_HELP, engineOption)
    .option('--box <name>', BOX_HELP, boxOption)
    .option(
      '--repeat <n>',
      'pairs of runs per variant, instead of what the profile says',
      integerOption('--repeat', 1, 1000),
    )
    .option('--seed <n>', 'seed of order, arrivals and picks', integerOption('--seed', 0, 4294967295))
    .option('--out <folder>', 'where result folders are made', 'reports')
    .option('--resume <folder>', 'go on with an experiment that was interrupted')
    .option('--json', 'print the results as JSON on standard output instead of the summary', false)
    .option('--quiet', 'no progress', false)
    .option(
      '--live [port]',
      'a page on 127.0.0.1 that shows the run as it happens and becomes the report; and /metrics for Prometheus',
      integerOption('--live, which stands behind the profile,', 0, 65_535),
    )
    .addHelpText(
      'after',
      `\nExample:\n  bindstorm run quickstart\n  bindstorm run my-proxy.yaml --repeat 20\n${EXIT_HELP}`,
    )
    .action(async (profile: string | undefined, options: RunOptions) => {
      process.exitCode = await run(profile, options);
    });
}

async function run(profile: string | undefined, options: RunOptions): Promise<number> {
  if (profile !== undefined && options.resume === undefined) {
    const { lab, kernel, engine, box, repeat, seed } = options;
    const loaded = readProfile(profile, { lab, kernels: kernel, engine, box, repeat, seed });
    // The profile asks for a rate: there is nothing to compare before it is found.
    if (loaded.experiment.search) return search(loaded, profile, options);
  }
  warnOfStaleSnapshots();
  // Before anything else: a port that is taken is to be said before a lab is made.
  const live = options.live === undefined ? null : await openLive(options.live === true ? 0 : options.live);
  if (live) process.stderr.write(`live: ${live.url}\n`);
  try {
    return await runWith(live, profile, options);
  } finally {
    live?.close();
  }
}

function runWith(live: LiveServer | null, profile: string | undefined, options: RunOptions): Promise<number> {
  const alone = (dir: string, work: () => Promise<number>) => withLockedFolder(dir, note, work);
  return releasing(async (labs) => {
    const { resume: dir } = options;
    if (dir === undefined) {
      const prepared = await begin(profile, options, labs);
      return await alone(prepared.dir, () => proceed(prepared, options, live));
    }
    refuseChanges(profile, options);
    return await alone(dir, async () => {
      const contents = readJournal(dir);
      const { experiment } = contents.begin;
      const all = [...planRuns(experiment), ...planObservations(experiment)];
      const left = all.length - finishedRuns(contents).size;
      if (left > 0) return await proceed(await resume(dir, contents, labs), options, live);
      process.stderr.write('nothing was left to run\n');
      return await present(dir, { how: 'complete' }, options, live);
    });
  });
}

/** Makes the lab for a kernel, and keeps it for its release. What the first run needs may begin before the rehearsal is over. */
function labMaker(
  experiment: Experiment,
  finished: ReadonlySet<string>,
  labs: Lab[],
): (kernel: string | undefined) => Lab {
  const first = planRuns(experiment).find(({ id }) => !finished.has(id));
  return (kernel) => {
    const lab = labOf(experiment, kernel, first?.kernel === kernel);
    labs.push(lab);
    return lab;
  };
}

/** Make the runs that are missing, then the results and reports. */
async function proceed(
  { dir, journal, contents, places }: Prepared,
  options: RunOptions,
  live: LiveServer | null,
): Promise<number> {
  const { experiment } = contents.begin;
  const planned = planRuns(experiment);
  const finished = finishedRuns(contents);
  const progress = createProgress({
    experiment,
    planned,
    finished,
    stream: process.stderr,
    quiet: options.quiet,
    now: () => performance.now(),
    roomOf: roomIn(places),
  });
  for (const text of [...places.warnings, ...places.all.flatMap((place) => lacks(experiment, place))])
    progress.note(`note: ${text}`);

  const shown = { experiment, planned, finished, runs: contents.runs, now: () => performance.now() };
  live?.begin({ ...shown, wallsOf: wallsIn(places), deterministic: deterministicIn(places) });
  const interruption = listenForInterrupts((text) => progress.note(text));
  const end = await conduct({
    experiment,
    placeOf: (kernel) => places.all.find(({ name }) => name === kernel)!,
    dir,
    journal,
    planned,
    finished,
    signal: interruption.signal,
    onEvent(event) {
      progress.onEvent(event);
      live?.onEvent(event);
    },
  });
  interruption.stop();
  progress.end();
  const status = end.how === 'complete' ? 'complete' : 'partial';
  journal.append({ type: 'end', at: new Date().toISOString(), status });
  journal.close();
  return present(dir, end, options, live);
}

/** What this machine, or the guest, lacks: what would hide the limit that is to be measured. */
function lacks(experiment: Experiment, { name, environment, kernel }: Place): string[] {
  const part = experimentOn(experiment, name);
  const predictions = part.arms.map((arm) => predictArm(arm, kernel, environment.defaults).prediction);
  return shortages(part, environment, predictions);
}

/** Write results and reports from the journal, and show them. */
async function present(dir: string, end: ConductEnd, options: RunOptions, live: LiveServer | null): Promise<number> {
  const results = conclude(readJournal(dir));
  writeResults(dir, results);
  const reports = await writeReports(dir, results);
  appendStepSummary(results);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...results, folder: dir })}\n`);
  else printSummary(results, reports, dir, end);
  await live?.end(join(dir, 'report.html'));
  return exitCodeOf(results, end);
}

interface Prepared {
  readonly dir: string;
  readonly journal: Journal;
  readonly contents: JournalContents;
  readonly places: Places;
}

async function begin(name: string | undefined, options: RunOptions, labs: Lab[]): Promise<Prepared> {
  if (name === undefined)
    throw new UserError('name a profile, as `bindstorm run quickstart`; `bindstorm profiles` lists those that ship');
  const loaded = readProfile(name, {
    lab: options.lab,
    kernels: options.kernel,
    engine: options.engine,
    box: options.box,
    repeat: options.repeat,
    seed: options.seed,
  });
  guardHost(loaded.experiment, options.lab);
  await warnOfLeftBoxes(loaded.experiment);
  const places = await findPlaces(loaded.experiment, labMaker(loaded.experiment, new Set(), labs));
  if (places.findings.length > 0) throw loaded.refuse(places.findings);
  const now = new Date();
  const dir = makeFolder(options.out, loaded.experiment.name, now);
  writeFileSync(join(dir, PROFILE_FILE), loaded.text);
  const journal = openJournal(dir);
  const entry: JournalBegin = {
    type: 'begin',
    schemaVersion: SCHEMA_VERSION,
    startedAt: now.toISOString(),
    command: commandLine(name, options),
    profile: loaded.text,
    experiment: places.experiment,
    environment: places.all[0].environment,
    ...(places.experiment.kernels ? { kernels: places.all.map(({ environment }) => environment) } : {}),
  };
  journal.append(entry);
  return { dir, journal, contents: { begin: entry, runs: [], observed: [], ended: null }, places };
}

function makeFolder(parent: string, experiment: string, now: Date): string {
  try {
    return createResultFolder(parent, experiment, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`no result folder can be made in ${parent} (${why}); name another place with --out`);
  }
}

function refuseChanges(name: string | undefined, options: RunOptions): void {
  if (name !== undefined) throw new UserError('--resume goes on with the profile in the folder; leave the profile out');
  for (const key of ['lab', 'kernel', 'engine', 'box', 'repeat', 'seed'] as const) {
    if (options[key] !== undefined)
      throw new UserError(`--${key} cannot be changed on --resume; begin a new experiment instead`);
  }
}

async function resume(dir: string, contents: JournalContents, labs: Lab[]): Promise<Prepared> {
  const { experiment, environment, kernels } = contents.begin;
  guardHost(experiment, experiment.lab);
  await warnOfLeftBoxes(experiment);
  const places = await findPlaces(experiment, labMaker(experiment, finishedRuns(contents), labs));
  const changed = places.all.flatMap((place, i) => differences(kernels?.[i] ?? environment, place));
  if (changed.length > 0) {
    throw new UserError(
      `${dir} was begun elsewhere (${changed.join('; ')}); runs of two machines are not one experiment. Begin a new one`,
    );
  }
  if (places.findings.length > 0) {
    throw new UserError(places.findings.map(({ message }) => `${join(dir, PROFILE_FILE)}: ${message}`).join('\n'));
  }
  if (!sameFit(experiment, places.experiment)) {
    throw new UserError(
      `a kernel of ${dir} has other sysctls now than when it was begun; runs of two kernels are not one experiment. Begin a new one`,
    );
  }
  const journal = openJournal(dir);
  journal.append({ type: 'resume', at: new Date().toISOString() });
  return { dir, journal, contents, places };
}

function finishedRuns({ runs, observed }: JournalContents): Set<string> {
  const done = [
    ...runs.filter(({ status }) => status === 'ok'),
    ...observed.filter(({ status }) => status !== 'interrupted'),
  ];
  return new Set(done.map(({ id }) => id));
}

/** The host lab needs two yeses: the profile's (checked when it was loaded) and the command line's. */
function guardHost(experiment: Experiment, asked: Experiment['lab'] | undefined): void {
  if (experiment.lab === 'host' && asked !== 'host') {
    throw new UserError(
      'this profile wants the host lab, which loads and may change this machine itself; say so with --lab host',
    );
  }
  if (experiment.lab === 'host' && staleSnapshots().length > 0) {
    throw new UserError(
      'an earlier host run was killed before it could restore its sysctls; run `bindstorm restore` first',
      { exitCode: EXIT.noLab },
    );
  }
}

function warnOfStaleSnapshots(): void {
  for (const { values, takenAt } of staleSnapshots()) {
    process.stderr.write(
      `warning: a host run of ${takenAt} was killed before it could restore ${Object.keys(values).join(', ')}; \`bindstorm restore\` puts the old values back\n`,
    );
  }
}

/** A box that is this experiment's own is put away by its lab. */
async function warnOfLeftBoxes({ box: own }: Experiment): Promise<void> {
  for (const { box, since } of await leftBoxes()) {
    if (box === own?.name) continue;
    process.stderr.write(
      `warning: a run of ${since} was killed and has left the Vagrant box ${box} up; \`bindstorm restore\` puts it away\n`,
    );
  }
}

/** The first signal ends the run in progress in good order; a second one ends the program at once, as usual. */
function listenForInterrupts(note: (text: string) => void): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    note('interrupted: ending the run in progress; what is finished is kept (once more to quit at once)');
    stop();
    controller.abort();
  };
  const stop = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: controller.signal, stop };
}

function printSummary(results: Results, reports: readonly string[], dir: string, end: ConductEnd): void {
  const colour = Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined;
  process.stdout.write(renderTerminal(results, { colour, width: process.stdout.columns ?? 100 }));
  if (end.how === 'gave-up') process.stdout.write(`\nGiven up: ${end.reason}\n`);
  if (end.how !== 'complete') process.stdout.write(`\nGo on with: bindstorm run --resume ${dir}\n`);
  process.stdout.write(`\nReport:  ${reports.find((path) => path.endsWith('.html')) ?? dir}\n`);
  process.stdout.write(`Results: ${dir}\n`);
  const apply = reports.find((path) => path.endsWith('.conf'));
  if (apply !== undefined) process.stdout.write(`Apply:   ${apply}\n`);
}

function exitCodeOf(results: Results, end: ConductEnd): number {
  if (end.how === 'interrupted') return EXIT.interrupted;
  if (results.variants.some(({ runs }) => runs.some(({ status }) => status === 'failed'))) return EXIT.runFailed;
  return results.thresholds.every(({ passed }) => passed) ? EXIT.ok : EXIT.threshold;
}

/** The command that repeats this. */
function commandLine(name: string, { lab, kernel, engine, box, repeat, seed }: RunOptions): string {
  const options = Object.entries({ lab, kernel: kernel?.join(','), engine, box, repeat, seed }).flatMap(
    ([key, value]) => (value === undefined ? [] : [`--${key} ${value}`]),
  );
  return ['bindstorm', 'run', /^[\w./-]+$/.test(name) ? name : JSON.stringify(name), ...options].join(' ');
}
