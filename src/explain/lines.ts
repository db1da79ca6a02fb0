/**
 * The lines of a text that comes in parts: counted, cut, and handed on where a pattern may match. Of a text in which nothing is sought each
 * character is looked at twice, and no line becomes a string of its own. Pure.
 */
import { type Candidate, candidatesFor, nextNeedle } from './candidates.js';

/** Characters of a line that are read: a line that says what failed is shorter, and one without an end would need all memory. */
export const MOST_OF_A_LINE = 4096;

/** Lines around one in which a program says more of it. */
const NEAR = 12;
const AROUND = 2 * NEAR + 1;

export interface LineHandler {
  /** A line that may be strace's, at once. @returns whether it was */
  trace(line: string, at: number): boolean;
  /** A line that candidates may match, when those after it are known. @param near whether one of the lines around it matches */
  line(line: string, at: number, candidates: readonly Candidate[], near: (pattern: RegExp) => boolean): void;
}

export interface Lines {
  take(part: string): void;
  /** @returns how many lines are not blank, how many of them were cut, and the line if there is only one */
  end(): { readonly count: number; readonly cut: number; readonly only: string | null };
}

/** A reader of lines that has read nothing. @param handler told of each line in which something may be found */
export function createLines(handler: LineHandler): Lines {
  /** The latest lines, by their number modulo AROUND, and what was found in each already. */
  const around: string[] = Array.from({ length: AROUND }, () => '');
  const known: Map<RegExp, boolean>[] = around.map(() => new Map());
  const waiting: { line: string; at: number; candidates: readonly Candidate[] }[] = [];
  let count = 0;
  let cut = 0;
  let rest = '';

  function near(at: number, pattern: RegExp): boolean {
    for (let i = Math.max(0, at - NEAR); i <= Math.min(count - 1, at + NEAR); i++) {
      const slot = i % AROUND;
      let found = known[slot]!.get(pattern);
      if (found === undefined) {
        found = pattern.test(around[slot]!);
        known[slot]!.set(pattern, found);
      }
      if (found) return true;
    }
    return false;
  }

  function settle(before: number): void {
    while (waiting.length > 0 && waiting[0]!.at < before) {
      const { line, at, candidates } = waiting.shift()!;
      handler.line(line, at, candidates, (pattern) => near(at, pattern));
    }
  }

  /** One line that is not blank. @param asked whether a needle is in it */
  function one(line: string, asked: boolean): void {
    const at = count++;
    const slot = at % AROUND;
    around[slot] = line;
    if (known[slot]!.size > 0) known[slot]!.clear();
    if (asked) {
      const { traced, candidates } = candidatesFor(line);
      if (!(traced && handler.trace(line, at)) && candidates.length > 0) waiting.push({ line, at, candidates });
    }
    if (waiting.length > 0) settle(count - NEAR);
  }

  /** Whole lines. The needles of all of them are sought at once. */
  function block(text: string): void {
    let needle = nextNeedle(text, 0);
    let begin = 0;
    let skimmed: number | null = null;
    while (begin < text.length) {
      // Up to the lines around the next needle, nothing but their number is wanted.
      if (waiting.length === 0 && needle !== skimmed) {
        begin = skim(text, begin, needle);
        skimmed = needle;
      }
      if (begin >= text.length) return;
      const newline = text.indexOf('\n', begin);
      const end = newline < 0 ? text.length : newline;
      const until = Math.min(end, begin + MOST_OF_A_LINE);
      if (!isBlank(text, begin, end)) {
        if (end > until) cut++;
        const asked = needle >= 0 && needle < until;
        one(text.slice(begin, until), asked);
      }
      if (needle >= 0 && needle < end) needle = nextNeedle(text, end);
      begin = end + 1;
    }
  }

  /** Count lines that are far from the next needle. @returns where the first line begins that is to be read */
  function skim(text: string, from: number, needle: number): number {
    let stop = needle < 0 ? text.length + 1 : text.lastIndexOf('\n', needle) + 1;
    for (let lines = 0; lines < NEAR && stop > from; ) {
      const begin = stop < 2 ? 0 : text.lastIndexOf('\n', stop - 2) + 1;
      if (!isBlank(text, begin, stop - 1)) lines++;
      stop = begin;
    }
    let begin = from;
    while (begin < stop) {
      let end = text.indexOf('\n', begin);
      if (end < 0) end = text.length;
      if (!isBlank(text, begin, end)) {
        count++;
        if (end - begin > MOST_OF_A_LINE) cut++;
      }
      begin = end + 1;
    }
    return begin;
  }

  return {
    take(part) {
      const text = rest + part;
      const end = text.lastIndexOf('\n');
      if (end >= 0) block(text.slice(0, end));
      // One character more than is read, by which it is known that it was cut.
      rest = text.slice(end + 1, end + 2 + MOST_OF_A_LINE);
    },
    end() {
      block(rest);
      const only = count === 1 ? around[0]! : null;
      settle(count);
      return { count, cut, only };
    },
  };
}

/** Whether there is nothing but blanks and controls in what is read of a line: of what comes in parts, the rest is not kept. */
function isBlank(text: string, from: number, to: number): boolean {
  const until = Math.min(to, from + MOST_OF_A_LINE);
  for (let i = from; i < until; i++) if (text.charCodeAt(i) > 32) return false;
  return true;
}
