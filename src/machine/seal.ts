/**
 * JSON texts with a checksum of themselves as the last key, so that one that was changed after it was written is not believed. Pure.
 *
 *     {"pid":7,"values":{},"sum":"0f343b0931126a20"}
 *
 * `sum` is the beginning of the SHA-256 of the text without it.
 */
import { createHash } from 'node:crypto';

/** Hexadecimal digits. */
const SUM_LENGTH = 16;
const TAIL = /,\s*"sum":\s?"([0-9a-f]{16})"\s*\}\s*$/;

/** The same object with its checksum. @param text of a JSON object that has a key, in one line or in many */
export function sealed(text: string): string {
  const open = text.replace(/\s*\}\s*$/, '');
  const [before, after, end] = text.includes('\n') ? ['\n ', ' ', '\n}'] : ['', '', '}'];
  return `${open},${before}"sum":${after}"${checksum(open)}"${end}`;
}

/**
 * The same, of the text of an object in pieces, the last of which is the line of its closing brace.
 * @param pieces of a text of many lines, as `jsonPieces()` gives it
 */
export function* sealedPieces(pieces: Iterable<string>): Generator<string> {
  const hash = createHash('sha256');
  let held: string | undefined;
  for (const piece of pieces) {
    if (held !== undefined) {
      hash.update(held);
      yield held;
    }
    held = piece;
  }
  const sum = hash.update('}').digest('hex').slice(0, SUM_LENGTH);
  yield `,\n "sum": "${sum}"\n}`;
}

/** What is to be thought of a text: as it was written, of a version without checksums (plain), or changed. */
export function sealOf(text: string): 'sealed' | 'plain' | 'broken' {
  // Of a long text the end is enough; a pattern that ends at the end is tried at every comma.
  const [tail, sum] = TAIL.exec(text.slice(-100)) ?? [];
  if (tail !== undefined) return checksum(text.slice(0, -tail.length)) === sum ? 'sealed' : 'broken';
  return /"sum"\s*:/.test(text.slice(-200)) ? 'broken' : 'plain';
}

function checksum(open: string): string {
  return createHash('sha256').update(`${open}}`).digest('hex').slice(0, SUM_LENGTH);
}
