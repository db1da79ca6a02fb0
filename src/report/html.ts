/**
 * A document as one self-contained page: no script, and nothing is loaded from anywhere (its own content security policy forbids it), so
 * that it can be attached to a change request and opened in ten years.
 */
import { CSS_PALETTE } from './charts/palette.js';
import type { DrawSvg } from './charts/svg.js';
import {
  type Block,
  type Document,
  type Figure,
  headings,
  type Inline,
  type Section,
  type Swatch,
  type Table,
} from './document.js';
import { plural, VERDICT_SYMBOLS } from './format.js';
import { type Content, html, type Markup, trusted } from './markup.js';
import { STYLE } from './style.js';

/**
 * @param draw draws the charts; absent where the document has none
 * @returns a complete HTML document; equal documents give equal text
 */
export function toHtml(document: Document, draw?: DrawSvg): string {
  const { blocks, kicker, title, meta } = document;
  const lead = blocks.filter((block) => block.kind === 'text' && (block.style === 'lead' || block.style === 'aside'));
  const at: Place = { level: 2, prefix: '', part: null, draw };
  const first = blocks.findIndex(({ kind }) => kind === 'section');
  const before = blocks.slice(0, Math.max(first, 0)).filter((block) => !lead.includes(block));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
${meta.generator === null ? null : html`<meta name="generator" content="${meta.generator}">\n`}<link rel="icon" href="data:,">
<title>${meta.title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body${className(meta.wide ? 'wide' : null)}>
<header>
<p class="kicker">${kicker}</p>
<h1>${title}</h1>
${blocksIn(lead, at)}</header>
<main>
${blocksIn(before, at)}${navigation(headings(document))}
${blocksIn(blocks.slice(Math.max(first, 0)), at)}</main>
</body>
</html>
`.html;
}

function navigation(sections: readonly Section[]): Markup {
  return html`<nav aria-label="Sections">${sections.map(({ id, nav }) => html`<a href="#${id}">${nav}</a> `)}</nav>`;
}

/** Where in the page a block stands. */
interface Place {
  /** Of the next heading. */
  readonly level: number;
  /** Of every id, so that the same sections may occur in several parts. */
  readonly prefix: string;
  /** The part that this is in, which tells landmarks of one name apart; null: in none. */
  readonly part: { readonly anchor: string; readonly name: string } | null;
  readonly draw: DrawSvg | undefined;
}

function blocksIn(blocks: readonly Block[], at: Place): Markup[] {
  return blocks.map((block) => html`${blockOf(block, at)}\n`);
}

function blockOf(block: Block, at: Place): Markup | null {
  switch (block.kind) {
    case 'section':
      return sectionOf(block, at);
    case 'text':
      return html`<p${className(TEXT_CLASSES[block.style ?? 'plain'])}>${inline(block.content)}</p>`;
    case 'list':
      return bullets(block.items);
    case 'terms':
      return html`<dl>${block.entries.map(([term, text]) => html`<dt>${inline(term)}</dt><dd>${inline(text)}</dd>\n`)}</dl>`;
    case 'code':
      // It scrolls where it is wider than the screen, and the keyboard must be able to (WCAG 2.2, 2.1.1).
      return html`<pre tabindex="0">${block.text}</pre>`;
    case 'fold':
      return html`<details><summary>${block.summary}</summary>\n${blocksIn(block.blocks, at)}</details>`;
    case 'notice':
      return html`<aside class="banner" aria-label="Warnings">${block.strong === null ? null : html`<p><strong>! ${block.strong}</strong></p>`}${bullets(block.items.slice(0, SHOWN_NOTES))}${moreNotes(block.items.slice(SHOWN_NOTES))}</aside>`;
    case 'card':
      return block.style === 'box'
        ? html`<div class="card">${heading(at.level, inline(block.title))}\n${blocksIn(block.blocks, at)}</div>`
        : html`<article class="why">${heading(at.level, inline(block.title))}\n${blocksIn(block.blocks, at)}</article>`;
    case 'group':
      return html`<div class="${block.style}">${blocksIn(block.blocks, at)}</div>`;
    case 'legend':
      return html`<ul class="legend">${block.entries.map((entry) => html`<li>${swatch(entry.swatch)}${entry.text}</li>`)}</ul>`;
    case 'table':
      return tableOf(block, at.part?.name);
    case 'figure':
      return figureOf(block, at);
    case 'picture':
      return null;
  }
}

const TEXT_CLASSES = { plain: null, answer: 'summary', lead: 'lead', aside: 'note' } as const;

function className(name: string | null | undefined): Markup | null {
  return name ? html` class="${name}"` : null;
}

function heading(level: number, content: Content, id?: string): Markup {
  const tag = trusted(`h${level}`);
  return html`<${tag}${id === undefined ? null : html` id="${id}"`}>${content}</${tag}>`;
}

function sectionOf({ id, title, blocks, part }: Section, { level, prefix, draw, part: around }: Place): Markup {
  const anchor = prefix + id;
  const within: Place = {
    level: level + 1,
    prefix: part ? `${anchor}-` : prefix,
    part: part ? { anchor, name: plain(title) } : around,
    draw,
  };
  const label = around === null ? `${anchor}-title` : `${around.anchor}-title ${anchor}-title`;
  return html`<section id="${anchor}" aria-labelledby="${label}"${className(part ? 'kernel' : null)}>
${heading(level, inline(title), `${anchor}-title`)}
${blocksIn(blocks, within)}</section>`;
}

/** More than these push the answer off the first screen. */
const SHOWN_NOTES = 6;

function moreNotes(items: readonly Inline[]): Markup | null {
  return items.length === 0
    ? null
    : html`<details><summary>and ${plural(items.length, 'more warning')}</summary>${bullets(items)}</details>`;
}

function bullets(items: readonly Inline[]): Markup | null {
  return items.length === 0 ? null : html`<ul>${items.map((item) => html`<li>${inline(item)}</li>\n`)}</ul>`;
}

/** A table that scrolls by itself where it is wider than the page, or whose rows become cards. @param part that it is in */
function tableOf({ caption, columns, rows, style }: Table, part?: string): Markup {
  if (style === 'cards') return cardsOf({ caption, columns, rows });
  const starts = columns.map(({ group }, i) => group !== undefined && group !== columns[i - 1]?.group);
  const kind = (i: number, tone?: string) => {
    const { numeric, wraps } = columns[i]!;
    const names = [numeric ? 'number' : wraps === 'sentences' ? 'prose' : '', starts[i] ? 'first' : '', tone ?? ''];
    return className(names.filter((name) => name !== '').join(' '));
  };
  const cell = (content: Inline, i: number) => {
    if (i === 0) return html`<th scope="row">${inline(content)}</th>`;
    const tone = typeof content === 'object' && 'kind' in content && content.kind === 'tone' ? content : null;
    if (tone === null) return html`<td${kind(i)}>${inline(content)}</td>`;
    return html`<td${kind(i, tone.tone)}${tone.title === undefined ? null : html` title="${tone.title}"`}>${inline(tone.content)}</td>`;
  };
  return html`<div class="scroll" role="region" aria-label="${[part, caption ?? 'Table'].filter((text) => text !== undefined).join(': ')}" tabindex="0"><table${className(style)}>
${caption === null ? null : html`<caption>${caption}</caption>\n`}<thead>${groupRow(columns)}<tr>${columns.map(({ title }, i) => html`<th scope="col"${kind(i)}>${inline(title)}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>`;
}

/** The headings above several columns. */
function groupRow(columns: Table['columns']): Markup | null {
  if (columns.every(({ group }) => group === undefined)) return null;
  const spans: { name: string; columns: number }[] = [];
  for (const { group = '' } of columns) {
    const last = spans.at(-1);
    if (last?.name === group) last.columns++;
    else spans.push({ name: group, columns: 1 });
  }
  return html`<tr>${spans.map(({ name, columns: n }) => (name === '' ? html`<td colspan="${n}"></td>` : html`<th scope="colgroup" class="first" colspan="${n}"><code>${name}</code></th>`))}</tr>\n`;
}

/** Roles are said again: CSS that shows rows as blocks takes them away. */
function cardsOf({ caption, columns, rows }: Pick<Table, 'caption' | 'columns' | 'rows'>): Markup {
  const cell = (content: Inline, i: number) =>
    i === 0
      ? html`<th scope="row" role="rowheader">${inline(content)}</th>`
      : html`<td role="cell" data-label="${plain(columns[i]!.title)}"><div>${inline(content)}</div></td>`;
  return html`<table class="cards" role="table">
<caption class="hidden">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title }) => html`<th scope="col" role="columnheader">${inline(title)}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${row.map(cell)}</tr>\n`)}</tbody>
</table>`;
}

function plain(title: Inline): string {
  return typeof title === 'string' ? title : '';
}

function figureOf({ id, label, caption, chart, numbers }: Figure, { prefix, draw }: Place): Markup {
  if (chart === null || draw === undefined)
    return html`<figure><div class="chart empty">no run to show</div>
<figcaption>${inline(caption)}</figcaption></figure>`;
  const svg = draw(chart.option(CSS_PALETTE), prefix + id, chart.width, chart.height);
  return html`<figure><div class="chart" role="img" aria-label="${label}">${trusted(svg)}</div>
<figcaption>${inline(caption)}</figcaption><details class="numbers"><summary>Numbers</summary><div class="scroll"><table>
<thead><tr>${numbers.head.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${numbers.rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${inline(cell)}</th>` : html`<td>${inline(cell)}</td>`))}</tr>\n`)}</tbody>
</table></div></details></figure>`;
}

function swatch(look: Swatch): Markup {
  return look.kind === 'area'
    ? html`<svg viewBox="0 0 28 12" aria-hidden="true"><rect y="1" width="28" height="10" fill="${look.colour}"/></svg>`
    : html`<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M0 6H28" stroke="${look.colour}" stroke-width="${look.width}" stroke-dasharray="${look.dash.join(' ')}"/></svg>`;
}

function inline(content: Inline): Content {
  if (typeof content === 'string') return content;
  if (!('kind' in content)) return content.map(inline);
  switch (content.kind) {
    case 'code':
      return codeOf(content.text);
    case 'strong':
      return html`<strong>${inline(content.content)}</strong>`;
    case 'name':
      return content.text;
    case 'unbroken':
      return html`<span class="nowrap">${inline(content.content)}</span>`;
    case 'lines':
      return content.items.map((item, i) => html`${i > 0 ? html`<br>` : null}${inline(item)}`);
    case 'note':
      return content.items.map((item) => html`<small>${inline(item)}</small>`);
    case 'verdict':
      return html`<span class="badge ${content.verdict.replaceAll(' ', '-')}"><span aria-hidden="true">${VERDICT_SYMBOLS[content.verdict]}</span> ${content.verdict}</span>`;
    case 'mark':
      return html`<span class="badge mark ${content.verdict.replaceAll(' ', '-')}" role="img" aria-label="${content.verdict}" title="${content.verdict}">${VERDICT_SYMBOLS[content.verdict]}</span>`;
    case 'passed':
      return html`<span class="badge ${content.passed ? 'better' : 'worse'}">${content.passed ? '✓ passed' : '✗ failed'}</span>`;
    case 'output':
      return html`<pre tabindex="0">${content.text}</pre>`;
    case 'tone':
      return inline(content.content);
    case 'link':
      // A name in aria-label would have to begin with what is seen (WCAG 2.2, 2.5.3), or speech input does not find the link.
      return html`<a href="${content.to}">${inline(content.content)}${content.title === undefined ? null : html`<span class="hidden">, ${content.title}</span>`}</a>`;
  }
}

/** Longer than a narrow cell. */
const LONG_CODE = 24;

/** A long name or setting may break after its dots, underscores and colons, and nowhere else. */
function codeOf(text: string): Markup {
  const parts = text.length > LONG_CODE ? text.split(/(?<=[._:])/) : [text];
  return html`<code>${parts.map((part, i) => (i === 0 ? part : html`<wbr>${part}`))}</code>`;
}
