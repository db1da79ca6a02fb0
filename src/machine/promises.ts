/**
 * Promises that are ended from elsewhere, or by a deadline.
 */

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** A promise whose ends are in the caller's hands, as of Promise.withResolvers(), which Node has from 22 on. */
export function deferred<T = void>(): Deferred<T> {
  let ends: Omit<Deferred<T>, 'promise'>;
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject };
  });
  return { promise, ...ends! };
}

/** At the most a deadline is put off to so many times its length. */
const MOST_TIMES = 6;

/**
 * What a promise comes to, if it does so in time.
 * @param late makes the message of the error with which it rejects after `ms` milliseconds
 * @param excused milliseconds of those since now that do not count, asked when the time is up
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  late: () => string,
  excused: () => number = () => 0,
): Promise<T> {
  const overdue = deferred<never>();
  let putOff = 0;
  const isOver = () => {
    const more = Math.min(excused(), (MOST_TIMES - 1) * ms) - putOff;
    if (more < 1) return overdue.reject(new Error(late()));
    putOff += more;
    timer = setTimeout(isOver, more);
  };
  let timer = setTimeout(isOver, ms);
  try {
    return await Promise.race([promise, overdue.promise]);
  } finally {
    clearTimeout(timer);
  }
}
