/**
 * How errors become exit codes. A user never sees a stack trace for a mistake of his own.
 */

import { EXIT, UserError } from '../domain/error.js';
import { printableLines } from '../domain/printable.js';

export { EXIT, UserError } from '../domain/error.js';

/** The exit codes in words, as the help has them. */
export const EXIT_HELP = `
Exit codes:
  0    everything ran, and every threshold was met
  1    a threshold of the profile was not met; watch: the slow wall is reached; compare: something got worse
  2    bad input: a profile, an option or a folder that cannot be used
  3    the lab, or the namespace to watch, cannot be had on this machine (see: bindstorm doctor)
  4    a run failed
  5    watch: the hard wall is reached
  6    compare: the two results cannot be compared
  7    watch --pid: the process has ended
  8    watch --once --failures: a program was refused a local port while it looked
  130  interrupted; what was finished is kept`;

/** Message and exit code of anything that was thrown. Only a fault of our own shows its stack. */
export function explainError(error: unknown): { message: string; exitCode: number } {
  const { message, exitCode } = rawError(error);
  // A message may quote a profile, a log or another machine.
  return { message: printableLines(message), exitCode };
}

function rawError(error: unknown): { message: string; exitCode: number } {
  if (error instanceof UserError) return { message: error.explain(), exitCode: error.exitCode };
  if (isFileError(error)) return { message: error.message, exitCode: EXIT.badInput };
  const stack = error instanceof Error ? error.stack : String(error);
  return { message: `this is a fault of bindstorm, please report it:\n${stack}`, exitCode: EXIT.runFailed };
}

/** What a path, a disk or a permission can do to a program that has no fault. Other system errors are faults of our own. */
const FILE_ERRORS = new Set([
  'EACCES',
  'EDQUOT',
  'EEXIST',
  'EFBIG',
  'EIO',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOSPC',
  'ENOTDIR',
  'EPERM',
  'EROFS',
]);

/** Of node:fs; its message names the error, the call and the path. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error && FILE_ERRORS.has(String(error.code));
}
