/**
 * `bindstorm compare`: two result folders, of other machines, other kernels or other days.
 */
import type { Command } from 'commander';
import { compareResults, gotWorse } from '../analysis/compare-results.js';
import { readResults } from '../experiment/folder.js';
import { renderComparison } from '../report/comparison.js';
import { EXIT } from './exit.js';
import { note, print } from './terminal.js';

/** Adds the command. */
export function registerCompare(program: Command): void {
  program
    .command('compare')
    .description('compare two results of one profile, from different machines, kernels or days')
    .argument('<a>', 'the result folder of before')
    .argument('<b>', 'the result folder of after')
    .option('--json', 'as JSON', false)
    .addHelpText(
      'after',
      `
Example:
  bindstorm compare reports/quickstart-20261122-101500Z reports/quickstart-20261129-101500Z

Exit codes: 0 nothing got worse, 1 something did, 2 bad input, 6 the two cannot be compared.`,
    )
    .action((a: string, b: string, { json }: { json: boolean }) => {
      const warn = (text: string) => note(`warning: ${text}`);
      const comparison = compareResults(readResults(a, warn), readResults(b, warn));
      print(json ? `${JSON.stringify({ a, b, ...comparison })}\n` : renderComparison(comparison, { a, b }));
      process.exitCode =
        comparison.refused !== null ? EXIT.incomparable : gotWorse(comparison) ? EXIT.threshold : EXIT.ok;
    });
}
