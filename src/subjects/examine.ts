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
export async function examineProgram({ kind, binary }: ProgramName): Promise<FoundProgram> {
  const { debianPackage, version, entrance } = proxySubjectOf(kind);
  const path = findProgram(binary);
  if (path !== undefined) return { ok: true, path, version: await versionOf(path, version) };
  const remedy = binary.includes('/')
    ? 'name the path of a program that can be executed'
    : entrance && binary !== debianPackage
      ? 'command begins with the name of a program on the PATH, or with its path'
      : `install it, for example: apt-get install --no-install-recommends ${debianPackage}, or name its path as binary`;
  return { ok: false, reason: `program ${binary} not found`, remedy };
}
