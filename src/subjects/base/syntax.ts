/**
 * The two forms that configuration files of proxies have: a directive a line (Squid, HAProxy, tinyproxy), or directives that end in a
 * semicolon and blocks in braces (nginx). Only as far as a reader must understand them who replaces some directives. Pure.
 */

/** A directive, with the line on which it begins, 1-based. Comments and empty lines are none. */
type Split = readonly (readonly [line: number, text: string])[];

export interface Syntax {
  split(text: string): Split;
  /** Opens a part of the file: the head of a block, or of a section. */
  opens(text: string): boolean;
  /** Ends the innermost part; where parts do not lie in each other, the next one ends the one before. */
  closes(text: string): boolean;
  /** Its words, without what ends it. */
  words(text: string): string[];
}

/**
 * A directive a line.
 * @param continued a backslash at the end of a line joins the next to it
 * @param sections names of directives that begin a part of the file
 */
export function lineSyntax(continued: boolean, sections: readonly string[] = []): Syntax {
  const words = (text: string) => text.split(/\s+/);
  const opens = (text: string) => sections.includes(words(text)[0]!);
  return {
    opens,
    closes: opens,
    words,
    split(text) {
      const directives: [number, string][] = [];
      let open: [number, string] | undefined;
      for (const [i, raw] of text.split('\n').entries()) {
        const line = raw.trim();
        if (open === undefined && (line === '' || line.startsWith('#'))) continue;
        const goesOn = continued && line.endsWith('\\');
        const part = goesOn ? line.slice(0, -1).trim() : line;
        open = open ? [open[0], `${open[1]} ${part}`.trim()] : [i + 1, part];
        if (goesOn) continue;
        directives.push(open);
        open = undefined;
      }
      return open ? [...directives, open] : directives;
    },
  };
}

/** Directives and blocks of nginx (src/core/ngx_conf_file.c, ngx_conf_read_token()). */
export const blockSyntax: Syntax = {
  opens: (text) => text.endsWith('{'),
  closes: (text) => text === '}',
  words: (text) => text.replace(/\s*[;{]$/, '').match(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\S+/g) ?? [],
  split(text) {
    const directives: [number, string][] = [];
    let line = 1;
    let begun = 1;
    let own = '';
    let quote = '';
    const end = (with_: string) => {
      directives.push([own === '' ? line : begun, `${own.trim()}${with_}`]);
      own = '';
    };
    for (let i = 0; i < text.length; i++) {
      const character = text[i]!;
      if (character === '\n') line++;
      if (own.trim() === '') begun = line;
      if (quote !== '') {
        own += character;
        if (character === '\\') own += text[++i] ?? '';
        else if (character === quote) quote = '';
      } else if (character === '#' && /(^|\s)$/.test(own)) {
        while (i + 1 < text.length && text[i + 1] !== '\n') i++;
      } else if (character === '\\') {
        own += character + (text[++i] ?? '');
      } else if ((character === '"' || character === "'") && /(^|[\s(])$/.test(own)) {
        quote = character;
        own += character;
      } else if (character === ';') {
        end(';');
      } else if (character === '{' && !own.endsWith('$')) {
        // What a module reads by itself is one directive, whatever is in it.
        if (/_by_lua_block\s*$/.test(own)) {
          const close = closingBrace(text, i);
          const block = text.slice(i, close + 1);
          end(` ${block}`);
          line += block.split('\n').length - 1;
          i = close;
        } else end(' {');
      } else if (character === '}' && !/\$\{\w*$/.test(own)) {
        if (own.trim() !== '') end('');
        end('}');
      } else if (/\s/.test(character)) {
        own = own.replace(/\s*$/, ' ');
      } else {
        own += character;
      }
    }
    if (own.trim() !== '') end('');
    return directives;
  },
};

/** Braces in quotes are none. */
function closingBrace(text: string, from: number): number {
  let depth = 0;
  const parts = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{}]/g;
  parts.lastIndex = from;
  for (let part = parts.exec(text); part !== null; part = parts.exec(text)) {
    if (part[0] === '{') depth++;
    else if (part[0] === '}' && --depth === 0) return part.index;
  }
  return text.length;
}
