/**
 * Reading the files that a profile names.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../domain/error.js';
import { readRegularFile } from '../machine/read-file.js';
import type { ReadFiles } from '../subjects/base/base.js';

/** A configuration is text; a larger file is another kind of file. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Reads files by name, or by a pattern with `*` in its last part, of which none may be there. @param folder of the profile */
export function filesFrom(folder: string): ReadFiles {
  return (pattern, from) => {
    const path = resolve(from === null ? folder : dirname(resolve(folder, from)), pattern);
    try {
      const names = basename(path).includes('*') ? matching(path) : [path];
      return {
        files: names.map((name) => {
          const { size } = statSync(name);
          if (size > MOST_BYTES)
            throw new UserError(`${name} has ${size} bytes; a configuration file may have at most ${MOST_BYTES}`);
          const text = readRegularFile(name, 'name a configuration file');
          if (text.includes('\0')) throw new UserError(`${name} is not text; name a configuration file`);
          return { file: from === null ? pattern : name, text };
        }),
      };
    } catch (error) {
      const by = from === null ? '' : ` (included by ${from})`;
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined && !(error instanceof UserError)) throw error;
      return { problem: `${error instanceof UserError ? error.message : `${path} cannot be read (${code})`}${by}` };
    }
  };
}

function matching(path: string): string[] {
  const parts = basename(path).split('*');
  const pattern = new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^/]*')}$`);
  try {
    const names = readdirSync(dirname(path)).filter((name) => pattern.test(name) && !name.startsWith('.'));
    return names.sort().map((name) => join(dirname(path), name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
