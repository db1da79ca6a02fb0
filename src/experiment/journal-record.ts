/**
 * One record of a journal as a line of text: JSON with its number and a checksum at the end, so that a line that was changed, lost, moved
 * or written twice is seen. Pure.
 *
 *     {"type":"end","at":"2026-01-02T04:00:00.000Z","status":"complete","n":7,"sum":"0f343b0931126a20"}
 *
 * `n` counts lines from 1. `sum` is the beginning of the SHA-256 of the line without it. Journals up to 0.1 have neither.
 */
import { sealed, sealOf } from '../machine/seal.js';

const NUMBER = /,"n":(\d{1,15}),"sum":"[0-9a-f]{16}"\}$/;

/** A record's line, without the line feed. @param n its number in the journal, from 1 */
export function sealRecord(entry: object, n: number): string {
  return sealed(JSON.stringify({ ...entry, n }));
}

/** A line that was read: as it was written, of a version without checksums, or not to be believed. */
export type OpenedRecord =
  | { readonly kind: 'sealed'; readonly n: number; readonly value: unknown }
  | { readonly kind: 'plain'; readonly value: unknown }
  | { readonly kind: 'damaged'; readonly why: string };

/** What a line says, and whether that is what was written. */
export function openRecord(line: string): OpenedRecord {
  const state = sealOf(line);
  if (state === 'broken') return { kind: 'damaged', why: 'the line is not what was written (its checksum differs)' };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'damaged', why: 'this line is not JSON' };
  }
  const n = NUMBER.exec(line)?.[1];
  if (state === 'sealed' && n !== undefined) return { kind: 'sealed', n: Number(n), value };
  if (typeof value === 'object' && value !== null && ('n' in value || 'sum' in value))
    return { kind: 'damaged', why: 'the line is not what was written (its checksum is incomplete)' };
  return { kind: 'plain', value };
}

/** The number of the next record, by the lines that there are. */
export function nextNumber(lines: readonly string[]): number {
  const numbers = lines.map((line) => Number(NUMBER.exec(line)?.[1] ?? 0));
  return numbers.reduce((most, n) => Math.max(most, n), lines.length) + 1;
}

/** Whether each record stands where it was written. One for a journal, asked line by line. */
export function createSequence(): { place(record: OpenedRecord): string | null } {
  let last = 0;
  let unknown = 0;
  let sealed = false;
  return {
    /** @returns why the record, or what should stand before it, cannot be believed; null: all is in order */
    place(record) {
      if (record.kind === 'damaged') {
        unknown++;
        return record.why;
      }
      if (record.kind === 'plain') {
        if (sealed) {
          unknown++;
          return 'the record has no checksum, and those before it have one';
        }
        last++;
        return null;
      }
      sealed = true;
      const { n } = record;
      if (n <= last) return `record ${n} stands here again, or in the wrong place`;
      const missing = n - last - 1 - unknown;
      const before = last;
      last = n;
      unknown = 0;
      return missing > 0 ? `${MISSING}between records ${before} and ${n} ${missing} are missing` : null;
    },
  };
}

/** Begins what is said of a gap: the record behind it is in order. */
export const MISSING = 'records are lost: ';
