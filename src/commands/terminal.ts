/**
 * The terminal that a command speaks to.
 */
import { printableLines } from '../domain/printable.js';

/** Say something beside the results, on standard error. */
export function note(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** Say what was asked for, on standard output: text without colours, or JSON. */
export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Whether standard output shows colours (https://no-color.org). */
export function hasColour(): boolean {
  return Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined;
}

/** Columns for running text on standard output: a line of more than 120 is hard to read. 0: the terminal does not know. */
export function textWidth(): number {
  return Math.min(process.stdout.columns || 100, 120);
}
