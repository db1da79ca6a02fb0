/**
 * The command line of a program of this package. Imports nothing: it is needed before anything else is loaded.
 */
import { fileURLToPath } from 'node:url';

/** Node 22.14 and 23.7 know it. Without it the first import of each program does the same a moment later (no-debugger.ts). */
export const NODE_OPTIONS: readonly string[] = ['--disable-sigusr1'].filter((option) =>
  process.allowedNodeEnvironmentFlags.has(option),
);

/**
 * Node, its options, and the module, ready for spawn().
 * @param module a file URL
 * @example nodeCommand(new URL('./entry.js', import.meta.url)) // ['/usr/bin/node', '--disable-sigusr1', '/…/entry.js']
 */
export function nodeCommand(module: URL): [program: string, ...rest: string[]] {
  return [process.execPath, ...NODE_OPTIONS, fileURLToPath(module)];
}
