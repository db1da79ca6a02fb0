/**
 * The single executable, built once for all test files that want it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './cli.js';

/** Build it. @returns its path, or why it cannot be built here */
export function singleFile(): { readonly path: string } | { readonly reason: string } {
  // A Node that was linked with its libraries apart, as some distributions do, has no place for a script.
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build-sea.mjs')], {
    encoding: 'utf8',
  });
  if (status === 0) return { path: stdout.trim().split('\n').at(-1)! };
  if (status === 2) return { reason: stderr.trim() };
  throw new Error(stderr);
}
