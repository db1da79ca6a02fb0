/**
 * `bindstorm search`: the highest rate that each arm of a profile bears for ever.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Engine } from '../domain/guest.js';
import { parseDuration, parsePercent, parseRate, UnitError } from '../domain/units.js';
import { sameFit } from '../experiment/fit.js';
import { createResultFolder, PROFILE_FILE } from '../experiment/folder.js';
import { withLockedFolder } from '../experiment/folder-lock.js';
import { findPlaces, type Place } from '../experiment/places.js';
import { searchArm } from '../experiment/search.js';
import {
  openSearchJournal,
  readSearchJournal,
  type SearchBegin,
  type SearchContents,
} from '../experiment/search-journal.js';
import type { Lab } from '../lab/lab.js';
import { armId } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { SEARCH, type SearchSettings } from '../plan/search.js';
import type { LoadedProfile } from '../profile/load.js';
import { renderSearchMarkdown, searchAgreement, searchLines } from '../report/search.js';
import { type ArmSearch, SEARCH_VERSION, type SearchReport } from '../results/search.js';
import { toolVersion } from '../results/version.js';
import { differences } from './elsewhere.js';
import { EXIT, EXIT_HELP, UserError } from './exit.js';
import { integerOption } from './integer-option.js';
import { labOf, note, releasing } from './labs.js';
import { ENGINE_HELP, engineOption, KERNEL_HELP, kernelOption, LAB_HELP, labOption } from './options.js';
import { readProfile } from './profile-file.js';

export interface SearchOptions {
  readonly lab?: Experiment['lab'];
  readonly kernel?: string[];
  readonly engine?: Engine;
  readonly only?: string[];
  readonly from?: number;
  readonly to?: number;
  readonly tolerance?: number;
  readonly confirm?: number;
  readonly step?: number;
  readonly p99?: number;
  readonly seed?: number;
  readonly out: string;
  readonly resume?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function registerSearch(program: Command): void {
  program
    .command('search')
    .description(
      'the highest rate that the baseline and each variant bear for ever without one failure, beside that of the model',
    )
    .argument('[profile]', 'a profile that ships, as max-rate, or a path')
    .option('--lab <kind>', LAB_HELP, labOption)
    .option('--kernel <names>', KERNEL_HELP, kernelOption)
    .option('--engine <name>', ENGINE_HELP, engineOption)
    .option('--only <arms>', 'of these arms only, as baseline,no-port', (text: string) => text.split(','))
    .option('--from <rate>', 'where to begin, instead of what the profile says', unit(parseRate))
    .option('--to <rate>', 'where to end', unit(parseRate))
    .option('--tolerance <share>', 'how far apart the ends of the answer may be, as 2%', unit(parsePercent))
    .option('--confirm <n>', 'how often the answer must have held', integerOption('--confirm', 1, 100))
    .option('--step <duration>', 'the least duration of a step', unit(parseDuration))
    .option('--p99 <duration>', 'the highest p99 of the total latency; nothing is scaled then', unit(parseDuration))
    .option('--seed <n>', 'seed of arrivals and picks', integerOption('--seed', 0, 4294967295))
    .option('--out <folder>', 'where result folders are made', 'reports')
    .option('--resume <folder>', 'go on with a search that was interrupted; no step is made again')
    .option('--json', 'print what was found as JSON on standard output', false)
    .option('--quiet', 'no progress', false)
    .addHelpText(
      'after',
      `\nThe arrivals of the profile give way to those of the search.\n\nExample:\n  bindstorm search max-rate\n  bindstorm search squid-2014 --only baseline --tolerance 5%\n${EXIT_HELP}`,
    )
    .action(async (profile: string | undefined, options: SearchOptions) => {
      if (options.resume !== undefined) {
        process.exitCode = await resume(options.resume, profile, options);
        return;
      }
      if (profile === undefined)
        throw new UserError(
          'found no profile; name one that ships, as `bindstorm search max-rate`, or a path, or a folder to go on with: --resume FOLDER',
        );
      const { lab, kernel, engine, seed } = options;
      const loaded = readProfile(profile, { lab, kernels: kernel, engine, seed });
      process.exitCode = await search(loaded, profile, options);
    });
}

function unit<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}.`);
      throw error;
    }
  };
}

/** Search for the rates of a profile, write what was found, and say it. @returns the exit code */
export async function search(loaded: LoadedProfile, name: string, options: SearchOptions): Promise<number> {
  const { experiment } = loaded;
  if (experiment.lab === 'host' || experiment.subject === 'external')
    throw new UserError(
      'a search loads up to the limit, again and again, and must begin each step with free ports: it needs a lab that is thrown away; add --lab netns',
    );
  if (options.only) checkOnly(options.only, experiment);
  const settings = settingsOf(experiment.search ?? SEARCH, options);
  return releasing(async (labs) => {
    const places = await findPlaces(experiment, labMaker(experiment, labs));
    if (places.findings.length > 0) throw loaded.refuse(places.findings);
    for (const text of places.warnings) process.stderr.write(`note: ${text}\n`);
    const dir = createResultFolder(options.out, `${experiment.name}-search`, new Date());
    writeFileSync(join(dir, PROFILE_FILE), loaded.text);
    const begin: SearchBegin = {
      type: 'begin',
      schemaVersion: SEARCH_VERSION,
      startedAt: new Date().toISOString(),
      command: `bindstorm search ${name}`,
      profile: loaded.text,
      experiment: places.experiment,
      settings,
      only: options.only ?? null,
      environments: places.all.map(({ environment }) => environment),
    };
    return withLockedFolder(dir, note, () => {
      const journal = openSearchJournal(dir);
      journal.append(begin);
      journal.close();
      return finish(dir, { begin, steps: new Map() }, places.all, options);
    });
  });
}

function labMaker(experiment: Experiment, labs: Lab[]): (kernel: string | undefined) => Lab {
  return (kernel) => {
    const lab = labOf(experiment, kernel, true);
    labs.push(lab);
    return lab;
  };
}

/** Go on with a search where it was interrupted. @returns the exit code */
async function resume(dir: string, name: string | undefined, options: SearchOptions): Promise<number> {
  if (name !== undefined) throw new UserError('--resume goes on with the profile in the folder; leave the profile out');
  for (const key of [
    'lab',
    'kernel',
    'engine',
    'only',
    'from',
    'to',
    'tolerance',
    'confirm',
    'step',
    'p99',
    'seed',
  ] as const)
    if (options[key] !== undefined)
      throw new UserError(`--${key} cannot be changed on --resume; begin a new search instead`);
  return withLockedFolder(dir, note, () => goOn(dir, options));
}

async function goOn(dir: string, options: SearchOptions): Promise<number> {
  const contents = readSearchJournal(dir);
  const { experiment, environments } = contents.begin;
  return releasing(async (labs) => {
    const places = await findPlaces(experiment, labMaker(experiment, labs));
    const changed = places.all.flatMap((place, i) => differences(environments[i]!, place));
    if (changed.length > 0)
      throw new UserError(
        `${dir} was begun elsewhere (${changed.join('; ')}); steps of two machines are not one search. Begin a new one`,
      );
    if (places.findings.length > 0)
      throw new UserError(places.findings.map(({ message }) => `${join(dir, PROFILE_FILE)}: ${message}`).join('\n'));
    if (!sameFit(experiment, places.experiment) || !sameStrategies(experiment, places.experiment))
      throw new UserError(
        `a kernel or a proxy of ${dir} is another now than when the search was begun; steps of two are not one search. Begin a new one`,
      );
    return finish(dir, contents, places.all, options);
  });
}

/** How a proxy gets its ports is its version's affair. */
function sameStrategies(a: Experiment, b: Experiment): boolean {
  return a.arms.every(({ load }, i) => load.strategy === b.arms[i]!.load.strategy);
}

/** Make the steps that are missing, and say what was found. */
async function finish(
  dir: string,
  contents: SearchContents,
  all: readonly Place[],
  options: SearchOptions,
): Promise<number> {
  const report = await conductSearch(dir, contents, all, options.quiet);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...report, folder: dir })}\n`);
  else process.stdout.write(`${searchLines(report).join('\n')}\nResults: ${dir}\n`);
  const code = exitCodeOf(report.arms);
  if (code !== EXIT.ok) process.stderr.write(`go on with: bindstorm search --resume ${dir}\n`);
  return code;
}

function checkOnly(only: readonly string[], { arms }: Experiment): void {
  const names = [...new Set(arms.map(({ name }) => name))];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`found --only ${unknown}, which is no arm of the profile; its arms are ${names.join(', ')}`);
}

function settingsOf(profile: SearchSettings, options: SearchOptions): SearchSettings {
  const from = options.from ?? profile.from;
  const to = options.to ?? Math.max(profile.to, from);
  if (from > to)
    throw new UserError(`found --from above --to (${from}/s and ${to}/s): lower the one or raise the other`);
  return {
    from,
    to,
    tolerance: options.tolerance ?? profile.tolerance,
    confirm: options.confirm ?? profile.confirm,
    stepMs: options.step ?? profile.stepMs,
    p99Ms: options.p99 ?? profile.p99Ms,
  };
}

/** Arm after arm; after each of them the files say what is known so far. */
async function conductSearch(
  dir: string,
  { begin, steps }: SearchContents,
  all: readonly Place[],
  quiet: boolean,
): Promise<SearchReport> {
  const { experiment, settings, only, startedAt, command } = begin;
  const interrupted = new AbortController();
  const stop = () => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const found: ArmSearch[] = [];
  const journal = openSearchJournal(dir);
  const reportNow = (): SearchReport => ({
    schemaVersion: SEARCH_VERSION,
    tool: toolVersion(),
    experiment: experiment.name,
    startedAt,
    finishedAt: new Date().toISOString(),
    command,
    lab: all[0]!.environment.lab,
    kernels: Object.fromEntries(all.map((place) => [place.name ?? 'kernel', place.environment.kernel])),
    arms: found.map((arm) => ({ ...arm, agreement: searchAgreement(arm) })),
  });
  const wanted = (arm: Arm) => !arm.absent && (only === null || only.includes(arm.name));
  for (const arm of experiment.arms.filter(wanted)) {
    found.push(
      await searchArm({
        arm,
        settings,
        place: all.find(({ name }) => name === arm.kernel) ?? all[0]!,
        seed: experiment.seed,
        signal: interrupted.signal,
        before: steps.get(armId(arm)) ?? [],
        onTried: (step) => journal.append({ type: 'step', arm: armId(arm), step }),
        onStep: (rate, why, { how, seconds }) => {
          if (!quiet)
            process.stderr.write(
              `${armId(arm)}: ${why} at ${Number(rate.toPrecision(4))}/s for ${Number(seconds.toPrecision(2))} s (${how})\n`,
            );
        },
      }),
    );
    writeReport(dir, reportNow());
  }
  journal.close();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  return reportNow();
}

/** A reader never sees half a file. */
function writeReport(dir: string, report: SearchReport): void {
  const files = { 'search.json': `${JSON.stringify(report, null, 1)}\n`, 'search.md': renderSearchMarkdown(report) };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(dir, `${name}.new`), content);
    renameSync(join(dir, `${name}.new`), join(dir, name));
  }
}

function exitCodeOf(arms: SearchReport['arms']): number {
  if (arms.some(({ problem }) => problem === 'interrupted')) return EXIT.interrupted;
  return arms.some(({ problem }) => problem !== null) ? EXIT.runFailed : EXIT.ok;
}
