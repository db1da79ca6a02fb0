/**
 * Text for XML 1.0. Pure.
 */

/** What XML 1.0 allows in a document (§2.2, Char); everything else cannot be written even as a reference. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A parser turns these into spaces inside an attribute unless they are references (§3.3.3).
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** A text as content of an element or of an attribute in quotes. Characters that XML cannot have become U+FFFD. */
export function escapeXml(text: string): string {
  return text.replace(FORBIDDEN, '\u{FFFD}').replace(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character]!);
}

type XmlAttributes = Readonly<Record<string, string | number>>;

/** An element with attributes, and with what is already XML inside, each on a line of its own. */
export function element(name: string, attributes: XmlAttributes, ...content: readonly string[]): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  const opening = `<${name}${pairs.join('')}`;
  if (content.length === 0) return `${opening}/>`;
  const inside = content.flatMap((part) => part.split('\n')).map((line) => `  ${line}`);
  return [`${opening}>`, ...inside, `</${name}>`].join('\n');
}
