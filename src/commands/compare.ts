/**
 * `bindstorm compare`: two result folders, of other machines, other kernels, other days, or before and after a change.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { compareResults, gotWorse, type ResultComparison } from '../analysis/compare-results.js';
import { createResultFolder, readResults } from '../experiment/folder.js';
import { replaceFile } from '../machine/replace-file.js';
import { comparisonFiles, renderComparison, type Sides } from '../report/comparison.js';
import { EXIT } from './exit.js';
import { type RunOptions, withOptions } from './options.js';
import { hasColour, note, print } from './terminal.js';

/** Adds the command. */
export function registerCompare(program: Command): void {
  withOptions(
    program
      .command('compare')
      .description(
        'compare two results of one profile, from different machines, kernels or days, or before and after a change',
      )
      .argument('<a>', 'the earlier result folder')
      .argument('<b>', 'the later result folder'),
    ['out', 'json'],
  )
    .option(
      '--changed',
      'b was measured after a change of your own: compare arms even where their settings differ',
      false,
    )
    .addHelpText(
      'after',
      `
Example:
  bindstorm compare reports/quickstart-20261122-101500Z reports/quickstart-20261129-101500Z
  bindstorm compare --changed reports/my-proxy-20261122-101500Z reports/my-proxy-20261129-101500Z

Exit codes: 0 nothing got worse, 1 something did, 2 bad input, 6 the two cannot be compared.`,
    )
    .action((a: string, b: string, { out, json, changed }: RunOptions & { changed: boolean }) => {
      const warn = (text: string) => note(`warning: ${text}`);
      const [before, after] = [readResults(a, warn), readResults(b, warn)];
      const comparison = compareResults(before, after, changed);
      const folder = comparison.refused === null ? keep(comparison, { a, b }, out, after.experiment.name) : null;
      if (json) print(`${JSON.stringify({ a, b, folder, ...comparison })}\n`);
      else {
        // With colours; whatever comes from outside is made printable where it is rendered.
        const options = { colour: hasColour(), width: process.stdout.columns ?? 100 };
        process.stdout.write(renderComparison(comparison, { a, b }, options));
        if (folder !== null) print(`\nReport: ${join(folder, 'compare.html')}\nFiles:  ${folder}\n`);
      }
      process.exitCode =
        comparison.refused !== null ? EXIT.incomparable : gotWorse(comparison) ? EXIT.threshold : EXIT.ok;
    });
}

/** The comparison as files in a folder of its own. @returns the folder */
function keep(comparison: ResultComparison, sides: Sides, out: string, experiment: string): string {
  const folder = createResultFolder(out, `${experiment}-compare`, new Date());
  for (const [name, text] of Object.entries(comparisonFiles(comparison, sides))) replaceFile(join(folder, name), text);
  return folder;
}
