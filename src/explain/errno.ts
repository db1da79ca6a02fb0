/**
 * The errnos that say that something ran out, by number, name, and the texts of C libraries and runtimes. Pure.
 */

const ERRNOS = [
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
] as const;
export type Errno = (typeof ERRNOS)[number];

/** Linux numbers, and messages in lower case: glibc's first, then musl's, then others'. */
const TEXTS: Record<Errno, readonly [number: number, ...texts: string[]]> = {
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
};

/** All texts, for patterns: longer ones first, since some begin with others. */
export const ERRNO_TEXT = Object.values(TEXTS)
  .flatMap(([, ...texts]) => texts)
  .sort((a, b) => b.length - a.length)
  .join('|');

/** The errno of a number, a name or a message; undefined for any other text. */
export function errnoOf(text: string): Errno | undefined {
  const plain = text.trim().toLowerCase().replace(/^-/, '');
  return ERRNOS.find((name) => {
    const [number, ...texts] = TEXTS[name];
    return plain === name.toLowerCase() || plain === String(number) || texts.includes(plain);
  });
}
