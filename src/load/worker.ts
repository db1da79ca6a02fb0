/**
 * Entry of a load worker's thread: for each order run an engine and post its report.
 */
import { parentPort } from 'node:worker_threads';
import { transportOf } from '../domain/protocol.js';
import type { EngineInput, EngineReport } from './engine.js';
import { CONTROL } from './shared.js';
import { closeSockets, ownDescriptors, serveOrders } from './staying.js';

/** What a load worker posts, in this order: it only waits for the start; every attempt has its outcome; its report. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'drained' }
  | { readonly type: 'report'; readonly report: EngineReport };

const post = (message: WorkerMessage) => parentPort?.postMessage(message);

serveOrders<EngineInput>(async (input) => {
  // The HTTP client is loaded only by those that use it, and before the start.
  const run =
    transportOf(input.plan.protocol) === 'udp'
      ? (await import('./datagram/engine-datagram.js')).runDatagramEngine
      : input.plan.engine === 'http'
        ? (await import('./http/engine-http.js')).runHttpEngine
        : (await import('./socket/engine-socket.js')).runSocketEngine;
  // After the last module is loaded: some are read by other threads.
  const own = ownDescriptors();
  post({ type: 'ready' });
  // The pool writes the start instant when every worker is ready.
  Atomics.wait(input.shared.control, CONTROL.go, 0);
  const report = await run({ ...input, ownDescriptors: own }, () => post({ type: 'drained' }));
  closeSockets();
  post({ type: 'report', report });
});
