/**
 * The program of a proxy, and its version.
 */
import { execFile } from 'node:child_process';
import { findProgram } from '../../machine/programs.js';
import { subjectOf } from '../index.js';
import type { ProgramName } from '../settings.js';

export type FoundProgram =
  | { readonly ok: true; readonly path: string; readonly version: string | null }
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

const VERSION_DEADLINE_MS = 10_000;

/** Find a proxy's program and ask it for its version, which is null when it does not tell. */
export async function examineProgram({ kind, binary }: ProgramName): Promise<FoundProgram> {
  const { debianPackage, version } = subjectOf(kind);
  const path = findProgram(binary);
  if (path === undefined) {
    const remedy = binary.includes('/')
      ? 'name the path of a program that can be executed'
      : `install it, as with: apt-get install --no-install-recommends ${debianPackage}, or name its path as binary`;
    return { ok: false, reason: `found no program ${binary}`, remedy };
  }
  const printed = await printedBy(path, version.args);
  return { ok: true, path, version: version.pattern.exec(printed)?.[1] ?? null };
}

/** What a program prints on both streams; empty when it cannot be run. */
export function printedBy(path: string, args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    execFile(path, [...args], { timeout: VERSION_DEADLINE_MS, env: { LC_ALL: 'C' } }, (_, stdout, stderr) =>
      done(`${stdout}\n${stderr}`),
    );
  });
}
