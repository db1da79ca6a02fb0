/** What the tutorial gives its reader to paste. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cli.js';

export const TUTORIAL = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');

/** The lines for squid.conf, in their order: the block with the drawn lists. @throws Error there is none */
export function squidLines(): string[] {
  const block = /(?:^ {4}(?:acl|tcp_outgoing_address) .+\n)+/m.exec(TUTORIAL)?.[0];
  if (block === undefined) throw new Error('the tutorial has no lines for squid.conf');
  return block
    .trim()
    .split('\n')
    .map((line) => line.trim());
}
