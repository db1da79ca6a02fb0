/**
 * The catalogue of fixes from its labs to the league table.
 */
import { join } from 'node:path';
import { disagreements } from '../analysis/fixes.js';
import { type CatalogueChoice, catalogueOptions, type TablesElsewhere, tryCatalogue } from '../experiment/catalogue.js';
import { createResultFolder } from '../experiment/folder.js';
import type { BeginOf } from '../experiment/journal-entry.js';
import { beginSession, resumeSession, type Session } from '../experiment/session.js';
import { createHeartbeat } from '../machine/heartbeat.js';
import { interruptible } from '../machine/interrupts.js';
import { replaceFile } from '../machine/replace-file.js';
import { renderFixes, renderFixesHtml, summaryLines } from '../report/fixes.js';
import { SCHEMA_VERSION } from '../results/schema.js';
import { EXIT, UserError } from './exit.js';
import { commandLine, type RunOptions, type Shown } from './options.js';
import { note, print } from './terminal.js';

/** Try the catalogue in a new result folder. @returns the exit code */
export function startFixes(options: RunOptions & CatalogueChoice): Promise<number> {
  const dir = createResultFolder(options.out, 'fixes', new Date());
  return beginSession(dir, beginOfFixes(options), note, (session) => makeTables(session, options));
}

/** The first record of the journal. @throws UserError for options that exclude each other, or a fix that is not there */
export function beginOfFixes(options: CatalogueChoice): BeginOf<'fixes'> {
  return {
    type: 'begin',
    kind: 'fixes',
    schemaVersion: SCHEMA_VERSION,
    startedAt: new Date().toISOString(),
    command: commandLine(),
    options: catalogueOptions(options),
  };
}

/** Make what is missing of the tables in a folder. @returns the exit code */
export function resumeFixes(dir: string, options: Shown): Promise<number> {
  return resumeSession(dir, 'fixes', note, (session) => {
    if (session.contents.begin.fleet)
      throw new UserError(
        `a fleet has begun ${dir}, and its tables are of other machines; resume it there: --fleet WHERE`,
      );
    session.journal.append({ type: 'resume', at: new Date().toISOString() });
    return makeTables(session, options);
  });
}

/**
 * Make what is missing of the tables; after each of them the files say what is known so far.
 * @param elsewhere other machines, which make them @returns the exit code
 */
export async function makeTables(
  session: Session<'fixes'>,
  { json, quiet, fleet }: Shown & Pick<RunOptions, 'fleet'>,
  elsewhere?: TablesElsewhere,
): Promise<number> {
  const { dir } = session;
  const heartbeat = createHeartbeat(quiet ? () => {} : note);
  const { report, complete, interrupted } = await interruptible(note, async (signal) => ({
    ...(await tryCatalogue(session, {
      ...(elsewhere ? { elsewhere } : {}),
      signal,
      note,
      onRun(kernel, row, fix, done, total) {
        const run = `${kernel} ${row} ${done + 1}/${total}: ${fix}`;
        if (!quiet) note(run);
        heartbeat.said();
        heartbeat.waitFor(() => run);
      },
      onReport(report) {
        replaceFile(join(dir, 'fixes.json'), `${JSON.stringify(report)}\n`);
        replaceFile(join(dir, 'README.md'), renderFixes(report));
        replaceFile(join(dir, 'fixes.html'), renderFixesHtml(report));
      },
    })),
    interrupted: signal.aborted,
  })).finally(heartbeat.stop);
  print(
    json
      ? `${JSON.stringify({ ...report, folder: dir })}\n`
      : `${summaryLines(report).join('\n')}\n\nTable: ${join(dir, 'fixes.html')}, ${join(dir, 'README.md')}\n`,
  );
  for (const text of disagreements(report)) note(`not as predicted: ${text}`);
  if (!complete) note(`resume with: bindstorm fixes --resume ${dir}${fleet === undefined ? '' : ` --fleet ${fleet}`}`);
  if (interrupted) return EXIT.interrupted;
  if (complete) return EXIT.ok;
  return elsewhere ? EXIT.noLab : EXIT.runFailed;
}
