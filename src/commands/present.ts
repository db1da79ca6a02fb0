/**
 * The end of a run, or of a report that is rebuilt: the files in the result folder, and the summary on standard output.
 */
import { readResults, writeResults } from '../experiment/folder.js';
import { renderTerminal } from '../report/render.js';
import { appendStepSummary } from '../report/step-summary.js';
import { writeReports } from '../report/write.js';
import type { Results } from '../results/schema.js';
import { hasColour } from './terminal.js';

/** Make results and reports from what is in a folder. @returns the results, and the paths of the reports */
export async function present(dir: string): Promise<{ results: Results; reports: string[] }> {
  const results = readResults(dir);
  writeResults(dir, results);
  const reports = await writeReports(dir, results);
  appendStepSummary(results);
  return { results, reports };
}

/** The summary on standard output. @param lines that follow it */
export function printSummary(results: Results, lines: readonly string[]): void {
  const summary = renderTerminal(results, { colour: hasColour(), width: process.stdout.columns || 100 });
  process.stdout.write(`${summary}${lines.join('\n')}\n`);
}
