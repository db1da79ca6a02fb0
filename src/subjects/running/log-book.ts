/**
 * What the lines of a proxy's logs come to: failures counted by call and errno, requests by their result, and the last lines.
 */
/** The streams of a started program, as names beside those of its log files. */
export const STANDARD_ERROR = 'standard error';
export const STANDARD_OUTPUT = 'standard output';

/** What one line of a log says. */
export type LogEvent =
  /** An outgoing connection failed. `call` and `errno` are null where the line does not tell. */
  | { readonly kind: 'failure'; readonly call: 'bind' | 'connect' | null; readonly errno: string | null }
  /** The line of an access log: how a request ended, in the proxy's own words. */
  | { readonly kind: 'request'; readonly result: string; readonly trouble?: string }
  /** The proxy was not what was to be measured, as when it ran out of descriptors: in a sentence without a full stop. */
  | { readonly kind: 'trouble'; readonly what: string };

/** A pattern, and what a line says that matches it. */
export type LogRule = readonly [pattern: RegExp, says: LogEvent | ((match: readonly string[]) => LogEvent)];

/** What the first rule whose pattern is in the line makes of it; null: none is. */
export function eventBy(rules: readonly LogRule[], line: string): LogEvent | null {
  for (const [pattern, says] of rules) {
    const match = pattern.exec(line);
    if (match) return typeof says === 'function' ? says(match) : says;
  }
  return null;
}

/** What each kind of proxy can say. @param call and errno are null where the line does not tell */
export const refused = (call: 'bind' | 'connect' | null, errno: string | null): LogEvent => ({
  kind: 'failure',
  call,
  errno,
});
export const OUT_OF_DESCRIPTORS: LogEvent = { kind: 'trouble', what: 'it ran out of descriptors' };
/** For a pattern whose group is the last words of a program. */
export const gaveUp = ([, why]: readonly string[]): LogEvent => ({ kind: 'trouble', what: `it gave up: ${why}` });

/** Lines kept of each kind of failure, from its first on. */
const SAMPLES = 3;
/** Last lines kept of everything but requests and failures beyond the samples. */
const TAIL = 20;
const LONGEST_LINE = 500;

/** Failures of one kind. */
interface LoggedFailure {
  /** `bind`, `connect`, or null where the log does not tell. */
  readonly call: string | null;
  readonly errno: string | null;
  readonly count: number;
  /** The first few lines that say so. */
  readonly lines: string[];
}

/** See createLogBook. */
export interface LogBook {
  add(line: string, event: LogEvent | null): void;
  failures(): LoggedFailure[];
  /** Result of a request, as `TCP_TUNNEL/200` → how many. */
  requests(): Record<string, number>;
  /** Why the proxy was not what was to be measured; each reason once. */
  troubles(): string[];
  tail(): string[];
}

/** An empty book, to which the lines of all logs are added. */
export function createLogBook(): LogBook {
  const failures = new Map<string, { call: string | null; errno: string | null; count: number; lines: string[] }>();
  const requests = new Map<string, number>();
  const troubles = new Set<string>();
  let tail: string[] = [];
  let muted = false;

  /** @returns whether it is one of the first of its kind */
  function addFailure(line: string, { call, errno }: Extract<LogEvent, { kind: 'failure' }>): boolean {
    const key = `${call}:${errno}`;
    const failure = failures.get(key) ?? { call, errno, count: 0, lines: [] };
    failures.set(key, failure);
    failure.count++;
    if (failure.lines.length < SAMPLES) failure.lines.push(line.slice(0, LONGEST_LINE));
    return failure.count <= SAMPLES;
  }

  return {
    add(line, event) {
      if (event?.kind === 'request') {
        requests.set(event.result, (requests.get(event.result) ?? 0) + 1);
        if (event.trouble !== undefined) troubles.add(event.trouble);
        return;
      }
      // Thousands of equal failures would push everything else out of the tail.
      if (event?.kind === 'failure') muted = !addFailure(line, event);
      // An indented line belongs to the one before it.
      else if (!/^\s/.test(line)) muted = false;
      if (muted) return;
      if (event?.kind === 'trouble') troubles.add(event.what);
      tail.push(line.slice(0, LONGEST_LINE));
      if (tail.length > 2 * TAIL) tail = tail.slice(-TAIL);
    },
    failures: () => [...failures.values()].sort((a, b) => b.count - a.count),
    requests: () => Object.fromEntries(requests),
    troubles: () => [...troubles],
    tail: () => tail.slice(-TAIL),
  };
}
