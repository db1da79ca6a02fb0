/**
 * `bindstorm report`: make the reports of a result folder again, from what is stored in it alone.
 */
import type { Command } from 'commander';
import { withLockedFolder } from '../experiment/folder-lock.js';
import { withOptions } from './options.js';
import { present, printSummary } from './present.js';
import { note, print } from './terminal.js';

/** Adds the command. */
export function registerReport(program: Command): void {
  withOptions(
    program
      .command('report')
      .description('rebuild the reports of a result folder from its stored results')
      .argument('<folder>', 'a folder that `bindstorm run` has made'),
    ['json'],
  )
    .addHelpText('after', '\nExample:\n  bindstorm report reports/quickstart-20261122-101500Z')
    .action(async (folder: string, { json }: { json: boolean }) => {
      const { results, reports } = await withLockedFolder(folder, note, () => present(folder));
      if (json) print(`${JSON.stringify(results)}\n`);
      else printSummary(results, [`\nWritten: ${reports.join(', ')}`]);
    });
}
