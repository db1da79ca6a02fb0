/**
 * Errors of Node and undici as errnos, so that an outcome says the same whichever engine met it. Pure.
 */
import { constants } from 'node:os';
import { EOF } from '../outcome.js';

const { EPROTO } = constants.errno;

/** Errors of the end of a connection, which have no errno. */
const ENDS: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'HPE_INVALID_EOF_STATE',
  'HPE_CLOSED_CONNECTION',
]);

/**
 * The errno of an error, EOF for a connection that the peer ended, EPROTO for whatever else: an answer that is not HTTP, a
 * certificate that does not fit.
 */
export function errnoOf(error: unknown): number {
  const { errno, code } = (error ?? {}) as { readonly errno?: unknown; readonly code?: unknown };
  // libuv's errnos are negative, and on Linux those of the kernel.
  if (typeof errno === 'number' && errno < 0) return -errno;
  return typeof code === 'string' && ENDS.has(code) ? EOF : EPROTO;
}
