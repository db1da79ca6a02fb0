/** A chart with its caption and the same numbers as a table, and the keys of charts. */
import type { Variant } from '../../results/schema.js';
import { type Content, html, type Markup, trusted } from '../markup.js';
import { badge } from './parts.js';

export interface FigureTable {
  readonly head: readonly string[];
  /** The first cell of a row is its header. */
  readonly rows: readonly (readonly Content[])[];
}

export interface Figure {
  /** What a screen reader says instead of the chart. */
  readonly label: string;
  /** Null: there is nothing to draw. */
  readonly svg: string | null;
  readonly caption: Content;
  readonly table: FigureTable | null;
}

export function figure({ label, svg, caption, table }: Figure): Markup {
  const chart =
    svg === null
      ? html`<div class="chart empty">no run to show</div>`
      : html`<div class="chart" role="img" aria-label="${label}">${trusted(svg)}</div>`;
  return html`<figure>${chart}
<figcaption>${caption}</figcaption>${svg === null || table === null ? null : tableFold(table)}</figure>
`;
}

/** The figure of one arm. */
export function panel(
  variant: Variant,
  about: string,
  text: string,
  svg: string | null,
  table: FigureTable | null,
): Markup {
  return figure({
    label: `${about}, ${variant.name}: ${text}`,
    svg,
    caption: html`<strong>${variant.name}</strong> ${variant.verdict ? badge(variant.verdict.verdict) : null}<br>${text}`,
    table,
  });
}

function tableFold({ head, rows }: FigureTable): Markup {
  return html`<details class="numbers"><summary>Numbers</summary><div class="scroll"><table>
<thead><tr>${head.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>\n`)}</tbody>
</table></div></details>`;
}

/** At most so many rows of a table stand for a curve: its shape is in the chart. */
const MOST_ROWS = 12;

/** Rows at equal distances, the last one always among them. */
export function thinned<T>(rows: readonly T[]): T[] {
  const step = Math.ceil(rows.length / MOST_ROWS);
  return rows.filter((_, i) => (rows.length - 1 - i) % step === 0);
}

export function legend(entries: readonly { swatch: Markup; text: string }[]): Markup | null {
  if (entries.length === 0) return null;
  return html`<ul class="legend">${entries.map(({ swatch, text }) => html`<li>${swatch}${text}</li>`)}</ul>
`;
}

export function areaSwatch(colour: string): Markup {
  return html`<svg viewBox="0 0 28 12" aria-hidden="true"><rect y="1" width="28" height="10" fill="${colour}"/></svg>`;
}

export function lineSwatch(colour: string, dash: readonly number[], width: number): Markup {
  return html`<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M0 6H28" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash.join(' ')}"/></svg>`;
}
