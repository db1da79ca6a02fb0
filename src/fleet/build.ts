/**
 * Which programs these are: counts of two builds are not one experiment.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is run, in a checkout and in an installed package alike. */
const BUNDLE = fileURLToPath(new URL('../../../dist/bundle/', import.meta.url));

let known: string | undefined;

/** A checksum of the programs of this package, the same on every machine that has the same. */
export function buildSum(): string {
  known ??= sumOf(BUNDLE);
  return known;
}

function sumOf(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 16);
}
