/**
 * Pieces of GitHub Flavored Markdown. Pure.
 */
import { printableLines, printableWords } from '../domain/printable.js';

/** A table. @param alignment the cells of its second line, such as `--:` */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: readonly string[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(alignment), ...rows.map((row) => line(row.map(cell)))].join('\n');
}

/** A table is split into cells before code spans are read, so a pipe must be escaped there too; text() left none elsewhere. */
function cell(content: string): string {
  return content.replace(/\|/g, '\\|');
}

/** Plain text on one line, with what Markdown or HTML would read as markup escaped. */
export function text(value: string): string {
  return printableWords(value)
    .trim()
    .replace(/[\\`*[\]~]/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\|/g, '&#124;');
}

/** A code span on one line. */
export function code(value: string): string {
  const content = printableWords(value).trim();
  const fence = '`'.repeat(longestRun(content) + 1);
  return fence.length === 1 ? `\`${content}\`` : `${fence} ${content} ${fence}`;
}

/** A block of code, fenced by more backticks than it contains in a row. */
export function fenced(language: string, content: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(content) + 1));
  return `${fence}${language}\n${printableLines(content)}\n${fence}`;
}

function longestRun(content: string): number {
  return Math.max(0, ...(content.match(/`+/g) ?? []).map((run) => run.length));
}
