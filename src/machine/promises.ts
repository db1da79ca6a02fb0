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

/**
 * What a promise comes to, if it does so in time.
 * @param late makes the message of the error with which it rejects after `ms` milliseconds
 */
export async function withDeadline<T>(promise: Promise<T>, ms: number, late: () => string): Promise<T> {
  const overdue = deferred<never>();
  const timer = setTimeout(() => overdue.reject(new Error(late())), ms);
  try {
    return await Promise.race([promise, overdue.promise]);
  } finally {
    clearTimeout(timer);
  }
}
