/**
 * Reading a log file as it grows.
 */
import { openSync, readSync } from 'node:fs';
import { unlessThrown } from '../../domain/error.js';

/** The lines that were completed since the last call. */
export type Tail = () => string[];

const CHUNK = 1 << 16;

/** The file need not be there yet. */
export function tailFile(path: string): Tail {
  const buffer = Buffer.alloc(CHUNK);
  let fd: number | undefined;
  let rest = '';
  return () => {
    fd ??= unlessThrown(() => openSync(path, 'r'), undefined);
    if (fd === undefined) return [];
    const lines: string[] = [];
    // Logs are ASCII; a character cut at the end of a chunk would be spoilt otherwise.
    for (let n = readSync(fd, buffer, 0, CHUNK, null); n > 0; n = readSync(fd, buffer, 0, CHUNK, null)) {
      const parts = (rest + buffer.toString('latin1', 0, n)).split('\n');
      rest = parts.pop()!;
      for (const part of parts) if (part !== '') lines.push(part);
    }
    return lines;
  };
}
