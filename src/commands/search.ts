/**
 * `bindstorm search`: the highest sustainable rate of each arm of a profile.
 */
import type { Command } from 'commander';
import { parseDuration, parsePercent, parseRate } from '../domain/units.js';
import type { SearchOverrides } from '../experiment/rate-search.js';
import { EXIT_HELP, UserError } from './exit.js';
import { overrides, type RunOptions, refuseChanges, withOptions } from './options.js';
import { integer, parsed } from './parsers.js';
import { readProfile } from './profile-file.js';
import { resumeSearch, searchWithin, startSearch } from './run-search.js';

/** Adds the command. */
export function registerSearch(program: Command): void {
  withOptions(
    program
      .command('search')
      .description('find the highest sustainable rate of each arm and compare it with the prediction')
      .argument('[profile]', 'a shipped profile such as max-rate, or a path'),
    ['lab', 'kernel', 'engine', 'seed', 'out', 'resume', 'rate', 'fleet', 'agents', 'wait', 'json', 'quiet'],
  )
    .option('--in <folder>', 'the result folder of a run: search for the rates of its arms, and add them to its report')
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
      `\nThe arrivals of the profile are replaced by those of the search.\n\nExample:\n  bindstorm search max-rate\n  bindstorm search squid-2014 --only baseline --tolerance 5%\n  bindstorm search --in reports/quickstart-20261122-101500Z\n  bindstorm search max-rate --fleet controller.json --agents 4\n${EXIT_HELP}`,
    )
    .action(
      async (name: string | undefined, options: RunOptions & SearchOverrides & { in?: string }, command: Command) => {
        if (options.resume !== undefined) {
          refuseChanges(command);
          process.exitCode = await resumeSearch(options.resume, options);
          return;
        }
        if (options.in !== undefined) {
          if (name !== undefined)
            throw new UserError('--in uses the profile that is in the folder; leave the profile out');
          process.exitCode = await searchWithin(options.in, (path) => readProfile(path, overrides(options)), options);
          return;
        }
        if (name === undefined)
          throw new UserError(
            'name a profile, as in `bindstorm search max-rate`, or a folder: --in FOLDER of a run, --resume FOLDER of a search',
          );
        process.exitCode = await startSearch(readProfile(name, overrides(options)), options);
      },
    );
}
