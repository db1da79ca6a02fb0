/**
 * `bindstorm fixes`: the catalogue of fixes, each alone, for strategies on kernels and for real proxies; a league table.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { disagreements } from '../analysis/fixes.js';
import type { StrategyName } from '../domain/strategy.js';
import { fixNames, readCatalogue, tryCatalogue } from '../experiment/catalogue.js';
import { FIX_STRATEGIES, HOST } from '../experiment/fix-rows.js';
import { createResultFolder } from '../experiment/folder.js';
import type { BeginOf } from '../experiment/journal.js';
import { beginSession, resumeSession, type Session } from '../experiment/session.js';
import { interruptible } from '../machine/interrupts.js';
import { replaceFile } from '../machine/replace-file.js';
import { FIX_SUBJECTS } from '../profile/fix.js';
import { renderFixes, summaryLines } from '../report/fixes.js';
import { renderFixesHtml } from '../report/fixes-html.js';
import { SCHEMA_VERSION } from '../results/schema.js';
import type { ProxyKind } from '../subjects/index.js';
import { EXIT, EXIT_HELP, UserError } from './exit.js';
import { commandLine, kernelNames, type RunOptions, refuseChanges, withOptions } from './options.js';
import { names } from './parsers.js';
import { note } from './terminal.js';

interface FixesOptions extends RunOptions {
  readonly kernels: string[];
  readonly host: boolean;
  readonly strategies?: StrategyName[];
  readonly subjects: ProxyKind[];
  readonly only?: string[];
}

const STRATEGIES: readonly StrategyName[] = ['bind', 'bind-reuseaddr', 'bind-no-port'];

/** Adds the command. */
export function registerFixes(program: Command): void {
  const command = program
    .command('fixes')
    .description(
      'try each fix of the catalogue alone, with strategies on kernels and with real proxies, and make a league table: works, does nothing, harms',
    )
    .option(
      '--kernels <names>',
      'guests beside the kernel of this machine, for example bullseye,bookworm,trixie,sid',
      kernelNames,
      [],
    )
    .option('--no-host', 'not on the kernel of this machine')
    .option(
      '--strategies <names>',
      `of ${FIX_STRATEGIES.join(', ')} (default: ${STRATEGIES.join(',')}; with --subjects: none)`,
      names(FIX_STRATEGIES),
    )
    .option(
      '--subjects <names>',
      `real proxies, on the kernel of this machine: of ${FIX_SUBJECTS.join(', ')}`,
      names(FIX_SUBJECTS),
      [],
    )
    .option('--only <fixes>', 'only these fixes, for example tw-reuse-1,fin-timeout', (text: string) =>
      text.split(','),
    );
  withOptions(command, ['out', 'resume', 'json', 'quiet'])
    .addHelpText(
      'after',
      () =>
        `\nThe catalogue: ${fixNames().join(', ')}\n\nExample:\n  bindstorm fixes\n  bindstorm fixes --kernels bullseye,bookworm,trixie,sid\n  bindstorm fixes --subjects squid,haproxy,nginx,dante\n${EXIT_HELP}`,
    )
    .action(async (options: FixesOptions, command: Command) => {
      if (options.resume !== undefined) refuseChanges(command);
      process.exitCode = await (options.resume === undefined
        ? startFixes(options)
        : resumeFixes(options.resume, options));
    });
}

function startFixes(options: FixesOptions): Promise<number> {
  const begin: BeginOf<'fixes'> = {
    type: 'begin',
    kind: 'fixes',
    schemaVersion: SCHEMA_VERSION,
    startedAt: new Date().toISOString(),
    command: commandLine(),
    options: settingsOf(options),
  };
  const dir = createResultFolder(options.out, 'fixes', new Date());
  return beginSession(dir, begin, note, (session) => finish(session, options));
}

function resumeFixes(dir: string, options: FixesOptions): Promise<number> {
  return resumeSession(dir, 'fixes', note, (session) => {
    session.journal.append({ type: 'resume', at: new Date().toISOString() });
    return finish(session, options);
  });
}

/** @throws UserError for what cannot be together */
function settingsOf({ kernels, subjects, host, only, ...options }: FixesOptions): BeginOf<'fixes'>['options'] {
  const strategies = options.strategies ?? (subjects.length > 0 ? [] : [...STRATEGIES]);
  const all = [...(host ? [HOST] : []), ...kernels];
  if (subjects.length > 0 && !host)
    throw new UserError(
      '--subjects and --no-host exclude each other: proxies are programs of this machine, and guests have none',
    );
  if (all.length === 0) throw new UserError('--no-host needs --kernels, for example --kernels bookworm,trixie');
  if (strategies.length === 0 && kernels.length > 0)
    throw new UserError(
      '--kernels has no effect with --subjects alone: proxies are programs of this machine, and guests have none; add --strategies, for example --strategies bind, or leave --kernels out',
    );
  readCatalogue(only ?? null);
  return { kernels: all, strategies, subjects, only: only ?? null };
}

/** Make what is missing of the tables; after each of them the files say what is known so far. @returns the exit code */
async function finish(session: Session<'fixes'>, { json, quiet }: FixesOptions): Promise<number> {
  const { dir } = session;
  const { report, complete, interrupted } = await interruptible(note, async (signal) => ({
    ...(await tryCatalogue(session, {
      signal,
      note,
      onRun(kernel, row, fix, done, total) {
        if (!quiet) note(`${kernel} ${row} ${done + 1}/${total}: ${fix}`);
      },
      onReport(report) {
        replaceFile(join(dir, 'fixes.json'), `${JSON.stringify(report)}\n`);
        replaceFile(join(dir, 'README.md'), renderFixes(report));
        replaceFile(join(dir, 'fixes.html'), renderFixesHtml(report));
      },
    })),
    interrupted: signal.aborted,
  }));
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...report, folder: dir })}\n`
      : `${summaryLines(report).join('\n')}\n\nTable: ${join(dir, 'fixes.html')}, ${join(dir, 'README.md')}\n`,
  );
  for (const text of disagreements(report)) note(`not as predicted: ${text}`);
  if (!complete) note(`resume with: bindstorm fixes --resume ${dir}`);
  if (interrupted) return EXIT.interrupted;
  return complete ? EXIT.ok : EXIT.runFailed;
}
