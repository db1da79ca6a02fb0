/**
 * Which patterns a line is asked at all: those of which it contains a text that they cannot do without. Pure.
 */
import { MENTIONED } from './errno.js';
import { needlesOf } from './needles.js';
import type { Pattern, Program } from './pattern.js';
import { PROGRAMS } from './programs/index.js';
import { TRACE_NEEDLES } from './trace/strace.js';

export interface Candidate {
  /** null: common words of a program that is not known. */
  readonly program: Program | null;
  readonly pattern: Pattern;
}

/** Named groups; those that took no part are undefined. */
export type Groups = Readonly<Record<string, string | undefined>>;

const COMMON: Pattern = { match: MENTIONED };

/** All patterns, in the order of trial: common words last. */
const CANDIDATES: readonly Candidate[] = [
  ...PROGRAMS.flatMap((program) => program.patterns.map((pattern) => ({ program, pattern }))),
  { program: null, pattern: COMMON },
];

/** What matches of a line; null: it does not match. */
export function groupsOf({ after, match, without }: Pattern, line: string): Groups | null {
  const before = after?.exec(line);
  if (before === null) return null;
  const found = match.exec(before ? line.slice(before.index + before[0].length) : line);
  if (!found || without?.test(line)) return null;
  return { ...before?.groups, ...found.groups };
}

/** Not the number of a candidate: the line may be part of a trace. */
const TRACE = -1;

const byNeedle = new Map<string, Set<number>>(TRACE_NEEDLES.map((needle) => [needle, new Set([TRACE])]));
for (const [i, { pattern }] of CANDIDATES.entries())
  for (const needle of needlesOf(pattern.match)) {
    const known = byNeedle.get(needle);
    if (known) known.add(i);
    else byNeedle.set(needle, new Set([i]));
  }
/** For each needle what it and all needles in it lead to. */
const LED_TO: ReadonlyMap<string, readonly number[]> = new Map(
  [...byNeedle.keys()].map((needle) => [
    needle,
    [...new Set([...byNeedle].flatMap(([other, numbers]) => (needle.includes(other) ? [...numbers] : [])))],
  ]),
);
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
/** The longest first: where two begin at one place, the longer one contains the other. */
const ANY = new RegExp(
  [...byNeedle.keys()]
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join('|'),
  'gi',
);

/** Where in a text a needle begins, from `from` on; -1: nowhere. */
export function nextNeedle(text: string, from: number): number {
  ANY.lastIndex = from;
  return ANY.exec(text)?.index ?? -1;
}

/** What a line is to be asked. @returns whether it may be strace's, and the candidates in the order of trial */
export function candidatesFor(line: string): { readonly traced: boolean; readonly candidates: readonly Candidate[] } {
  const numbers = new Set<number>();
  ANY.lastIndex = 0;
  for (let hit = ANY.exec(line); hit; hit = ANY.exec(line)) {
    for (const number of LED_TO.get(hit[0].toLowerCase())!) numbers.add(number);
    // One may begin within another.
    ANY.lastIndex = hit.index + 1;
  }
  const traced = numbers.delete(TRACE);
  return { traced, candidates: [...numbers].sort((a, b) => a - b).map((number) => CANDIDATES[number]!) };
}
