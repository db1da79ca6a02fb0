/**
 * The errnos that say that something ran out: names, numbers of three systems, and the words of C libraries and runtimes. Pure.
 */

/** Whose number or words they are: Linux sysctls help nobody elsewhere. */
export type System = 'linux' | 'bsd' | 'windows';

interface Row {
  /** Linux: include/uapi/asm-generic/errno.h. BSD and macOS: sys/errno.h. Windows: winsock2.h. */
  readonly numbers: Readonly<Record<System, number>>;
  /** In lower case: glibc's first, then musl's, then others'. */
  readonly texts: readonly string[];
  /** Words of runtimes: Rust's ErrorKind, .NET's SocketError. */
  readonly kinds?: readonly string[];
  /** Windows' own sentence, or the part of it that is certain. */
  readonly windows?: string;
}

const row = (linux: number, bsd: number, windows: number, texts: readonly string[], more: Partial<Row> = {}): Row => ({
  numbers: { linux, bsd, windows },
  texts,
  ...more,
});

const ROWS = {
  EADDRINUSE: row(98, 48, 10048, ['address already in use', 'address in use'], {
    kinds: ['AddrInUse', 'AddressAlreadyInUse'],
    windows: 'only one usage of each socket address',
  }),
  EADDRNOTAVAIL: row(99, 49, 10049, ['cannot assign requested address', 'address not available'], {
    kinds: ['AddrNotAvailable', 'AddressNotAvailable'],
    windows: 'the requested address is not valid in its context',
  }),
  EMFILE: row(24, 24, 10024, ['too many open files', 'no file descriptors available']),
  ENFILE: row(23, 23, 10023, ['too many open files in system']),
  ENOBUFS: row(105, 55, 10055, ['no buffer space available'], { windows: 'lacked sufficient buffer space' }),
  ENOMEM: row(12, 12, 8, ['cannot allocate memory', 'out of memory']),
  ETIMEDOUT: row(110, 60, 10060, ['connection timed out', 'operation timed out']),
  ECONNREFUSED: row(111, 61, 10061, ['connection refused']),
  EHOSTUNREACH: row(113, 65, 10065, ['no route to host', 'host is unreachable']),
  ENETUNREACH: row(101, 51, 10051, ['network is unreachable', 'network unreachable']),
  EAGAIN: row(11, 35, 10035, ['resource temporarily unavailable']),
} as const satisfies Record<string, Row>;

export type Errno = keyof typeof ROWS;
const ERRNOS = Object.entries(ROWS) as readonly [Errno, Row][];

/** All texts, for patterns: longer ones first, since some begin with others. */
export const ERRNO_TEXT = ERRNOS.flatMap(([, { texts }]) => texts)
  .sort((a, b) => b.length - a.length)
  .join('|');

/** A word by which an errno may be meant, and what it is then. */
const words = new Map<string, { errno: Errno; system: System | null }>();
for (const [errno, { texts, kinds = [], windows }] of ERRNOS) {
  for (const text of [errno, ...texts, ...kinds]) words.set(text.toLowerCase(), { errno, system: null });
  words.set(`wsa${errno.toLowerCase()}`, { errno, system: 'windows' });
  if (windows) words.set(windows, { errno, system: 'windows' });
}

/**
 * The pattern of all words, for a regular expression with the flag `i`: blanks may be underscores (Envoy's access log), and "cannot" may be
 * "can't" (BSD's libc, and some Java).
 */
const WORDS = [...words.keys()]
  .sort((a, b) => b.length - a.length)
  .map((word) => word.replace(/^cannot/, "can(?:no|['’])t").replaceAll(' ', '[ _]'))
  .join('|');
/** Numbers that are an errno of one of the systems. ENOMEM of Windows is none of winsock's. */
const numbers = new Map<string, { errno: Errno; system: System }[]>();
for (const [errno, row] of ERRNOS)
  for (const system of ['linux', 'bsd', 'windows'] as const) {
    const known = numbers.get(String(row.numbers[system])) ?? [];
    numbers.set(String(row.numbers[system]), [...known, { errno, system }]);
  }

/** Where a number is an errno: behind a word that says so, or in brackets. libuv counts Windows' from -4096 on. */
const NUMBER = String.raw`(?:(?<![a-z])(?:errno|os error|winerror|socketexception|error|err|code)(?:[ :=(#[_]){1,3}-?|(?=\(98|\(99|\(1[01]\d\D)\()(\d{2,5})(?![\d.:-]*\d)`;
const MENTION = `(?<![a-z])(${WORDS})(?![a-z])|${NUMBER}`;
const MENTIONS = new RegExp(MENTION, 'gi');

/** A line in which an errno may be named. */
export const MENTIONED = new RegExp(MENTION, 'i');

/** An errno in a text. */
export interface Mention {
  readonly errno: Errno;
  /** null: it says nothing of the system. */
  readonly system: System | null;
  readonly from: number;
  readonly to: number;
}

/** All errnos that a line names, in their order. A number of two systems is Linux's. */
export function mentionsOf(line: string): readonly Mention[] {
  const found: Mention[] = [];
  for (const match of line.matchAll(MENTIONS)) {
    const [all, word, number] = match;
    const to = match.index + all.length;
    if (word !== undefined) {
      const known = words.get(
        word
          .toLowerCase()
          .replaceAll('_', ' ')
          .replace(/^can['’]t/, 'cannot'),
      )!;
      found.push({ ...known, from: match.index, to });
    } else {
      const known = numbers.get(number!)?.find(({ system }, _, all) => all.length === 1 || system === 'linux');
      if (known) found.push({ ...known, from: to - number!.length, to });
    }
  }
  return found;
}

/** The errno of a number, a name or a message; undefined for any other text. */
export function errnoOf(text: string): Errno | undefined {
  const plain = text
    .trim()
    .toLowerCase()
    .replace(/^-/, '')
    .replace(/^can['’]t/, 'cannot');
  return words.get(plain)?.errno ?? ERRNOS.find(([, { numbers }]) => String(numbers.linux) === plain)?.[0];
}
