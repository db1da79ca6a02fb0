/**
 * Looking for the program of a proxy on this machine.
 */
import { findProgram } from '../machine/programs.js';
import { type ProgramName, proxySubjectOf } from './index.js';
import { versionOf } from './running/program.js';

export type FoundProgram =
  | { readonly ok: true; readonly path: string; readonly version: string | null }
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

/** Find a proxy's program and ask it for its version, which is null when it does not tell. */
export async function examineProgram(name: ProgramName): Promise<FoundProgram> {
  const path = findProgram(name.binary);
  if (path === undefined) return { ok: false, ...missingProgram(name) };
  return { ok: true, path, version: await versionOf(path, proxySubjectOf(name.kind).version) };
}

/** Of a program that is not here: that it is not, and what to do. */
export function missingProgram({ kind, binary }: ProgramName): { readonly reason: string; readonly remedy: string } {
  const { debianPackage, entrance } = proxySubjectOf(kind);
  const remedy = binary.includes('/')
    ? 'name the path of a program that can be executed'
    : entrance && binary !== debianPackage
      ? 'command begins with the name of a program on the PATH, or with its path'
      : `install it, for example: apt-get install --no-install-recommends ${debianPackage}, or name its path as binary`;
  return { reason: `program ${binary} not found`, remedy };
}
