/**
 * `bindstorm run`: the whole loop.
 */
import type { Command } from 'commander';
import { LABS } from '../domain/lab.js';
import type { LoadedProfile } from '../profile/load.js';
import { openLive } from '../report/live/server.js';
import { EXIT_HELP, UserError } from './exit.js';
import { onFleet, overrides, RUN_OPTIONS, type RunOptions, refuseChanges, withOptions } from './options.js';
import { integer } from './parsers.js';
import { readProfile } from './profile-file.js';
import { resumeRun, startRun } from './run-blocks.js';
import { startSearch } from './run-search.js';
import { note } from './terminal.js';

interface Options extends RunOptions {
  /** The port of the live page; true: any. */
  readonly live?: number | true;
}

/** Adds the command. */
export function registerRun(program: Command): void {
  withOptions(
    program
      .command('run')
      .description('run a profile: the baseline and each variant, repeated; then a verdict and a report')
      .argument('[profile]', 'a shipped profile such as quickstart, or a path'),
    RUN_OPTIONS,
  )
    .option(
      '--live [port]',
      'serve a page on 127.0.0.1 that shows the run as it happens and becomes the report, and /metrics for Prometheus',
      integer('--live, which comes after the profile,', 0, 65_535),
    )
    .addHelpText(
      'after',
      `\nExample:\n  bindstorm run quickstart\n  bindstorm run my-proxy.yaml --repeat 20\n  bindstorm run --resume reports/my-proxy-20261122-101500Z --repeat 30\n${EXIT_HELP}`,
    )
    .action(async (name: string | undefined, options: Options, command: Command) => {
      process.exitCode = await run(name, options, command);
    });
}

async function run(name: string | undefined, options: Options, command: Command): Promise<number> {
  if (options.resume !== undefined) refuseChanges(command, ['repeat']);
  const loaded = options.resume === undefined ? load(name, options) : null;
  // The profile asks for a rate: there is nothing to compare before it is found.
  if (loaded?.experiment.search) return startSearch(loaded, options);
  // Before anything else: a port that is taken is to be said before a lab is made.
  const live = options.live === undefined ? null : await openLive(options.live === true ? 0 : options.live);
  if (live) note(`live: ${live.url}`);
  try {
    // What a fleet takes is not loaded for a run on this machine.
    if (onFleet(options)) return await (await import('./run-on-fleet.js')).runOnFleet(loaded, options, live);
    return await (loaded ? startRun(loaded, options, live) : resumeRun(options.resume!, options, live));
  } finally {
    live?.close();
  }
}

/** @throws UserError, ProfileError */
function load(name: string | undefined, options: Options): LoadedProfile {
  if (name === undefined)
    throw new UserError(
      'name a profile, as in `bindstorm run quickstart`; `bindstorm profiles` lists the shipped ones',
    );
  const loaded = readProfile(name, overrides(options));
  const { lab } = loaded.experiment;
  // The profile's yes was checked when it was loaded; this is the command line's.
  if (LABS[lab].guarded && options.lab !== lab)
    throw new UserError(
      `this profile wants the ${lab} lab, which loads this machine itself and may change it; confirm with --lab ${lab}`,
    );
  return loaded;
}
