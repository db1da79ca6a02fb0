/**
 * Text from outside (logs, profiles, other machines) as it may be shown: a terminal obeys control characters (ECMA-48: titles, clipboard,
 * clear), and bidirectional controls reverse what a reader sees (CVE-2021-42574). They are spelled out. Pure.
 */

/** C0, DEL and C1; line and paragraph separators; the embeddings, overrides, isolates and marks of UAX #9. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line: every control character as `\u001b`, line breaks and tabs too. */
export function printable(text: string): string {
  return text.replace(UNSEEN, spelled);
}

/** Lines: as `printable`, but line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(UNSEEN, (character) =>
    character === '\n' || character === '\t' ? character : spelled(character),
  );
}

/** One line of running text: what is white is one blank, as a line break within a description, and the rest as `printable`. */
export function printableWords(text: string): string {
  return printable(text.replace(/\s+/gu, ' '));
}

/** The same of every text in plain data, keys too: outcomes are named by what a proxy has answered. @returns a copy */
export function printableAll(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(printableAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [printable(key), printableAll(item)]));
}

function spelled(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
