/**
 * A disk that takes no more: what is said of it, and how the work continues.
 */
import { messageOf, UserError } from '../domain/error.js';

/** What a disk, a quota, a limit (ulimit -f) or a broken device does to a write. */
const WRITE_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']);

/** A file could not be written. The message names it; the remedy says how to resume. */
export class WriteError extends UserError {
  override name = 'WriteError';
}

/**
 * Do what writes a file; the system's errors of write(2) and fsync(2) know no path.
 * @throws WriteError that names the file, or what `write` throws
 */
export function naming<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!isWriteError(error) || error instanceof WriteError) throw error;
    throw new WriteError(`${path} cannot be written (${messageOf(error)})`, { cause: error });
  }
}

/** Do work in a result folder; where a write failed, the error says how to continue. @param resume the command. Rejects as `work` does */
export async function resumable<T>(resume: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isWriteError(error)) throw error;
    throw new WriteError(error.message, {
      cause: error,
      remedy: `check the disk (space, quota, ulimit -f), then resume with: ${resume}; what was finished is kept`,
    });
  }
}

function isWriteError(error: unknown): error is Error {
  if (error instanceof WriteError) return true;
  return error instanceof Error && 'syscall' in error && 'code' in error && WRITE_ERRORS.has(String(error.code));
}
