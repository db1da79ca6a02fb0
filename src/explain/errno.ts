/**
 * The errnos that say that something ran out, by number, name, and the texts of C libraries and runtimes. Pure.
 */

/** Linux numbers, and messages in lower case: glibc's first, then musl's, then others'. */
const TEXTS = {
  EADDRINUSE: [98, 'address already in use', 'address in use'],
  EADDRNOTAVAIL: [99, 'cannot assign requested address', 'address not available'],
  EMFILE: [24, 'too many open files', 'no file descriptors available'],
  ENFILE: [23, 'too many open files in system'],
  ENOBUFS: [105, 'no buffer space available'],
  ENOMEM: [12, 'cannot allocate memory', 'out of memory'],
  ETIMEDOUT: [110, 'connection timed out', 'operation timed out'],
  ECONNREFUSED: [111, 'connection refused'],
  EHOSTUNREACH: [113, 'no route to host', 'host is unreachable'],
  ENETUNREACH: [101, 'network is unreachable', 'network unreachable'],
} as const satisfies Record<string, readonly [number: number, ...texts: string[]]>;
export type Errno = keyof typeof TEXTS;
const ERRNOS = Object.entries(TEXTS) as [Errno, readonly [number: number, ...texts: string[]]][];

/** All texts, for patterns: longer ones first, since some begin with others. */
export const ERRNO_TEXT = ERRNOS.flatMap(([, [, ...texts]]) => texts)
  .sort((a, b) => b.length - a.length)
  .join('|');

/** The errno of a number, a name or a message; undefined for any other text. */
export function errnoOf(text: string): Errno | undefined {
  const plain = text.trim().toLowerCase().replace(/^-/, '');
  return ERRNOS.find(
    ([name, [number, ...texts]]) => plain === name.toLowerCase() || plain === String(number) || texts.includes(plain),
  )?.[0];
}
