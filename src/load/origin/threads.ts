/**
 * Entry of the origin's threads, and the function that starts them. In the listen-only form there are none, for nobody accepts: the
 * kernel completes the handshakes and keeps the connections in the accept queue, which needs no descriptors.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { transportOf } from '../../domain/protocol.js';
import { close as sysClose, unshareDescriptors } from '../../kernel/libc.js';
import { deferred } from '../../machine/promises.js';
import { closeSockets, ownDescriptors, serveOrders, startWork, takesOrders } from '../staying.js';
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
  const threads = plan.tls ? 1 : plan.sink === 'listen-only' ? 0 : input.threads;
  // A thread that is alone listens for itself, and may stay; with TLS it is Node that listens there.
  const listeners = threads === 1 ? [] : listenAll(input.listen, transportOf(plan.protocol));
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

/** What a thread posts: it serves; it has stopped. */
type ThreadMessage = 'serving' | 'stopped';

/** @returns its end; resolves when it serves. Rejects when it cannot listen */
async function startThread(input: OriginThreadInput): Promise<{ readonly end: Promise<void> }> {
  const mayStay = !input.plan.tls && input.threads === 1;
  const thread = startWork(new URL(import.meta.url), mayStay ? transportOf(input.plan.protocol) : null, input);
  const [serving, stopped] = [deferred(), deferred()];
  let serves = false;
  thread.on('message', (posted) => {
    const message = posted as ThreadMessage;
    if (message === 'serving') {
      serves = true;
      serving.resolve();
    } else {
      thread.done();
      stopped.resolve();
    }
  });
  thread.on('exit', () => stopped.resolve());
  thread.on('error', (error) => {
    // From then on its death is that of the process: an origin that no longer accepts would be measured as the network's fault.
    if (serves) throw error;
    serving.reject(error);
  });
  await serving.promise;
  return { end: stopped.promise };
}

if (!isMainThread && parentPort !== null && takesOrders(workerData)) {
  const port = parentPort;
  const post = (message: ThreadMessage) => port.postMessage(message);
  serveOrders<OriginThreadInput>(async (input) => {
    if (input.plan.tls) return serveHttps(input, () => post('serving'));
    serve(input, () => post('serving'));
    post('stopped');
  });
}

/** Serve until stopped. @throws SystemCallError when an address cannot be listened on */
function serve(input: OriginThreadInput, serving: () => void): void {
  const filled = { ...input, listeners: listenersOf(input) };
  serving();
  if (transportOf(input.plan.protocol) === 'udp') serveDatagrams(filled);
  else if (input.plan.protocol === 'get' || input.plan.engine === 'http') serveHttp(filled);
  else serveBytes(filled);
  closeSockets();
}

/** In a table of descriptors of this thread's own: the listening sockets that several threads share, which were opened before, or its own. */
function listenersOf({ listeners, listen, plan }: OriginThreadInput): readonly number[] {
  if (listeners.length > 0) {
    unshareDescriptors();
    return listeners;
  }
  ownDescriptors();
  return listenAll(listen, transportOf(plan.protocol));
}
