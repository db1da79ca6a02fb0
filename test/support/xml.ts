/** A strict reader of small XML documents: fails on anything that is not well-formed. */
import assert from 'node:assert/strict';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Of the element itself, without white space around it. */
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const OPENING = /<([A-Za-z][\w-]*)((?:\s+[A-Za-z][\w-]*="[^"<]*")*)(\/?)>/y;

function decoded(text: string): string {
  assert.doesNotMatch(text, /&(?!(?:amp|lt|gt|quot|apos|#\d+);)/, text);
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code?: string, name?: string) =>
    code === undefined ? ENTITIES[name!]! : String.fromCodePoint(Number(code)),
  );
}

export function parseXml(document: string): XmlElement {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(document, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
  const body = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  let at = 0;
  function parse(): XmlElement {
    OPENING.lastIndex = at;
    const match = OPENING.exec(body);
    assert.ok(match, `no element at ${body.slice(at, at + 60)}`);
    at += match[0].length;
    const name = match[1]!;
    const pairs = [...match[2]!.matchAll(/([\w-]+)="([^"]*)"/g)].map(
      ([, key, value]) => [key!, decoded(value!)] as const,
    );
    assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, `an attribute of ${name} twice`);
    const children: XmlElement[] = [];
    let text = '';
    while (match[3] === '') {
      const next = body.indexOf('<', at);
      assert.ok(next >= 0, `${name} is not closed`);
      text += decoded(body.slice(at, next));
      at = next;
      const closing = `</${name}>`;
      if (body.startsWith(closing, at)) {
        at += closing.length;
        break;
      }
      children.push(parse());
    }
    return { name, attributes: Object.fromEntries(pairs), children, text: text.trim() };
  }
  const root = parse();
  assert.equal(body.slice(at).trim(), '', 'nothing comes after the root');
  return root;
}
