/**
 * A report as a tree: headings, texts, tables, figures. What is said is decided here, before any format: the renderers (html.ts,
 * markdown.ts, terminal.ts) know the kinds of this file and nothing of experiments. Pure.
 */
import type { VerdictWord } from '../results/schema.js';
import type { ChartOption } from './charts/axes.js';
import type { Palette } from './charts/palette.js';

/** Text within a line or a cell. An array is one piece after the other. */
export type Inline =
  | string
  | readonly Inline[]
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong'; readonly content: Inline }
  /** What a row is about; bold, but where its cell is bold already. */
  | { readonly kind: 'name'; readonly text: string }
  /** Kept on one line where the format can. */
  | { readonly kind: 'unbroken'; readonly content: Inline }
  /** Below each other; in a row, with commas, where there is one line only. */
  | { readonly kind: 'lines'; readonly items: readonly Inline[] }
  /**
   * What the text before rests on: small lines on the page, in parentheses elsewhere, or below it in a ticket (`apart`); `short` is
   * for a terminal, which has one line.
   */
  | { readonly kind: 'note'; readonly items: readonly Inline[]; readonly short?: string; readonly apart?: boolean }
  | { readonly kind: 'verdict'; readonly verdict: VerdictWord }
  /** The verdict's symbol before a text, where there is no room for the word. */
  | { readonly kind: 'mark'; readonly verdict: VerdictWord }
  | { readonly kind: 'passed'; readonly passed: boolean }
  /** What a program printed, line breaks included. */
  | { readonly kind: 'output'; readonly text: string }
  /** Content with a colour, as of a cell: a word of the style sheet. `title`: more words, for a pointer and a screen reader. */
  | { readonly kind: 'tone'; readonly tone: string; readonly content: Inline; readonly title?: string }
  | { readonly kind: 'link'; readonly to: string; readonly content: Inline; readonly title?: string };

/** Where a report is read: a page in a browser, a comment in a pull request or a ticket, a terminal. */
export type Format = 'page' | 'ticket' | 'terminal';

/** What a person reads at length, and what only a page has room for. */
export const WRITTEN: readonly Format[] = ['page', 'ticket'];
export const PAGE: readonly Format[] = ['page'];

interface Shown {
  /** The formats that show it; absent: all. */
  readonly only?: readonly Format[];
}

export interface Column extends Shown {
  readonly title: Inline;
  readonly numeric?: boolean;
  /** Its cells may be long, and wrap where there is no room: sentences, or lists of names. Other cells do not. */
  readonly wraps?: 'sentences' | 'list';
  /** A heading above this column and the following ones with the same text. */
  readonly group?: string;
}

export interface Table extends Shown {
  readonly kind: 'table';
  /** Null: it is below its own title. */
  readonly caption: string | null;
  readonly columns: readonly Column[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Inline[])[];
  /** `cards`: on a narrow screen each row is a card of its own. `dense`: many narrow columns. */
  readonly style?: 'cards' | 'dense';
}

/** A chart, with the same numbers as a table: whoever cannot see the chart reads those. */
export interface Figure extends Shown {
  readonly kind: 'figure';
  /** Unique in its document part. */
  readonly id: string;
  /** What a screen reader says instead of the chart. */
  readonly label: string;
  readonly caption: Inline;
  /** Null: there is nothing to draw. */
  readonly chart: {
    readonly option: (palette: Palette) => ChartOption;
    readonly width: number;
    readonly height: number;
  } | null;
  readonly numbers: { readonly head: readonly string[]; readonly rows: readonly (readonly Inline[])[] };
}

/** How a curve or an area of the charts looks. */
export type Swatch =
  | { readonly kind: 'area'; readonly colour: string }
  | { readonly kind: 'line'; readonly colour: string; readonly dash: readonly number[]; readonly width: number };

export interface Section extends Shown {
  readonly kind: 'section';
  /** The anchor; stays the same from version to version. */
  readonly id: string;
  readonly title: Inline;
  /** Its title in the navigation. */
  readonly nav: string;
  readonly blocks: readonly Block[];
  /** Has sections of its own; a fold in a ticket. */
  readonly part?: boolean;
  /** Other places of the document link to it. */
  readonly anchored?: boolean;
}

export type Block =
  | Section
  | Table
  | Figure
  | ({
      readonly kind: 'text';
      readonly content: Inline;
      /** `answer`: what a reader in a hurry needs. `lead`: what the report is about. */
      readonly style?: 'answer' | 'lead' | 'aside';
    } & Shown)
  | ({ readonly kind: 'list'; readonly items: readonly Inline[] } & Shown)
  | ({ readonly kind: 'terms'; readonly entries: readonly (readonly [term: Inline, text: Inline])[] } & Shown)
  | ({ readonly kind: 'code'; readonly language: string; readonly text: string } & Shown)
  | ({ readonly kind: 'fold'; readonly summary: string; readonly blocks: readonly Block[] } & Shown)
  /** What to be wary of; the first few in sight, the others in a fold. */
  | ({ readonly kind: 'notice'; readonly strong: string | null; readonly items: readonly Inline[] } & Shown)
  /** A block with a small title, as one of several beside or below each other. */
  | ({
      readonly kind: 'card';
      readonly title: Inline;
      readonly blocks: readonly Block[];
      readonly style: 'box' | 'plain';
    } & Shown)
  /** Blocks beside each other where there is room. */
  | ({
      readonly kind: 'group';
      readonly style: 'columns' | 'panels' | 'wide panels';
      readonly blocks: readonly Block[];
    } & Shown)
  | ({
      readonly kind: 'legend';
      readonly entries: readonly { readonly swatch: Swatch; readonly text: string }[];
    } & Shown)
  /** A chart in a file beside the report. `preview`: the file to show, where it is another. */
  | ({ readonly kind: 'picture'; readonly path: string; readonly preview: string; readonly alt: string } & Shown);

export interface Document {
  /** What made it, as `bindstorm report`. */
  readonly kicker: string;
  readonly title: string;
  readonly blocks: readonly Block[];
  /** For the head of a page. */
  readonly meta: { readonly title: string; readonly generator: string | null; readonly wide?: boolean };
}

/** Text in a fixed-width font, such as a sysctl. */
export const code = (text: string): Inline => ({ kind: 'code', text });
/** The name of an arm. */
export const name = (text: string): Inline => ({ kind: 'name', text });
/** Emphasised. */
export const strong = (content: Inline): Inline => ({ kind: 'strong', content });
/** Never broken over two lines. */
export const unbroken = (content: Inline): Inline => ({ kind: 'unbroken', content });
/** Each item on a line of its own. */
export const lines = (items: readonly Inline[]): Inline => ({ kind: 'lines', items });
/** The word of a verdict, with its sign and colour. */
export const verdict = (word: VerdictWord): Inline => ({ kind: 'verdict', verdict: word });
/** A paragraph. */
export const text = (content: Inline): Block => ({ kind: 'text', content });

/** Small lines under a text; nothing for none. */
export function note(items: readonly Inline[], short?: string): Inline {
  return items.length === 0 ? '' : { kind: 'note', items, ...(short === undefined ? {} : { short }) };
}

/** A list; nothing for no items. */
export function list(items: readonly Inline[]): Block[] {
  return items.length === 0 ? [] : [{ kind: 'list', items }];
}

/** A section. @param only the formats that show it; null: all. @param blocks null among them is left out */
export function section(
  id: string,
  nav: string,
  title: Inline,
  only: readonly Format[] | null,
  blocks: readonly (Block | null)[],
): Section {
  return {
    kind: 'section',
    id,
    nav,
    title,
    blocks: blocks.filter((block) => block !== null),
    ...(only ? { only } : {}),
  };
}

/** A table from columns that say how a row fills them, so that title and cell cannot get out of step. */
export function tableOf<Row>(
  caption: string | null,
  columns: readonly (Column & { readonly cell: (row: Row) => Inline })[],
  rows: readonly Row[],
  style?: Table['style'],
): Table {
  return {
    kind: 'table',
    caption,
    columns: columns.map(({ cell: _, ...column }) => column),
    rows: rows.map((row) => columns.map(({ cell }) => cell(row))),
    ...(style ? { style } : {}),
  };
}

/** What of the document a format shows. */
export function select(document: Document, format: Format): Document {
  return { ...document, blocks: shownIn(document.blocks, format) };
}

function shownIn(blocks: readonly Block[], format: Format): Block[] {
  const isShown = ({ only }: Shown) => only === undefined || only.includes(format);
  return blocks.filter(isShown).map((block): Block => {
    if (block.kind === 'table')
      return {
        ...block,
        columns: block.columns.filter(isShown),
        rows: block.rows.map((row) => row.filter((_, i) => isShown(block.columns[i]!))),
      };
    return 'blocks' in block ? { ...block, blocks: shownIn(block.blocks, format) } : block;
  });
}

/** The sections at the top, for a navigation. */
export function headings({ blocks }: Document): readonly Section[] {
  return blocks.filter((block) => block.kind === 'section');
}
