/**
 * The version of this package.
 */
import { readFileSync } from 'node:fs';

/** `version` of package.json, which lies above dist/src/results in a checkout and in an installed package alike. */
export function toolVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
