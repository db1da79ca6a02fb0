/**
 * Asking again: a server that is started anew, or whose link is slow, answers in a while.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../domain/error.js';
import type { Note } from '../lab/lab.js';
import { NoAnswer } from './bus.js';

/** Between two tries. */
const AGAIN_MS = 250;

export interface Patience {
  /** How long it is asked again. */
  readonly ms: number;
  /** Told once what is in the way. */
  readonly note: Note;
  /** Not asked again after it. */
  readonly signal?: AbortSignal;
}

/**
 * Do what may be done twice, until there is an answer.
 * @param isPassing whether an error may be gone the next time; absent: only that nobody answers
 * @returns what `work` does. Rejects as it does, at once where the error does not pass, else when the time is over
 */
export async function patiently<T>(
  { ms, note, signal }: Patience,
  work: () => Promise<T>,
  isPassing: (error: unknown) => boolean = (error) => error instanceof NoAnswer,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (let said = false; ; said = true) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || performance.now() >= deadline || signal?.aborted) throw error;
      if (!said) note(`${messageOf(error)}; asked again for up to ${Math.ceil(ms / 1000)} s`);
      await pause(Math.min(AGAIN_MS, ms), signal);
    }
  }
}

/** Wait for so long, or until the signal is aborted. Nothing of it is left on the signal, which may live for months. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => {});
}
