/**
 * Reading files that somebody has named: a pipe that nobody writes to would hang, a device would never end.
 */
import { createReadStream, readFileSync, type Stats, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { z } from 'zod';
import { messageOf, UserError, unlessThrown } from '../domain/error.js';

/**
 * The text of a regular file.
 * @param instead what to do where it is none, without a full stop
 * @throws UserError for a folder, pipe, device or socket; the system's error where it cannot be read
 * @example readRegularFile(join(dir, 'row.json'), 'name a folder that bindstorm has made')
 */
export function readRegularFile(path: string, instead: string): string {
  refuseOtherThanFile(path, instead);
  return readFileSync(path, 'utf8');
}

/** @throws UserError for a folder, pipe, device or socket; the system's error where there is nothing */
export function refuseOtherThanFile(path: string, instead: string): void {
  const stat = statSync(path);
  if (!stat.isFile()) throw new UserError(`${path} is ${kindOf(stat)}, and not a file; ${instead}`);
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isFIFO()) return 'a named pipe';
  return stat.isSocket() ? 'a socket' : 'a device';
}

/**
 * The text of a file in parts, so that one of any length is never in memory as a whole; `.gz` is unpacked.
 * @throws UserError where it cannot be read, or is no gzip
 */
export async function* textParts(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  // pipe() does not hand an error on.
  if (text !== file) file.on('error', (error) => text.destroy(error));
  try {
    for await (const part of text.setEncoding('utf8')) yield String(part);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** A JSON file of our own; undefined for one that is another's, damaged, or cannot be read. */
export function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  return unlessThrown(() => schema.parse(JSON.parse(readFileSync(path, 'utf8'))), undefined);
}
