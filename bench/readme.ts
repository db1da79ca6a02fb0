/**
 * The tables of bench/README.md, each between its marks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const README = fileURLToPath(new URL('../../bench/README.md', import.meta.url));

/** Put a table in the place of the last one. @throws Error when there are no marks of that name */
export function writeTable(name: string, markdown: string): void {
  const marks = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*(<!-- end of ${name} -->)`);
  const text = readFileSync(README, 'utf8');
  if (!marks.test(text)) throw new Error(`${README} has no marks to put the table of ${name} between`);
  writeFileSync(
    README,
    text.replace(marks, (_, begin: string, end: string) => `${begin}\n${markdown}\n${end}`),
  );
}
