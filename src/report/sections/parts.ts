/** Pieces that several sections of the page share. */
import type { VerdictWord } from '../../results/schema.js';
import { VERDICT_SYMBOLS } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';

/** A section with its heading; the id is the target of the navigation. */
export function section(id: string, title: string, ...contents: Content[]): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${contents}
</section>
`;
}

/** A verdict as a coloured word with a symbol. */
export function badge(verdict: VerdictWord): Markup {
  const name = verdict.replaceAll(' ', '-');
  return html`<span class="badge ${name}"><span aria-hidden="true">${VERDICT_SYMBOLS[verdict]}</span> ${verdict}</span>`;
}

export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
}

/** A table that scrolls by itself where it is wider than the page. The first cell of a row is its header. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const cell = (content: Content, index: number): Markup => {
    const numeric = columns[index]?.numeric ? html` class="number"` : null;
    return index === 0 ? html`<th scope="row">${content}</th>` : html`<td${numeric}>${content}</td>`;
  };
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ title, numeric }) => html`<th scope="col"${numeric ? html` class="number"` : null}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>
`;
}

export function bullets(items: readonly Content[]): Markup | null {
  return items.length === 0 ? null : html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
}
