/**
 * A sign of life for who waits: every ten seconds what is being waited for. A program that says nothing for longer is taken for one that
 * hangs.
 */

const EVERY_MS = 10_000;

export interface Heartbeat {
  /**
   * What is waited for from now on, asked anew each time that it is said; null: nothing.
   * @param doing the words before it, asked anew too; absent: `waiting for`
   */
  waitFor(what: (() => string) | null, doing?: () => string): void;
  /** Something else was said just now. */
  said(): void;
  stop(): void;
}

/** Begins with nothing to wait for, and keeps no process alive. @param say told what is waited for, and since when */
export function createHeartbeat(say: (text: string) => void, everyMs = EVERY_MS): Heartbeat {
  let current: { readonly what: () => string; readonly doing: () => string; readonly since: number } | null = null;
  const beat = () => {
    if (current === null) return;
    const seconds = Math.round((performance.now() - current.since) / 1000);
    say(`${current.doing()} ${current.what()}, for ${seconds} s so far`);
  };
  const begin = () => setInterval(beat, everyMs).unref();
  let timer = begin();
  return {
    waitFor(what, doing = () => 'waiting for') {
      current = what === null ? null : { what, doing, since: performance.now() };
    },
    said() {
      clearInterval(timer);
      timer = begin();
    },
    stop: () => clearInterval(timer),
  };
}

/** The result of some work, which may take long. @param say absent: nothing is said */
export async function waitingFor<T>(
  what: string,
  work: Promise<T>,
  say: ((text: string) => void) | undefined,
  everyMs = EVERY_MS,
): Promise<T> {
  if (say === undefined) return work;
  const heartbeat = createHeartbeat(say, everyMs);
  heartbeat.waitFor(() => what);
  return work.finally(heartbeat.stop);
}
