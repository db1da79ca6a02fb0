/**
 * Programs of this machine.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { unlessThrown } from '../domain/error.js';

/** The server of a fleet, by the name of its program and of its Debian package. */
export const NATS_SERVER = 'nats-server';

/** Programs of administrators lie in sbin, which the PATH of a user may not have. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The path of a program, by its name or its path.
 * @returns undefined when there is none that can be executed
 * @example findProgram('unshare') // '/usr/bin/unshare'
 */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS];
  const candidates = program.includes('/') ? [resolve(program)] : folders.map((folder) => join(folder, program));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  return unlessThrown(() => {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  }, false);
}
