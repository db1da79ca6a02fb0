/**
 * `bindstorm search`: the highest sustainable rate of each arm of a profile.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { LABS } from '../domain/lab.js';
import { parseDuration, parsePercent, parseRate } from '../domain/units.js';
import type { Places } from '../experiment/places.js';
import { searchRates } from '../experiment/rate-search.js';
import { reopen, resumeSession, type Session, start } from '../experiment/session.js';
import { interruptible } from '../machine/interrupts.js';
import { replaceFile } from '../machine/replace-file.js';
import type { Experiment } from '../plan/plan.js';
import { SEARCH, type SearchSettings } from '../plan/search.js';
import type { LoadedProfile } from '../profile/load.js';
import { renderSearchMarkdown, searchLines } from '../report/search.js';
import type { SearchReport } from '../results/search.js';
import { subjectOf } from '../subjects/index.js';
import { EXIT, EXIT_HELP, UserError } from './exit.js';
import { commandLine, overrides, type RunOptions, refuseChanges, withOptions } from './options.js';
import { integer, parsed } from './parsers.js';
import { readProfile } from './profile-file.js';
import { note } from './terminal.js';

interface SearchOptions extends RunOptions {
  readonly only?: string[];
  readonly from?: number;
  readonly to?: number;
  readonly tolerance?: number;
  readonly confirm?: number;
  readonly step?: number;
  readonly p99?: number;
}

/** Adds the command. */
export function registerSearch(program: Command): void {
  withOptions(
    program
      .command('search')
      .description('find the highest sustainable rate of each arm and compare it with the prediction')
      .argument('[profile]', 'a shipped profile such as max-rate, or a path'),
    ['lab', 'kernel', 'engine', 'seed', 'out', 'resume', 'json', 'quiet'],
  )
    .option('--only <arms>', 'search for these arms only, for example baseline,no-port', (text: string) =>
      text.split(','),
    )
    .option('--from <rate>', 'the first rate, instead of the one in the profile, for example 500/s', parsed(parseRate))
    .option('--to <rate>', 'the highest rate to try, for example 20k/s', parsed(parseRate))
    .option('--tolerance <share>', 'how far apart the ends of the answer may be, for example 2%', parsed(parsePercent))
    .option('--confirm <n>', 'how often a rate must hold to be the answer', integer('--confirm', 1, 100))
    .option('--step <duration>', 'the shortest duration of a step, for example 3s', parsed(parseDuration))
    .option(
      '--p99 <duration>',
      'the highest p99 of the total latency, for example 20ms; steps are then never scaled down',
      parsed(parseDuration),
    )
    .addHelpText(
      'after',
      `\nThe arrivals of the profile are replaced by those of the search.\n\nExample:\n  bindstorm search max-rate\n  bindstorm search squid-2014 --only baseline --tolerance 5%\n${EXIT_HELP}`,
    )
    .action(async (name: string | undefined, options: SearchOptions, command: Command) => {
      if (options.resume !== undefined) {
        refuseChanges(command);
        process.exitCode = await resumeSearch(options.resume, options);
        return;
      }
      if (name === undefined)
        throw new UserError(
          'name a profile, as in `bindstorm search max-rate`, or a folder to resume: --resume FOLDER',
        );
      process.exitCode = await startSearch(readProfile(name, overrides(options)), options);
    });
}

/** Search for the rates of a profile in a new result folder. @returns the exit code */
export async function startSearch(loaded: LoadedProfile, options: SearchOptions): Promise<number> {
  const { experiment } = loaded;
  if (!LABS[experiment.lab].ownNamespace || subjectOf(experiment.subject).role === 'elsewhere')
    throw new UserError(
      'a search loads up to the limit again and again, and each step needs free ports: use a lab that is thrown away, for example --lab netns',
    );
  const settings = settingsOf(experiment.search ?? SEARCH, options);
  const only = onlyOf(options.only, experiment);
  return start(
    {
      loaded,
      out: options.out,
      name: `${experiment.name}-search`,
      command: commandLine(),
      begin: (common) => ({ ...common, kind: 'search', options: { settings, only } }),
      isFirst: () => true,
    },
    note,
    (session, places) => finish(session, places, options),
  );
}

function resumeSearch(dir: string, options: SearchOptions): Promise<number> {
  return resumeSession(dir, 'search', note, (session) =>
    reopen(
      session,
      () => true,
      note,
      (places) => finish(session, places, options),
    ),
  );
}

function onlyOf(only: string[] | undefined, { arms }: Experiment): string[] | null {
  const names = [...new Set(arms.map(({ name }) => name))];
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`the profile has no arm "${unknown}" (it has ${names.join(', ')}); correct --only`);
  return only ?? null;
}

function settingsOf(profile: SearchSettings, options: SearchOptions): SearchSettings {
  const from = options.from ?? profile.from;
  const to = options.to ?? Math.max(profile.to, from);
  if (from > to) throw new UserError(`--from (${from}/s) is above --to (${to}/s); lower the one or raise the other`);
  return {
    from,
    to,
    tolerance: options.tolerance ?? profile.tolerance,
    confirm: options.confirm ?? profile.confirm,
    stepMs: options.step ?? profile.stepMs,
    p99Ms: options.p99 ?? profile.p99Ms,
  };
}

/** Make the steps that are missing, and say what was found. @returns the exit code */
async function finish(session: Session<'search'>, places: Places, { json, quiet }: SearchOptions): Promise<number> {
  const { dir } = session;
  for (const text of places.warnings) note(`note: ${text}`);
  const report = await interruptible(note, (signal) =>
    searchRates(session, places, {
      signal,
      onStep(arm, rate, why, { how, seconds }) {
        const [at, time] = [Number(rate.toPrecision(4)), Number(seconds.toPrecision(2))];
        if (!quiet) note(`${arm}: ${why} at ${at}/s for ${time} s (${how})`);
      },
      onReport(report) {
        replaceFile(join(dir, 'search.json'), `${JSON.stringify(report, null, 1)}\n`);
        replaceFile(join(dir, 'search.md'), renderSearchMarkdown(report));
      },
    }),
  );
  process.stdout.write(
    json ? `${JSON.stringify({ ...report, folder: dir })}\n` : `${searchLines(report).join('\n')}\nResults: ${dir}\n`,
  );
  const code = exitCodeOf(report.arms);
  if (code !== EXIT.ok) note(`resume with: bindstorm search --resume ${dir}`);
  return code;
}

function exitCodeOf(arms: SearchReport['arms']): number {
  if (arms.some(({ problem }) => problem === 'interrupted')) return EXIT.interrupted;
  return arms.some(({ problem }) => problem !== null) ? EXIT.runFailed : EXIT.ok;
}
