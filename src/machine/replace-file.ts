/**
 * Files that are replaced whole.
 */
import { renameSync, writeFileSync } from 'node:fs';

/** Write a file so that a reader sees the old one or the new one, never a half. @throws the system's error */
export function replaceFile(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
