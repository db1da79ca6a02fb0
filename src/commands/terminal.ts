/**
 * The terminal that a command speaks to.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { printableLines } from '../domain/printable.js';

/** Say something beside the results, on standard error. */
export function note(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** Say what was asked for, on standard output: text without colours, or JSON. */
export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Ask a person; without one in front of a terminal the answer is no. @param why what is to be known before the answer */
export async function confirmed(why: string, question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  note(why);
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // The end of the input is no answer.
    const closed = once(asked, 'close').then(() => '');
    return /^\s*y(?:es)?\s*$/i.test(await Promise.race([asked.question(`${question} [y/N] `), closed]));
  } finally {
    asked.close();
  }
}

/** Whether standard output shows colours (https://no-color.org). */
export function hasColour(): boolean {
  return Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined;
}

/** Columns for running text on standard output: a line of more than 120 is hard to read. 0: the terminal does not know. */
export function textWidth(): number {
  return Math.min(process.stdout.columns || 100, 120);
}
