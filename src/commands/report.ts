/**
 * `bindstorm report`: make the reports of a result folder again, from what is stored in it alone.
 */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { readResults, writeResults } from '../experiment/folder.js';
import { withLockedFolder } from '../experiment/folder-lock.js';
import { renderTerminal } from '../report/terminal.js';
import { writeReports } from '../report/write.js';
import type { Results } from '../results/schema.js';
import { UserError } from './exit.js';
import { note } from './labs.js';
import { appendStepSummary } from './step-summary.js';

export function registerReport(program: Command): void {
  program
    .command('report')
    .description('rebuild the reports of a result folder from its stored results')
    .argument('<folder>', 'a folder that `bindstorm run` has made')
    .option('--json', 'print the results as JSON on standard output instead of the summary', false)
    .addHelpText('after', '\nExample:\n  bindstorm report reports/quickstart-20261122-101500Z')
    .action(async (folder: string, { json }: { json: boolean }) => {
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
        throw new UserError(`found no folder ${folder}; name one that \`bindstorm run\` has made, under reports/`);
      }
      const { results, written } = await withLockedFolder(folder, note, () => rebuild(folder));
      appendStepSummary(results);
      if (json) return void process.stdout.write(`${JSON.stringify(results)}\n`);
      const colour = Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined;
      process.stdout.write(renderTerminal(results, { colour, width: process.stdout.columns ?? 100 }));
      process.stdout.write(`\nWritten: ${written.join(', ')}\n`);
    });
}

async function rebuild(folder: string): Promise<{ results: Results; written: string[] }> {
  const results = readResults(folder);
  writeResults(folder, results);
  return { results, written: await writeReports(folder, results) };
}
