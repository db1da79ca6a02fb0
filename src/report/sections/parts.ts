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

/** The same where there is room for the symbol only; the word is its accessible name and its tooltip. */
export function mark(verdict: VerdictWord): Markup {
  const name = verdict.replaceAll(' ', '-');
  return html`<span class="badge mark ${name}" role="img" aria-label="${verdict}" title="${verdict}">${VERDICT_SYMBOLS[verdict]}</span>`;
}

/** A name or a setting in code type, which may break after its dots, underscores and colons and nowhere else. */
export function code(text: string): Markup {
  return html`<code>${text.split(/(?<=[._:])/).map((part, index) => (index === 0 ? part : html`<wbr>${part}`))}</code>`;
}

export interface Column {
  readonly title: string;
  readonly numeric?: boolean;
  /** Sentences, which wrap; other cells do not. */
  readonly prose?: boolean;
}

/** A table that scrolls by itself where it is wider than the page. The first cell of a row is its header. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const head = (column: Column) => html`<th scope="col"${kind(column)}>${column.title}</th>`;
  const cell = (content: Content, index: number) =>
    index === 0 ? html`<th scope="row">${content}</th>` : html`<td${kind(columns[index])}>${content}</td>`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(head)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>
`;
}

function kind(column: Column | undefined): Markup | null {
  if (column?.numeric) return html` class="number"`;
  return column?.prose ? html` class="prose"` : null;
}

export function bullets(items: readonly Content[]): Markup | null {
  return items.length === 0 ? null : html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>`;
}
