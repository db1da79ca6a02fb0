/**
 * Signals that ask this program to end: Ctrl-C, a service manager, a terminal that was closed.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Call `onFirst` at the first SIGINT, SIGTERM or SIGHUP. From then on a SIGINT or SIGTERM ends the program at once, as usual. A further
 * SIGHUP does not: a lost terminal sends two of them, one from the kernel and one from the shell (bash(1), "SIGNALS").
 * @returns puts everything back as it was
 */
export function onInterrupt(onFirst: () => void): () => void {
  let first = true;
  const interrupt = () => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    if (first) onFirst();
    first = false;
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  return () => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  };
}

/** Do some work with a signal that the first interrupt aborts. @param note called with a message then */
export async function interruptible<T>(
  note: (text: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = onInterrupt(() => {
    controller.abort();
    note('interrupted: ending the run in progress; finished runs are kept (interrupt again to quit at once)');
  });
  try {
    return await work(controller.signal);
  } finally {
    stop();
  }
}
