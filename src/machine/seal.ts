/**
 * JSON texts with a checksum of themselves as the last key, so that one that was changed after it was written is not believed. Pure.
 *
 *     {"pid":7,"values":{},"sum":"0f343b0931126a20"}
 *
 * `sum` is the beginning of the SHA-256 of the text without it.
 */
import { createHash } from 'node:crypto';

const TAIL = /,\s*"sum":\s?"([0-9a-f]{16})"\s*\}\s*$/;

/** The same object with its checksum. @param text of a JSON object that has a key, in one line or in many */
export function sealed(text: string): string {
  const open = text.replace(/\s*\}\s*$/, '');
  const [before, after, end] = text.includes('\n') ? ['\n ', ' ', '\n}'] : ['', '', '}'];
  return `${open},${before}"sum":${after}"${checksum(open)}"${end}`;
}

/** What is to be thought of a text: as it was written, of a version without checksums (plain), or changed. */
export function sealOf(text: string): 'sealed' | 'plain' | 'broken' {
  // Of a long text the end is enough; a pattern that ends at the end is tried at every comma.
  const [tail, sum] = TAIL.exec(text.slice(-100)) ?? [];
  if (tail !== undefined) return checksum(text.slice(0, -tail.length)) === sum ? 'sealed' : 'broken';
  return /"sum"\s*:/.test(text.slice(-200)) ? 'broken' : 'plain';
}

function checksum(open: string): string {
  return createHash('sha256').update(`${open}}`).digest('hex').slice(0, 16);
}
