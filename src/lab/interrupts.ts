/**
 * A lab that takes minutes to come up must not be left half made by Ctrl-C.
 */
import { onInterrupt } from '../machine/interrupts.js';
import { LabInterrupted } from './lab.js';

/**
 * Do some work that the first SIGINT, SIGTERM or SIGHUP aborts; a second one ends the program at once, as usual.
 * @throws LabInterrupted when it was aborted, however it ended; else what `work` throws
 */
export async function abortable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const release = onInterrupt(() => controller.abort());
  try {
    const result = await work(controller.signal);
    if (controller.signal.aborted) throw new LabInterrupted('interrupted while the lab came up');
    return result;
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new LabInterrupted('interrupted while the lab came up', { cause: error });
  } finally {
    release();
  }
}
