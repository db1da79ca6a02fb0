/**
 * `bindstorm compare`: two result folders, of other machines, other kernels or other days.
 */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { compareResults, gotWorse } from '../analysis/compare-results.js';
import { readResults } from '../experiment/folder.js';
import { renderComparison } from '../report/comparison.js';
import type { Results } from '../results/schema.js';
import { EXIT, UserError } from './exit.js';

/** Adds the command. */
export function registerCompare(program: Command): void {
  program
    .command('compare')
    .description(
      'two results of one profile, of other machines, kernels or days: what differs around them, and in them',
    )
    .argument('<a>', 'a result folder: what it was')
    .argument('<b>', 'a result folder: what it is')
    .option('--json', 'as JSON', false)
    .addHelpText(
      'after',
      `
Example:
  bindstorm compare reports/quickstart-20261122-101500Z reports/quickstart-20261129-101500Z

Exit codes: 0 nothing got worse, 1 something did, 2 bad input, 6 the two cannot be compared.`,
    )
    .action((a: string, b: string, { json }: { json: boolean }) => {
      const comparison = compareResults(resultsIn(a), resultsIn(b));
      process.stdout.write(
        json ? `${JSON.stringify({ a, b, ...comparison })}\n` : renderComparison(comparison, { a, b }),
      );
      process.exitCode =
        comparison.refused !== null ? EXIT.incomparable : gotWorse(comparison) ? EXIT.threshold : EXIT.ok;
    });
}

function resultsIn(folder: string): Results {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`found no folder ${folder}; name one that \`bindstorm run\` has made, under reports/`);
  return readResults(folder);
}
