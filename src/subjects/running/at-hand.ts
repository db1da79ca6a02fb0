/**
 * A fetched program for whoever it is started as: the user's cache, where it lies, is closed to others.
 */
import { chmodSync, cpSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StartInput } from '../subject.js';

/** Everybody may enter a folder. */
const ENTERED = 0o001;

/** The path at which a program can be started; of one that was fetched perhaps a copy beside the proxy's folder. */
export function atHand(settings: object, { binary, setup }: Pick<StartInput, 'binary' | 'setup'>): string {
  if (!isFetched(settings) || isOpen(dirname(binary))) return binary;
  const folder = `${setup.directory}-program`;
  cpSync(dirname(binary), folder, { recursive: true, force: true, verbatimSymlinks: true });
  chmodSync(folder, 0o755);
  return join(folder, basename(binary));
}

/** Whether a program is of packages that are not installed. */
export function isFetched(settings: object): boolean {
  return ((settings as { readonly suite?: string | null }).suite ?? null) !== null;
}

function isOpen(folder: string): boolean {
  const open = (statSync(folder).mode & ENTERED) !== 0;
  return open && (folder === '/' || isOpen(dirname(folder)));
}
