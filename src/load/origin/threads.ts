/**
 * Entry of the origin's threads, and the function that starts them. In the listen-only form there are none, for nobody accepts: the
 * kernel completes the handshakes and keeps the connections in the accept queue, which needs no descriptors.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { transportOf } from '../../domain/protocol.js';
import { close as sysClose, unshareDescriptors } from '../../kernel/libc.js';
import { CONTROL, countsOf, listenAll, newControl, type OriginInput, type OriginThreadInput } from './listen.js';
import { serveBytes } from './serve-bytes.js';
import { serveDatagrams } from './serve-datagrams.js';
import { serveHttp } from './serve-http.js';
import { serveHttps } from './serve-https.js';

export interface OriginThreads {
  counts(): ReturnType<typeof countsOf>;
  stop(): Promise<void>;
}

/** Start an origin on threads of its own. Rejects with the reason when an address cannot be listened on. */
export async function startOrigin(input: OriginInput): Promise<OriginThreads> {
  const { plan, control = newControl() } = input;
  // With TLS it is Node that listens, on the thread that serves.
  const listeners = plan.tls ? [] : listenAll(input.listen, transportOf(plan.protocol));
  const threads = plan.tls ? 1 : plan.sink === 'listen-only' ? 0 : input.threads;
  const ended = await Promise.all(
    Array.from({ length: threads }, () => startThread({ ...input, threads, control, listeners })),
  );
  return {
    counts: () => countsOf(control),
    async stop() {
      Atomics.store(control, CONTROL.stop, 1);
      Atomics.notify(control, CONTROL.stop);
      await Promise.all(ended.map(({ end }) => end));
      for (const fd of listeners) sysClose(fd);
    },
  };
}

/** @returns its end; resolves when it serves */
async function startThread(input: OriginThreadInput): Promise<{ readonly end: Promise<void> }> {
  const thread = new Worker(new URL(import.meta.url), { workerData: input });
  const end = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  // From then on its death is that of the process: an origin that no longer accepts would be measured as the network's fault.
  await once(thread, 'message');
  return { end };
}

if (!isMainThread && parentPort !== null && (workerData as { listeners?: unknown } | null)?.listeners !== undefined) {
  const port = parentPort;
  const input = workerData as OriginThreadInput;
  const serving = () => port.postMessage('serving');
  if (input.plan.tls) await serveHttps(input, serving);
  else {
    unshareDescriptors();
    serving();
    if (transportOf(input.plan.protocol) === 'udp') serveDatagrams(input);
    else if (input.plan.protocol === 'get' || input.plan.engine === 'http') serveHttp(input);
    else serveBytes(input);
  }
}
