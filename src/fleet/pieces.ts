/**
 * The folder of a unit as messages: its files as one compressed text, cut into pieces that a server takes. Pure.
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';

/** Path within a result folder → text. */
export type Files = Readonly<Record<string, string>>;

/** What a unit's folder may have. No path leads out of it. */
const PATH =
  /^(?:journal\.ndjson|row\.json|search\.json|profile\.yaml|hlog\/[\w@-][\w.@-]*\.hlog|configuration\/[\w@-][\w.@-]*\/[\w-][\w.-]*)$/;

const filesSchema = z.record(z.string().regex(PATH), z.string());

/** Larger is no result of a unit, but a fault of the other side. */
const MOST_BYTES = 512 * 1024 * 1024;

/** Whether a path within a folder is sent. */
export function isSent(path: string): boolean {
  return PATH.test(path);
}

/** @param size bytes of a piece at most @returns at least one piece */
export function toPieces(files: Files, size: number): { readonly pieces: Uint8Array[]; readonly sum: string } {
  const packed = gzipSync(JSON.stringify(files));
  const count = Math.ceil(packed.length / size);
  const pieces = Array.from({ length: count }, (_, i) => packed.subarray(i * size, (i + 1) * size));
  return { pieces, sum: sumOf(packed) };
}

/** @param sum as it was said with the pieces @throws Error where they are not what was sent, or no folder */
export function fromPieces(pieces: readonly Uint8Array[], sum: string): Files {
  const packed = Buffer.concat(pieces);
  if (sumOf(packed) !== sum) throw new Error('what arrived is not what was sent (its checksum differs)');
  return filesSchema.parse(JSON.parse(gunzipSync(packed, { maxOutputLength: MOST_BYTES }).toString()));
}

function sumOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
