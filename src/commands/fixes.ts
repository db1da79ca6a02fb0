/**
 * `bindstorm fixes`: the catalogue of fixes, each alone, for strategies on kernels and for real proxies; a league table.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { disagreements, type FixReport, type FixTable } from '../analysis/fixes.js';
import type { StrategyName } from '../domain/strategy.js';
import { FIX_STRATEGIES, type FixRow, HOST, rowFile } from '../experiment/fix-rows.js';
import { absentTable, subjectRow } from '../experiment/fix-subject.js';
import { runFixes, runsFile } from '../experiment/fixes.js';
import { createResultFolder } from '../experiment/folder.js';
import { anotherKind, FIXES_FILE, FIXES_WORK, isOfKind } from '../experiment/folder-kind.js';
import { withLockedFolder } from '../experiment/folder-lock.js';
import { engineOf } from '../lab/vm/kernel.js';
import { FIX_SUBJECTS, type Fix, type FixSubject, parseFix } from '../profile/fix.js';
import { renderFixes, summaryLines } from '../report/fixes.js';
import { renderFixesHtml } from '../report/fixes-html.js';
import { FIXES_VERSION } from '../results/fixes.js';
import { toolVersion } from '../results/version.js';
import { EXIT, EXIT_HELP, UserError } from './exit.js';
import { labOf, note, releasing } from './labs.js';
import { kernelOption } from './options.js';

const CATALOGUE = fileURLToPath(new URL('../../../fixes/', import.meta.url));

interface FixesOptions {
  readonly kernels: string[];
  readonly host: boolean;
  readonly strategies?: StrategyName[];
  readonly subjects: FixSubject[];
  readonly only?: string[];
  readonly out: string;
  readonly resume?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function registerFixes(program: Command): void {
  program
    .command('fixes')
    .description(
      'put every fix of the catalogue, each alone, to strategies on kernels and to real proxies, and make a league table: works, does nothing, harms',
    )
    .option(
      '--kernels <names>',
      'guests beside the kernel of this machine, as bullseye,bookworm,trixie,sid',
      kernelOption,
      [],
    )
    .option('--no-host', 'not on the kernel of this machine')
    .option(
      '--strategies <names>',
      `of ${FIX_STRATEGIES.join(', ')} (default: ${STRATEGIES.join(',')}; with --subjects: none)`,
      strategiesOption,
    )
    .option(
      '--subjects <names>',
      `real proxies, on the kernel of this machine: of ${FIX_SUBJECTS.join(', ')}`,
      (text: string) => namesOption(text, FIX_SUBJECTS),
      [],
    )
    .option('--only <fixes>', 'these fixes only, as tw-reuse-1,fin-timeout', (text: string) => text.split(','))
    .option('--out <folder>', 'where result folders are made', 'reports')
    .option('--resume <folder>', 'go on with a table that was interrupted; the same kernels, strategies and fixes')
    .option('--json', 'the whole table as JSON on standard output', false)
    .option('--quiet', 'no progress', false)
    .addHelpText(
      'after',
      () =>
        `\nThe catalogue: ${fixNames().join(', ')}\n\nExample:\n  bindstorm fixes\n  bindstorm fixes --kernels bullseye,bookworm,trixie,sid\n  bindstorm fixes --subjects squid,haproxy,nginx,dante\n${EXIT_HELP}`,
    )
    .action(async (options: FixesOptions) => {
      process.exitCode = await fixes(options);
    });
}

const STRATEGIES: readonly StrategyName[] = ['bind', 'bind-reuseaddr', 'bind-no-port'];

function strategiesOption(text: string): StrategyName[] {
  return namesOption(text, FIX_STRATEGIES);
}

function namesOption<T extends string>(text: string, allowed: readonly T[]): T[] {
  const names = text.split(',').map((name) => {
    const found = allowed.find((known) => known === name.trim());
    if (found === undefined) throw new InvalidArgumentError(`Found ${name}; allowed are ${allowed.join(', ')}.`);
    return found;
  });
  return [...new Set(names)];
}

function fixNames(): string[] {
  return readdirSync(CATALOGUE)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace(/\.yaml$/, ''))
    .sort();
}

/** The catalogue, or a part of it. @throws UserError */
function readCatalogue(only: readonly string[] | undefined): Fix[] {
  const names = fixNames();
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UserError(`found --only ${unknown}; the catalogue has ${names.join(', ')}`);
  return (only ?? names).map((name) => {
    const path = join(CATALOGUE, `${name}.yaml`);
    return parseFix(readFileSync(path, 'utf8'), path);
  });
}

async function fixes(options: FixesOptions): Promise<number> {
  const { kernels, subjects, resume } = options;
  const strategies = options.strategies ?? (subjects.length > 0 ? [] : STRATEGIES);
  const catalogue = readCatalogue(options.only);
  const names = [...(options.host ? [HOST] : []), ...kernels];
  if (subjects.length > 0 && !options.host)
    throw new UserError(
      'found --subjects with --no-host: proxies are programs of this machine, and guests have none; leave one of the two out',
    );
  if (names.length === 0)
    throw new UserError('found --no-host and no kernel; name some with --kernels bookworm,trixie');
  if (strategies.length === 0 && kernels.length > 0)
    throw new UserError(
      'found --kernels with --subjects alone: proxies are programs of this machine, and guests have none; add --strategies, as --strategies bind, or leave the kernels out',
    );
  if (resume !== undefined && !existsSync(resume))
    throw new UserError(`found no folder ${resume}; --resume takes one that \`bindstorm fixes\` has made`);
  if (resume !== undefined && !isOfKind(resume, 'fixes'))
    throw new UserError(
      anotherKind(resume, 'fixes') ??
        `${resume} holds no table of fixes; name a folder that \`bindstorm fixes\` has made, as reports/fixes-…`,
    );
  const dir = resume ?? createResultFolder(options.out, 'fixes', new Date());
  return withLockedFolder(dir, note, () => makeTables(dir, catalogue, names, strategies, options));
}

/** Table after table; after each of them the files say what is known so far. @returns the exit code */
async function makeTables(
  dir: string,
  catalogue: readonly Fix[],
  names: readonly string[],
  strategies: readonly StrategyName[],
  options: FixesOptions,
): Promise<number> {
  const { kernels, subjects, quiet, json } = options;
  const command = `bindstorm fixes${options.host ? '' : ' --no-host'}${kernels.length > 0 ? ` --kernels ${kernels.join(',')}` : ''}${strategies.length > 0 ? ` --strategies ${strategies.join(',')}` : ''}${subjects.length > 0 ? ` --subjects ${subjects.join(',')}` : ''}${options.only ? ` --only ${options.only.join(',')}` : ''}`;
  const before = readBefore(dir);
  const startedAt = before?.startedAt ?? new Date().toISOString();
  const interrupted = new AbortController();
  const stop = () => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  mkdirSync(join(dir, 'runs'), { recursive: true });
  const tables: FixTable[] = [];
  let complete = true;
  const reportNow = (): FixReport => ({
    schemaVersion: FIXES_VERSION,
    tool: toolVersion(),
    startedAt,
    finishedAt: new Date().toISOString(),
    command,
    fixes: [...catalogue],
    tables,
  });
  const folderOf = (kernel: string, of: string) => join(dir, FIXES_WORK, `${kernel.replaceAll('/', '_')}.${of}`);
  const put = async (kernel: string, of: FixRow) => {
    const end = await releasing((labs) =>
      runFixes({
        fixes: catalogue,
        of,
        kernel,
        dir: folderOf(kernel, rowFile(of)),
        engineOf,
        labOf: (experiment, name) => {
          const lab = labOf(experiment, name);
          labs.push(lab);
          return lab;
        },
        command,
        signal: interrupted.signal,
        onRun: (fix, done, total) => {
          if (!quiet) process.stderr.write(`${kernel} ${rowFile(of)} ${done + 1}/${total}: ${fix}\n`);
        },
      }),
    );
    tables.push(end.table);
    complete &&= end.complete;
    replace(join(dir, runsFile(kernel, of)), `${end.runs.join('\n')}\n`);
    writeReport(dir, reportNow());
  };
  for (const strategy of strategies) {
    for (const kernel of names) {
      if (interrupted.signal.aborted) break;
      await put(kernel, { strategy });
    }
  }
  for (const kind of subjects) {
    if (interrupted.signal.aborted) break;
    const found = await subjectRow(kind, folderOf(HOST, kind));
    if (found.kind === 'there') {
      await put(HOST, found.of);
      continue;
    }
    process.stderr.write(`not there: ${found.why}\n`);
    tables.push(absentTable(catalogue, found.of, found.why));
    writeReport(dir, reportNow());
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  const report = reportNow();
  if (json) process.stdout.write(`${JSON.stringify({ ...report, folder: dir })}\n`);
  else
    process.stdout.write(
      `${summaryLines(report).join('\n')}\n\nTable: ${join(dir, 'fixes.html')}, ${join(dir, 'README.md')}\n`,
    );
  for (const text of disagreements(report)) process.stderr.write(`not as predicted: ${text}\n`);
  if (interrupted.signal.aborted) {
    process.stderr.write(`go on with: ${command} --resume ${dir}\n`);
    return EXIT.interrupted;
  }
  return complete ? EXIT.ok : EXIT.runFailed;
}

/** Of a table that was interrupted: when it began. */
function readBefore(dir: string): Pick<FixReport, 'startedAt'> | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, FIXES_FILE), 'utf8')) as FixReport;
  } catch {
    return undefined;
  }
}

function writeReport(dir: string, report: FixReport): void {
  replace(join(dir, FIXES_FILE), `${JSON.stringify(report)}\n`);
  replace(join(dir, 'README.md'), renderFixes(report));
  replace(join(dir, 'fixes.html'), renderFixesHtml(report));
}

/** A reader sees the old file or the new one. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
