/**
 * `bindstorm fixes`: the catalogue of fixes, each alone, for strategies on kernels, for real proxies and for a NAT; a league table.
 */
import type { Command } from 'commander';
import { type CatalogueChoice, DEFAULT_STRATEGIES, fixNames } from '../experiment/catalogue.js';
import { FIX_STRATEGIES } from '../experiment/fix-rows.js';
import { FIX_SUBJECTS } from '../profile/fix.js';
import { EXIT_HELP } from './exit.js';
import { kernelNames, onFleet, type RunOptions, refuseChanges, withOptions } from './options.js';
import { names } from './parsers.js';
import { resumeFixes, startFixes } from './run-catalogue.js';

/** Adds the command. */
export function registerFixes(program: Command): void {
  const command = program
    .command('fixes')
    .description(
      'try each fix of the catalogue alone, with strategies on kernels, with real proxies or with a NAT, and make a table of those that work, do nothing or harm',
    )
    .option(
      '--kernels <names>',
      'guests beside the kernel of this machine, for example bullseye,bookworm,trixie,sid',
      kernelNames,
      [],
    )
    .option('--no-host', 'leave out the kernel of this machine')
    .option(
      '--strategies <names>',
      `from ${FIX_STRATEGIES.join(', ')} (default: ${DEFAULT_STRATEGIES.join(',')}; with --subjects: none)`,
      names(FIX_STRATEGIES),
    )
    .option(
      '--subjects <names>',
      `real proxies, or a NAT with a catalogue of its own, on the same kernels; from ${FIX_SUBJECTS.join(', ')}`,
      names(FIX_SUBJECTS),
      [],
    )
    .option('--only <fixes>', 'only these fixes, for example tw-reuse-1,fin-timeout', (text: string) =>
      text.split(','),
    );
  withOptions(command, ['out', 'resume', 'fleet', 'agents', 'wait', 'json', 'quiet'])
    .addHelpText(
      'after',
      () =>
        `\nThe catalogue: ${fixNames().join(', ')}\nThe catalogue of a NAT: ${fixNames('router').join(', ')}\n\nExample:\n  bindstorm fixes\n  bindstorm fixes --kernels bullseye,bookworm,trixie,sid\n  bindstorm fixes --subjects squid,haproxy,nginx,dante\n  bindstorm fixes --subjects squid --kernels bookworm,trixie\n  bindstorm fixes --subjects nat --kernels bullseye,bookworm,trixie,sid\n${EXIT_HELP}`,
    )
    .action(async (options: RunOptions & CatalogueChoice, command: Command) => {
      if (options.resume !== undefined) refuseChanges(command);
      if (onFleet(options)) {
        const fleet = await import('./fixes-on-fleet.js');
        process.exitCode = await (options.resume === undefined
          ? fleet.startFixesOnFleet(options)
          : fleet.resumeFixesOnFleet(options.resume, options));
        return;
      }
      process.exitCode = await (options.resume === undefined
        ? startFixes(options)
        : resumeFixes(options.resume, options));
    });
}
