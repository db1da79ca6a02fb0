/**
 * Texts that a line must contain for a pattern to match it, read off the pattern itself, as grep(1) does it. Looking for all of them at once
 * leaves few lines, and few patterns for each. Pure.
 */

/**
 * Needles of a pattern.
 * @returns in lower case: each line that the pattern matches contains at least one of them, whatever its case; as long as can be had
 * @throws Error for a pattern in which no part is certain to be there
 */
export function needlesOf({ source }: RegExp): readonly string[] {
  const needles = requiredOf(new Reader(source));
  if (needles === null) throw new Error(`no text is certain to be in what /${source}/ matches`);
  return needles.map((needle) => needle.toLowerCase());
}

/** The source of a pattern, and how far it was read. */
class Reader {
  at = 0;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** The character here, or the escape as two. Empty at the end. */
  next(): string {
    const one = this.text.slice(this.at, this.at + (this.text[this.at] === '\\' ? 2 : 1));
    this.at += one.length;
    return one;
  }
  skip(pattern: RegExp): string {
    const found = new RegExp(pattern.source, 'y');
    found.lastIndex = this.at;
    const text = found.exec(this.text)?.[0] ?? '';
    this.at += text.length;
    return text;
  }
}

/** Alternatives up to the end of the group or of the pattern: one needle list for all; null: an alternative has none. */
function requiredOf(reader: Reader): readonly string[] | null {
  let all: string[] | null = [];
  for (;;) {
    const { needles, end } = sequence(reader);
    all = all === null || needles === null ? null : [...all, ...needles];
    if (end !== '|') return all;
  }
}

/** One alternative: of its parts, the one whose shortest needle is the longest. */
function sequence(reader: Reader): { needles: readonly string[] | null; end: string } {
  let best: readonly string[] | null = null;
  let run = '';
  const offer = (needles: readonly string[] | null) => {
    if (needles !== null && least(needles) > least(best)) best = needles;
  };
  const breakRun = () => {
    if (run !== '') offer([run]);
    run = '';
  };
  for (;;) {
    const part = reader.next();
    if (part === '' || part === '|' || part === ')') {
      breakRun();
      return { needles: best, end: part };
    }
    const literal = /^[^\\.^$()[]$/.test(part) ? part : /^\\[^A-Za-z0-9]$/.test(part) ? part[1]! : null;
    let group: readonly string[] | null = null;
    if (part === '(') {
      const kind = reader.skip(/\?(?:<?[=!]|:|<\w+>)/);
      group = requiredOf(reader);
      if (/[=!]$/.test(kind)) group = null;
    } else if (part === '[') reader.skip(/(?:\\.|[^\]\\])*\]/);
    const quantifier = reader.skip(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/);
    const optional = /^(?:[*?]|\{0)/.test(quantifier);
    if (literal !== null && !optional) run += literal;
    if (literal === null || quantifier !== '') breakRun();
    if (!optional) offer(group);
  }
}

function least(needles: readonly string[] | null): number {
  return needles === null ? 0 : Math.min(...needles.map(({ length }) => length));
}
