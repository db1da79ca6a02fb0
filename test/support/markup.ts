/** A strict reader of the HTML that the report writes: tags in balance, attributes quoted, nothing left open. */
import assert from 'node:assert/strict';

export interface Element {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const VOID = new Set(['meta', 'link', 'br', 'wbr']);
/** Their content is text, not markup. */
const RAW = new Set(['style', 'title']);
const TAG = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/y;

/** All elements in document order. Fails on anything but text, entities, and balanced tags with double-quoted attributes. */
export function parseMarkup(page: string): Element[] {
  const body = page.replace(/^<!doctype html>\s*/, '');
  assert.notEqual(body, page, 'the page starts with its doctype');
  const elements: Element[] = [];
  const open: string[] = [];
  let at = 0;
  for (;;) {
    const next = body.indexOf('<', at);
    const text = body.slice(at, next < 0 ? undefined : next);
    assert.doesNotMatch(text, />|&(?!#?\w+;)/, `unescaped text near ${text.slice(0, 80)}`);
    if (next < 0) break;
    TAG.lastIndex = next;
    const match = TAG.exec(body);
    assert.ok(match, `no tag at ${body.slice(next, next + 80)}`);
    const [whole, closing, tag, attributes, selfClosing] = match as unknown as [string, string, string, string, string];
    at = next + whole.length;
    if (closing) {
      assert.equal(open.pop(), tag, `</${tag}> closes what is open`);
      continue;
    }
    const pairs = [...attributes.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map((pair): [string, string] => [
      pair[1]!,
      pair[2] ?? '',
    ]);
    assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, `<${tag}> has an attribute twice`);
    elements.push({ tag, attributes: new Map(pairs) });
    if (VOID.has(tag) || selfClosing) continue;
    open.push(tag);
    if (RAW.has(tag)) {
      at = body.indexOf(`</${tag}>`, at);
      assert.ok(at > 0, `<${tag}> is closed`);
    }
  }
  assert.deepEqual(open, [], 'nothing is left open');
  return elements;
}
