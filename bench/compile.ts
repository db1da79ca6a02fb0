/**
 * The C programs of this folder, compiled when the bench runs: a binary in the repository would fit one architecture and could not be checked.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Compiled {
  /** churn.c */
  readonly program: string;
  /** calls.c */
  readonly calls: string;
  /** As `cc -O2 (gcc 12.2.0)`. */
  readonly compiler: string;
  remove(): void;
}

/** The package's folder, from dist/bench. */
const sourceOf = (name: string) => fileURLToPath(new URL(`../../bench/${name}.c`, import.meta.url));

/** @returns the compiled programs, or in words why there are none */
export function compileChurn(): Compiled | string {
  const compiled = compileAll(['churn', 'calls']);
  if (typeof compiled === 'string') return compiled;
  const { folder, ...rest } = compiled;
  return { program: join(folder, 'churn'), calls: join(folder, 'calls'), ...rest };
}

/** @param name of a file of this folder, without `.c` @returns one compiled program, or in words why there is none */
export function compileProgram(name: string): Omit<Compiled, 'calls'> | string {
  const compiled = compilePrograms(name);
  if (typeof compiled === 'string') return compiled;
  const { programs, ...rest } = compiled;
  return { program: programs[0]!, ...rest };
}

/** The same of several. @returns the programs in the order of their names */
export function compilePrograms(
  ...names: string[]
): (Pick<Compiled, 'compiler' | 'remove'> & { programs: string[] }) | string {
  const compiled = compileAll(names);
  if (typeof compiled === 'string') return compiled;
  const { folder, ...rest } = compiled;
  return { programs: names.map((name) => join(folder, name)), ...rest };
}

function compileAll(names: readonly string[]): (Pick<Compiled, 'compiler' | 'remove'> & { folder: string }) | string {
  const version = spawnSync('cc', ['--version'], { encoding: 'utf8' });
  if (version.error) return 'there is no C compiler (cc) on the PATH';
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  for (const name of names) {
    const source = sourceOf(name);
    const args = ['-O2', '-o', join(folder, name), source];
    const result = existsSync(source) ? spawnSync('cc', args, { encoding: 'utf8' }) : null;
    if (result?.status === 0) continue;
    remove();
    return result === null ? `${source} is missing` : `cc could not compile it: ${result.stderr.trim().split('\n')[0]}`;
  }
  return { folder, compiler: `cc -O2, ${version.stdout.split('\n')[0]}`, remove };
}
