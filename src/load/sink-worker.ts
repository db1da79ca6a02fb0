/**
 * Entry of the sink's thread, and the function that starts it.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { runHttpsSink } from './sink-https.js';
import { SINK_CONTROL, type SinkInput } from './sink-listen.js';
import { runSink } from './sink-loop.js';

export interface Sink {
  /** Connections accepted so far, and accepts refused for want of descriptors. */
  counts(): { accepted: number; refused: number };
  stop(): Promise<void>;
}

/** Start a sink on a thread of its own. Rejects with the reason when an address cannot be listened on. */
export async function startSink(input: Omit<SinkInput, 'control'>): Promise<Sink> {
  const control = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SINK_CONTROL).length));
  const thread = new Worker(new URL(import.meta.url), { workerData: { ...input, control } satisfies SinkInput });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', () => {
      // From now on its death is that of the process: a sink that no longer accepts would be measured as the network's fault.
      thread.off('error', reject);
      resolve();
    });
  });
  return {
    counts: () => ({ accepted: control[SINK_CONTROL.accepted]!, refused: control[SINK_CONTROL.refused]! }),
    async stop() {
      Atomics.store(control, SINK_CONTROL.stop, 1);
      Atomics.notify(control, SINK_CONTROL.stop);
      await ended;
    },
  };
}

if (!isMainThread && parentPort !== null && (workerData as { listen?: unknown } | null)?.listen !== undefined) {
  const port = parentPort;
  const input = workerData as SinkInput;
  const serve = input.plan.tls ? runHttpsSink : runSink;
  await serve(input, () => port.postMessage('listening'));
}
