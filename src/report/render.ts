/** The reports on an experiment, each in its format. */
import type { Results } from '../results/schema.js';
import type { Apply } from './apply.js';
import { loadDrawing } from './charts/svg.js';
import { select } from './document.js';
import { toHtml } from './html.js';
import { toMarkdown } from './markdown.js';
import type { PictureKind } from './pictures.js';
import { reportOf, summaryOf } from './report.js';
import { searchDocument } from './search.js';
import { type TerminalOptions, toTerminal } from './terminal.js';

/** @returns a self-contained page; equal results give equal text */
export async function renderHtml(results: Results): Promise<string> {
  return toHtml(select(reportOf(results), 'page'), (await loadDrawing()).inline);
}

/** For a pull request or a ticket. @param pictures which files are beside it */
export function renderMarkdown(results: Results, pictures?: PictureKind): string {
  return toMarkdown(select(reportOf(results, pictures), 'ticket'));
}

/** The summary that closes `bindstorm run`: the verdict in one sentence, a table of the variants, and what to be wary of. */
export function renderTerminal(results: Results, options: TerminalOptions): string {
  return toTerminal(select(reportOf(results), 'terminal'), options);
}

/** The report of a search as a page. */
export async function renderSearchHtml(...search: Parameters<typeof searchDocument>): Promise<string> {
  return toHtml(select(searchDocument(...search), 'page'), (await loadDrawing()).inline);
}

/** The same for a ticket. */
export function renderSearchMarkdown(...search: Parameters<typeof searchDocument>): string {
  return toMarkdown(select(searchDocument(...search), 'ticket'), 1);
}

/** Markdown for the page of a CI job. */
export function renderSummary(results: Results, apply: Apply): string {
  return toMarkdown(summaryOf(results, apply), 3);
}
