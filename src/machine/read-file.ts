/**
 * Reading files that somebody has named: a pipe that nobody writes to would hang, a device would never end.
 */
import { closeSync, createReadStream, openSync, readFileSync, readSync, type Stats, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
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

const PART_BYTES = 1 << 18;

/**
 * The lines of a regular file that end with a line feed, one after the other, so that a long file is never in memory as a whole; what stands
 * after the last line feed is left out. @param instead as of readRegularFile @throws as readRegularFile, when the first is asked for
 */
export function* wholeLines(path: string, instead: string): Generator<string> {
  refuseOtherThanFile(path, instead);
  const fd = openSync(path, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const part = Buffer.allocUnsafe(PART_BYTES);
    let begun: string[] = [];
    for (let read = readSync(fd, part); read > 0; read = readSync(fd, part)) {
      const [first = '', ...more] = decoder.write(part.subarray(0, read)).split('\n');
      begun.push(first);
      for (const next of more) {
        yield begun.join('');
        begun = [next];
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** @throws UserError for a folder, pipe, device or socket; the system's error where there is nothing */
export function refuseOtherThanFile(path: string, instead: string): void {
  const stat = statSync(path);
  if (!stat.isFile()) throw new UserError(`${path} is ${kindOf(stat)}, not a file; ${instead}`);
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
