/**
 * Files that are replaced as a whole.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { unfinishedFile } from './unfinished.js';
import { naming } from './write-error.js';

/**
 * Write a file beside its place and rename it: a reader sees the old file or the new one, never half of it, and nothing is left behind
 * when it fails; what it leaves when it is killed, the next one in that folder removes (unfinished.ts).
 * @param content or a function that writes it to a descriptor
 * @param options `mode` as of open(2); `durable`: it is on the disk when this returns
 * @throws WriteError where the disk takes no more, and else the system's error
 * @example replaceFile(join(dir, 'results.json'), `${JSON.stringify(results)}\n`)
 */
export function replaceFile(
  path: string,
  content: string | Uint8Array | ((fd: number) => void),
  { mode = 0o666, durable = false }: { readonly mode?: number; readonly durable?: boolean } = {},
): void {
  const part = naming(path, () => unfinishedFile(dirname(path), mode));
  try {
    naming(path, () => {
      const fd = openSync(part.path, 'w');
      try {
        if (typeof content === 'function') content(fd);
        else writeFileSync(fd, content);
        if (durable) fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
    renameSync(part.path, path);
  } catch (error) {
    rmSync(part.path, { force: true });
    throw error;
  } finally {
    part.release();
  }
}
