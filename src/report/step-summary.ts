/**
 * The short report on the page of a CI job: GitHub Actions (and Gitea, Forgejo) give each step a file to append Markdown to.
 */
import { appendFileSync } from 'node:fs';
import type { Results } from '../results/schema.js';
import { applyOf } from './apply.js';
import { renderSummary } from './render.js';

/** Append to the file that $GITHUB_STEP_SUMMARY names, where it is set. A file that cannot be written is a warning, no failure. */
export function appendStepSummary(results: Results): void {
  const path = process.env.GITHUB_STEP_SUMMARY;
  if (!path) return;
  try {
    appendFileSync(path, `${renderSummary(results, applyOf(results))}\n`);
  } catch (error) {
    process.stderr.write(
      `warning: the job summary cannot be written (${error instanceof Error ? error.message : error})\n`,
    );
  }
}
