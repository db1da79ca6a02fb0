/**
 * The program of a proxy, and its version.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ProxySubject } from '../subject.js';

const VERSION_DEADLINE_MS = 10_000;

/** What a program says of its version; null when it does not tell, or nobody knows how to ask. */
export async function versionOf(path: string, version: ProxySubject['version']): Promise<string | null> {
  if (version === undefined) return null;
  return version.pattern.exec(await printedBy(path, version.args))?.[1] ?? null;
}

/** What a program prints on both streams; empty when it cannot be run. */
export function printedBy(path: string, args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    // Of a guest, which has libraries where this machine has them (lab/vm/image.ts).
    const { LD_LIBRARY_PATH } = process.env;
    const env = { ...(LD_LIBRARY_PATH ? { LD_LIBRARY_PATH } : {}), LC_ALL: 'C' };
    execFile(path, [...args], { timeout: VERSION_DEADLINE_MS, env }, (_, stdout, stderr) =>
      done(`${stdout}\n${stderr}`),
    );
  });
}

/** Which names are text within a program, ended as C ends a string; none when it cannot be read. */
export function namesWithin(path: string, names: readonly string[]): Set<string> {
  try {
    const program = readFileSync(path);
    return new Set(names.filter((name) => program.includes(`\0${name}\0`)));
  } catch {
    return new Set();
  }
}
