/**
 * A document as text for a terminal, each line within its width. Pure.
 */

import { styleText } from 'node:util';
import { printableWords as clean } from '../domain/printable.js';
import type { VerdictWord } from '../results/schema.js';
import type { Block, Column, Document, Figure, Inline, Table } from './document.js';
import { NONE, VERDICT_SYMBOLS, verdictText } from './format.js';
import { wrap } from './wrap.js';

export interface TerminalOptions {
  readonly colour: boolean;
  /** Columns of the terminal; 60 to 120 of them are used. */
  readonly width: number;
}

type Style = Parameters<typeof styleText>[0];

interface Screen {
  readonly columns: number;
  readonly paint: (style: Style, text: string) => string;
}

const VERDICT_STYLES: Readonly<Record<VerdictWord, Style>> = {
  better: 'green',
  worse: 'red',
  'no difference': 'dim',
  'not enough evidence': 'yellow',
};

/** @returns lines that each fit the width, the last ending in a newline; blocks are a blank line apart */
export function toTerminal({ blocks }: Document, { colour, width }: TerminalOptions): string {
  const screen: Screen = {
    columns: Math.max(60, Math.min(120, Math.floor(width))),
    // validateStream would look at the process's own stdout; the caller has decided.
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  };
  return `${blocksIn(blocks, screen)
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

function blocksIn(blocks: readonly Block[], screen: Screen): string[] {
  const written = blocks.map((block) => blockOf(block, screen)).filter((lines) => lines.length > 0);
  return written.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function blockOf(block: Block, screen: Screen): string[] {
  const { columns, paint } = screen;
  switch (block.kind) {
    case 'section':
    case 'card':
      return titled(paint('bold', plain(block.title)), blocksIn(block.blocks, screen));
    case 'fold':
      return titled(`${clean(block.summary)}:`, blocksIn(block.blocks, screen));
    case 'group':
      return blocksIn(block.blocks, screen);
    case 'text': {
      const style = block.style === 'answer' ? 'bold' : block.style === 'aside' ? 'dim' : null;
      const lines = linesOf(block.content).flatMap((line) => fit(line, columns));
      return style === null ? lines : lines.map((line) => paint(style, line));
    }
    case 'list':
      return block.items.flatMap((item) => marked('-', plain(item), columns));
    case 'terms':
      return block.entries.flatMap(([term, content]) => fit(`${plain(term)}: ${plain(content)}`, columns));
    case 'code':
      return block.text.split('\n').flatMap((line) => fit(clean(line), columns));
    case 'notice':
      return [...(block.strong === null ? [] : [block.strong]), ...block.items].flatMap((item) => {
        const [first, ...rest] = marked('!', plain(item), columns);
        return [`${paint('yellow', '!')}${first!.slice(1)}`, ...rest];
      });
    case 'table':
      return tableOf(block, screen);
    case 'figure':
      return figureOf(block, screen);
    case 'legend':
    case 'picture':
      return [];
  }
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [title] : [title, ...lines];
}

function marked(mark: string, text: string, columns: number): string[] {
  return fit(text, columns - 2).map((line, i) => `${i === 0 ? mark : ' '} ${line}`);
}

/** A chart is its numbers. */
function figureOf({ caption, numbers: { head, rows } }: Figure, screen: Screen): string[] {
  const columns = head.map((title, i): Column => ({ title, numeric: i > 0 }));
  return [...fit(plain(caption), screen.columns), ...(rows.length === 0 ? [] : tableOf({ columns, rows }, screen))];
}

/** Columns between two cells. */
const GAP = 2;
/** Below this, what wraps gets lines of its own. */
const LEAST_TO_WRAP = 30;
/** A first column is cut to this before rows are given up. */
const LEAST_FOR_NAMES = 12;
/** As much of a title as may make a column wider than its cells. */
const LONGEST_TITLE = 16;

/** Side by side; what wraps below its row where there is no room; every cell on a line of its own where there is still none. */
function tableOf({ columns, rows }: Pick<Table, 'columns' | 'rows'>, screen: Screen): string[] {
  const texts = rows.map((row) => row.map(plain));
  const natural = columns.map(({ title }, i) =>
    Math.max(Math.min(plain(title).length, LONGEST_TITLE), ...texts.map((row) => row[i]!.length)),
  );
  const fixed = columns.map((_, i) => i).filter((i) => !columns[i]!.wraps);
  const wrapping = columns.map((_, i) => i).filter((i) => columns[i]!.wraps);
  const sum = (of: readonly number[]) => of.reduce((total, i) => total + natural[i]!, (of.length - 1) * GAP);
  const room = screen.columns - sum(fixed) - wrapping.length * GAP;
  if (wrapping.length === 0 || room >= Math.min(sum(wrapping), LEAST_TO_WRAP * wrapping.length)) {
    if (wrapping.length > 0 || room >= 0) {
      const share = Math.floor(room / Math.max(1, wrapping.length));
      const widths = natural.map((width, i) => (columns[i]!.wraps ? Math.min(width, share) : width));
      return besides({ columns, rows }, texts, widths, [], screen);
    }
  }
  const [first = 0, ...others] = fixed;
  const names = Math.min(natural[first]!, screen.columns - sum(others) - GAP);
  if (names >= Math.min(natural[first]!, LEAST_FOR_NAMES))
    return besides({ columns, rows }, texts, natural.with(first, names), wrapping, screen);
  return stacked({ columns, rows }, texts, screen);
}

/** @param below columns that stand under their row */
function besides(
  { columns, rows }: Pick<Table, 'columns' | 'rows'>,
  texts: readonly (readonly string[])[],
  widths: readonly number[],
  below: readonly number[],
  { columns: width, paint }: Screen,
): string[] {
  const beside = columns.map((_, i) => i).filter((i) => !below.includes(i));
  const line = (cells: readonly string[], painted = (text: string, _: number) => text) =>
    beside
      .map((i) => {
        const text = cut(cells[i]!, widths[i]!);
        const space = ' '.repeat(widths[i]! - text.length);
        // What is painted is not padded: spaces at the end of a line are taken away, with colour and without.
        return columns[i]!.numeric ? space + painted(text, i) : painted(text, i) + (i === beside.at(-1) ? '' : space);
      })
      .join(' '.repeat(GAP));
  return [
    paint('dim', line(columns.map(({ title }) => plain(title)))),
    ...rows.flatMap((row, r) => {
      const wrapped = texts[r]!.map((text, i) =>
        columns[i]!.wraps && !below.includes(i) ? fit(text, widths[i]!) : [text],
      );
      const height = Math.max(1, ...wrapped.map(({ length }) => length));
      const styled = (text: string, i: number) => paintCell(row[i]!, text, paint);
      return [
        ...Array.from({ length: height }, (_, n) =>
          line(
            wrapped.map((lines) => lines[n] ?? ''),
            styled,
          ),
        ),
        ...below.flatMap((i) =>
          ['', NONE].includes(texts[r]![i]!)
            ? []
            : fit(`${below.length > 1 ? `${plain(columns[i]!.title)}: ` : ''}${texts[r]![i]}`, width - GAP).map(
                (text) => ' '.repeat(GAP) + paint('dim', text),
              ),
        ),
      ];
    }),
  ];
}

function stacked(
  { columns, rows }: Pick<Table, 'columns' | 'rows'>,
  texts: readonly (readonly string[])[],
  { columns: width, paint }: Screen,
): string[] {
  return rows.flatMap((row, r) => [
    ...fit(texts[r]![0]!, width),
    ...columns.flatMap(({ title }, i) =>
      i === 0 || texts[r]![i] === ''
        ? []
        : fit(`${plain(title)}: ${texts[r]![i]}`, width - GAP).map(
            (line) => ' '.repeat(GAP) + paintCell(row[i]!, line, paint),
          ),
    ),
  ]);
}

/** A cell has the colour of its verdict. */
function paintCell(cell: Inline, text: string, paint: Screen['paint']): string {
  const word = verdictIn(cell);
  return word === null || text === '' ? text : paint(VERDICT_STYLES[word], text);
}

function verdictIn(content: Inline): VerdictWord | null {
  if (typeof content === 'string') return null;
  if (!('kind' in content)) return content.map(verdictIn).find((word) => word !== null) ?? null;
  return content.kind === 'verdict' ? content.verdict : null;
}

function linesOf(content: Inline): string[] {
  return typeof content === 'object' && 'kind' in content && content.kind === 'lines'
    ? content.items.map(plain)
    : [plain(content)];
}

/** One line of plain text. */
function plain(content: Inline): string {
  if (typeof content === 'string') return clean(content);
  if (!('kind' in content)) return content.map(plain).join('');
  switch (content.kind) {
    case 'code':
    case 'name':
    case 'output':
      return clean(content.text);
    case 'strong':
    case 'unbroken':
    case 'tone':
    case 'link':
      return plain(content.content);
    case 'lines':
      return content.items.map(plain).join(', ');
    case 'note':
      return content.short === undefined ? ` (${content.items.map(plain).join(', ')})` : content.short;
    case 'verdict':
      return verdictText(content.verdict);
    case 'mark':
      return VERDICT_SYMBOLS[content.verdict];
    case 'passed':
      return content.passed ? '✓ passed' : '✗ failed';
  }
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** The lines of a text; a word that is longer than a line is broken where the line ends. */
function fit(text: string, width: number): string[] {
  return wrap(text, width).flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'g')) ?? []);
}
