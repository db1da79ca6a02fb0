/**
 * A document as GitHub Flavored Markdown, for a pull request or a ticket. It starts with a second-level heading, so that it can be pasted
 * below other text. Pure.
 */
import type { Block, Document, Figure, Inline, Table } from './document.js';
import { VERDICT_SYMBOLS, verdictText } from './format.js';
import { code, fenced, table, text } from './gfm.js';

/** @param level of the title; sections are one deeper. At level 1 it is a page of its own, whose title needs no kicker */
export function toMarkdown({ kicker, title, blocks }: Document, level = 2): string {
  return `${[`${'#'.repeat(level)} ${level === 1 ? '' : `${text(kicker)}: `}${text(title)}`, ...blocksIn(blocks, level + 1)].join('\n\n')}\n`;
}

function blocksIn(blocks: readonly Block[], level: number): string[] {
  return blocks.map((block) => blockOf(block, level)).filter((block) => block !== '');
}

function blockOf(block: Block, level: number): string {
  switch (block.kind) {
    case 'section': {
      const inside = blocksIn(block.blocks, level + 1);
      if (block.part) return foldOf(inline(block.title), inside);
      const anchor = block.anchored ? `<a id="${block.id}"></a>` : '';
      return [`${'#'.repeat(level)} ${anchor}${inline(block.title)}`, ...inside].join('\n\n');
    }
    case 'text':
      return block.style === 'answer' ? `**${inline(block.content)}**` : inline(block.content);
    case 'list':
      return bullets(block.items.map(inline));
    case 'terms':
      return bullets(block.entries.map(([term, content]) => `${inline(term)}: ${inline(content)}`));
    case 'code':
      return fenced(block.language, block.text);
    case 'fold':
      return foldOf(text(block.summary), blocksIn(block.blocks, level));
    case 'notice': {
      const notes = [...(block.strong === null ? [] : [`**${text(block.strong)}**`]), ...block.items.map(inline)];
      return notes.map((line) => `> ${line}`).join('\n>\n');
    }
    case 'card':
      return [`**${inline(block.title)}**`, ...blocksIn(block.blocks, level)].join('\n\n');
    case 'group':
      return blocksIn(block.blocks, level).join('\n\n');
    case 'table':
      return tableOf(block);
    case 'figure':
      return figureOf(block);
    case 'picture':
      return block.preview === block.path
        ? `![${text(block.alt)}](${block.path})`
        : `[![${text(block.alt)}](${block.preview})](${block.path})`;
    case 'legend':
      return '';
  }
}

function foldOf(summary: string, inside: readonly string[]): string {
  return [`<details><summary>${summary}</summary>`, ...inside, '</details>'].join('\n\n');
}

function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function tableOf({ columns, rows }: Table): string {
  return table(
    columns.map(({ title }) => inline(title)),
    rows.map((row) => row.map(inline)),
    columns.map(({ numeric }) => (numeric ? '--:' : '---')),
  );
}

/** Its numbers: a ticket shows charts as pictures. */
function figureOf({ caption, numbers: { head, rows } }: Figure): string {
  if (rows.length === 0) return inline(caption);
  const numbers = table(
    head.map(text),
    rows.map((row) => row.map(inline)),
    head.map((_, i) => (i === 0 ? '---' : '--:')),
  );
  return `${inline(caption)}\n\n${numbers}`;
}

function inline(content: Inline): string {
  if (typeof content === 'string') return text(content);
  if (!('kind' in content)) return content.map(piece).join('');
  switch (content.kind) {
    case 'code':
      return code(content.text);
    case 'strong':
      return `**${inline(content.content)}**`;
    case 'name':
      return `**${text(content.text)}**`;
    case 'unbroken':
    case 'tone':
      return inline(content.content);
    case 'lines':
      return content.items.map(inline).join('<br>');
    case 'note':
      return content.apart
        ? content.items.map((item) => `<br>${inline(item)}`).join('')
        : ` (${content.items.map(inline).join(', ')})`;
    case 'verdict':
      return verdictText(content.verdict);
    case 'mark':
      return VERDICT_SYMBOLS[content.verdict];
    case 'passed':
      return content.passed ? '✓ passed' : '✗ failed';
    case 'output':
      return code(content.text);
    case 'link':
      return `[${inline(content.content)}](${content.to})`;
  }
}

/** A piece of a line keeps the space at its ends. */
function piece(content: Inline): string {
  if (typeof content !== 'string' || content.trim() === '')
    return typeof content === 'string' ? content : inline(content);
  return `${/^\s/.test(content) ? ' ' : ''}${text(content)}${/\s$/.test(content) ? ' ' : ''}`;
}
