/**
 * The C client, compiled when the bench runs: a binary in the repository would fit one architecture and could not be checked.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Compiled {
  readonly program: string;
  /** As `cc -O2 (gcc 12.2.0)`. */
  readonly compiler: string;
  remove(): void;
}

/** The package's folder, from dist/bench. */
const SOURCE = fileURLToPath(new URL('../../bench/churn.c', import.meta.url));

/** @returns the compiled client, or in words why there is none */
export function compileChurn(): Compiled | string {
  const version = spawnSync('cc', ['--version'], { encoding: 'utf8' });
  if (version.error) return 'there is no C compiler (cc) on the PATH';
  if (!existsSync(SOURCE)) return `${SOURCE} is missing`;
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const program = join(folder, 'churn');
  const result = spawnSync('cc', ['-O2', '-o', program, SOURCE], { encoding: 'utf8' });
  if (result.status !== 0) {
    remove();
    return `cc could not compile churn.c: ${result.stderr.trim().split('\n')[0]}`;
  }
  return { program, compiler: `cc -O2, ${version.stdout.split('\n')[0]}`, remove };
}
