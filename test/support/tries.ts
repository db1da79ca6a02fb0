/**
 * What a test file has shown, when it ran beside others and, if that failed, once more with nothing beside it. Pure; scripts/test.mjs runs the files.
 *
 * Tests of a real kernel and of real programs have deadlines, and a machine that is slow and full of guests breaks them, whatever the code is like. A file
 * that fails there and passes alone has shown that the code is right and that the machine was too busy; both are said, with what it said the first time.
 */
import { inspect } from 'node:util';

/** A test that failed. */
export interface Failure {
  /** Its name and its file. */
  readonly test: string;
  /** What it said. */
  readonly message: string;
}

/** What one run of a file came to. */
export interface Tried {
  /** Tests that passed, without the suites around them. */
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** Tests that did not run, each with its reason. */
  readonly skipped: readonly string[];
}

/** Minutes after the last file may begin in which one that failed may begin again. */
const AGAIN_MINUTES = 15;
/** Minutes after that in which the last one must end. */
const LAST_MINUTES = 10;

/**
 * How long a file that failed may take when it runs once more, seconds; null when it does not run again: it ran alone, it is pure code, which no other
 * program disturbs, or the time is over.
 * @param file whether it ran alone, its group, and how long it may take, seconds
 * @param minutes since the first file began
 * @param allowed minutes in which files may begin; 0 is as many as it takes
 * @example `againLimit({ alone: false, group: 'lab', limit: 900 }, 40, 55)` is 900
 */
export function againLimit(
  { alone, group, limit }: { readonly alone: boolean; readonly group: string; readonly limit: number },
  minutes: number,
  allowed: number,
): number | null {
  if (alone || group === 'unit') return null;
  if (allowed === 0) return limit;
  if (minutes >= allowed + AGAIN_MINUTES) return null;
  return Math.min(limit, (allowed + AGAIN_MINUTES + LAST_MINUTES - minutes) * 60);
}

/** What a file has shown: the second time counts, where there was one. @returns also the failures that only the first time had */
export function settled(
  first: Tried,
  second: Tried | undefined,
): Tried & { readonly besideOthers: readonly Failure[] } {
  if (second === undefined) return { ...first, besideOthers: [] };
  return { ...second, besideOthers: second.failures.length === 0 ? first.failures : [] };
}

const MOST_LINES = 12;
const MOST_CHARACTERS = 1_500;

/**
 * What an error of node:test says, short: a record of a run often keeps its end only, so that the summary must say why a test failed.
 * @param error of the event test:fail: what the test threw is its cause
 */
export function messageOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  const thrown = cause ?? error;
  const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : inspect(thrown);
  const lines = text.slice(0, MOST_CHARACTERS).split('\n');
  const more = lines.length > MOST_LINES || text.length > MOST_CHARACTERS;
  return [...lines.slice(0, MOST_LINES), ...(more ? ['…'] : [])].join('\n');
}

/** Failures as lines of a summary: the message below the name. */
export function failureLines(failures: readonly Failure[]): string[] {
  return failures.flatMap(({ test, message }) => [test, ...message.split('\n').map((line) => `    ${line}`.trimEnd())]);
}
