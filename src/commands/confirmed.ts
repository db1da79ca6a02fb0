/**
 * Asking the person in front of the terminal.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { note } from './terminal.js';

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
