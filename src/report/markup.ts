/**
 * HTML by tagged templates that escape what they are given: a name in a profile may hold markup, and nothing but this file
 * decides what is markup.
 */
import { printableLines } from '../domain/printable.js';

/** HTML that is safe to insert as it is. */
export interface Markup {
  readonly html: string;
}

export type Content = Markup | string | number | null | undefined | readonly Content[];

/** Builds markup; every interpolated string is escaped, markup is not, arrays are joined, null and undefined vanish. */
export function html(texts: TemplateStringsArray, ...contents: Content[]): Markup {
  let result = texts[0]!;
  for (const [index, content] of contents.entries()) result += render(content) + texts[index + 1]!;
  return { html: result };
}

/** Declares a text to be markup: only for what this program made itself, as the SVG of a chart. */
export function trusted(text: string): Markup {
  return { html: text };
}

/** For element content and for attribute values in double quotes. */
function escapeHtml(text: string): string {
  return printableLines(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(content: Content): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  if (Array.isArray(content)) return content.map(render).join('');
  return (content as Markup).html;
}
