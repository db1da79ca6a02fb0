/**
 * Entry of the sink's threads, and the function that starts them. In the listen-only form there are none, for nobody accepts: the
 * kernel completes the handshakes and keeps the connections in the accept queue, which needs no descriptors.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { close as sysClose, unshareDescriptors } from '../../kernel/libc.js';
import { runHttpsSink } from './sink-https.js';
import { listenAll, SINK_CONTROL, type SinkInput, type SinkThreadInput } from './sink-listen.js';
import { runSink } from './sink-loop.js';

export interface Sink {
  /** Connections accepted so far, and accepts refused for want of descriptors. */
  counts(): { accepted: number; refused: number };
  stop(): Promise<void>;
}

/** Start a sink on threads of its own. Rejects with the reason when an address cannot be listened on. */
export async function startSink(input: Omit<SinkInput, 'control'>): Promise<Sink> {
  const control = new Int32Array(new SharedArrayBuffer(4 * Object.keys(SINK_CONTROL).length));
  const { plan } = input;
  // With TLS it is Node that listens, on the thread that serves.
  const listeners = plan.tls ? [] : listenAll(input.listen);
  const threads = plan.tls ? 1 : plan.sink === 'listen-only' ? 0 : input.threads;
  const ended = await Promise.all(
    Array.from({ length: threads }, () => startThread({ ...input, threads, control, listeners })),
  );
  return {
    counts: () => ({ accepted: control[SINK_CONTROL.accepted]!, refused: control[SINK_CONTROL.refused]! }),
    async stop() {
      Atomics.store(control, SINK_CONTROL.stop, 1);
      Atomics.notify(control, SINK_CONTROL.stop);
      await Promise.all(ended.map(({ end }) => end));
      for (const fd of listeners) sysClose(fd);
    },
  };
}

/** @returns its end; resolves when it serves */
async function startThread(input: SinkThreadInput): Promise<{ readonly end: Promise<void> }> {
  const thread = new Worker(new URL(import.meta.url), { workerData: input });
  const end = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', () => {
      // From now on its death is that of the process: a sink that no longer accepts would be measured as the network's fault.
      thread.off('error', reject);
      resolve();
    });
  });
  return { end };
}

if (!isMainThread && parentPort !== null && (workerData as { listeners?: unknown } | null)?.listeners !== undefined) {
  const port = parentPort;
  const input = workerData as SinkThreadInput;
  const serving = () => port.postMessage('serving');
  if (input.plan.tls) await runHttpsSink(input, serving);
  else {
    unshareDescriptors();
    serving();
    runSink(input);
  }
}
