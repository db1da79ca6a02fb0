/**
 * Entry of a load worker's thread: run the engine once, post the report, end.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { transportOf } from '../domain/protocol.js';
import { unshareDescriptors } from '../kernel/libc.js';
import type { EngineInput, EngineReport } from './engine.js';
import { CONTROL } from './shared.js';

/** What a load worker posts, in this order: it only waits for the start; every attempt has its outcome; its report. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'drained' }
  | { readonly type: 'report'; readonly report: EngineReport };

if (parentPort === null) throw new Error('load/worker.js is the entry of a worker thread');
const post = (message: WorkerMessage) => parentPort?.postMessage(message);
const input = workerData as EngineInput;
// The HTTP client is loaded only by those that use it, and before the start.
const run =
  transportOf(input.plan.protocol) === 'udp'
    ? (await import('./datagram/engine-datagram.js')).runDatagramEngine
    : input.plan.engine === 'http'
      ? (await import('./http/engine-http.js')).runHttpEngine
      : (await import('./socket/engine-socket.js')).runSocketEngine;
// After the last module is loaded: some are read by other threads.
const ownDescriptors = unshareDescriptors();
post({ type: 'ready' });
// The pool writes the start instant when every worker is ready.
Atomics.wait(input.shared.control, CONTROL.go, 0);
post({ type: 'report', report: await run({ ...input, ownDescriptors }, () => post({ type: 'drained' })) });
