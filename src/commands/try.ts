/**
 * `bindstorm try -- node service.js`: how a program uses its ports, and which fix helps it, without a profile.
 */
import type { Command } from 'commander';
import { formatDuration } from '../domain/format.js';
import { parseDuration } from '../domain/units.js';
import { busyNow } from '../experiment/busy.js';
import { foreseeAll } from '../experiment/foresee.js';
import { probe } from '../experiment/probe.js';
import { loadProfile } from '../profile/load.js';
import { profileOf, type Seen, type TryChoice } from '../profile/try.js';
import { foreseenLines } from '../report/rows/foreseen.js';
import { EXIT_HELP } from './exit.js';
import { option, type RunOptions, withOptions } from './options.js';
import { assignment, choices, integer, parsed } from './parsers.js';
import { startRun } from './run-blocks.js';
import { note } from './terminal.js';

interface Options extends RunOptions, Pick<TryChoice, 'ports' | 'forward' | 'origin' | 'env'> {
  readonly for: number;
  readonly listen?: number;
}

/** Adds the command. */
export function registerTry(program: Command): void {
  const command = program
    .command('try')
    .description(
      'run a program in the lab, say how it uses its local ports, and try what could help it; needs no profile',
    )
    .argument('<command...>', 'the program and its arguments, after --')
    .addOption(
      option('--ports <n>', 'ports of the lab; few, so that they run out soon', integer('--ports', 4, 10_000), 32),
    )
    .addOption(
      option('--for <time>', 'how long a program without an end of its own runs', parsed(parseDuration), 2000, '2s'),
    )
    .option('--listen <port>', 'it is a server on this port; default: it is found out', integer('--listen', 1, 65_535))
    .option('--forward', 'the program is a forward proxy, and gets requests for http://…', false)
    .addOption(
      option('--origin <answer>', 'the answer to its requests, for example status=500,body=200000', choices, {}),
    )
    .addOption(option('--env <name=value>', 'add a variant with this environment variable', assignment, {}));
  withOptions(command, ['repeat', 'out', 'json', 'quiet'])
    .addHelpText(
      'after',
      `\nExample:\n  bindstorm try -- node service.js\n  bindstorm try --listen 8080 -- ./server\n${EXIT_HELP}`,
    )
    .action(async (words: string[], options: Options) => {
      process.exitCode = await tryProgram(words, options);
    });
}

async function tryProgram(command: readonly string[], options: Options): Promise<number> {
  const workdir = process.cwd();
  const choice: TryChoice = { ...options, command, workdir, forMs: options.for };
  const { slower, why } = busyNow();
  if (why !== null && !options.quiet)
    note(
      `This machine is busy (${why}), so the first run lasts up to ${formatDuration(Math.round(slower * options.for))}.`,
    );
  const load = (seen: Seen | null) =>
    loadProfile(profileOf(choice, seen, slower), 'the command line', { folder: workdir, repeat: options.repeat });
  const server: Seen = {
    port: options.listen ?? null,
    ends: false,
    fails: false,
    attempts: 0,
    strategy: null,
    ending: 'unknown',
    destinations: 1,
  };
  const { seen, environment } = await probe(load(options.listen === undefined ? null : server), note);
  const loaded = load({ ...seen, port: options.listen ?? seen.port });
  if (!options.quiet) note(foreseenLines(foreseeAll(loaded.experiment, environment)).join('\n'));
  return startRun(loaded, options, null);
}
