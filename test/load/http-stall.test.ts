/**
 * The HTTP engine on a thread that the machine keeps from its CPU. It runs on this one, which is kept busy here, and the server on a thread of its own.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicMicros as now } from '../../src/kernel/libc.js';
import { runHttpEngine } from '../../src/load/http/engine-http.js';
import { namesIn } from '../../src/load/names.js';
import { outcomesOf } from '../../src/load/outcome.js';
import { CONTROL, createSharedLoad } from '../../src/load/shared.js';
import { LOAD } from '../../src/plan/load-settings.js';

/** Time enough to be asked on a busy machine. */
const TIMEOUT_MS = 1000;
/** Of what the two threads share: the engine's is kept busy, and the server has answered. */
const STALLED = 0;
const SERVED = 1;

/** Asked, it says so, waits until the engine's thread is stalled, and answers or not. */
const SERVER = `
  const { createServer } = require('node:net');
  const { parentPort, workerData: { flags, answer } } = require('node:worker_threads');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      parentPort.postMessage('asked');
      Atomics.wait(flags, ${STALLED}, 0);
      socket.write(answer);
      Atomics.store(flags, ${SERVED}, 1);
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** One attempt, whose thread does nothing else from when the server was asked until the time is up. @returns its outcome */
async function stalled(answer: string) {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const server = new Worker(SERVER, { eval: true, workerData: { flags, answer } });
  const [port] = (await once(server, 'message')) as [number];
  server.once('message', () => {
    Atomics.store(flags, STALLED, 1);
    Atomics.notify(flags, STALLED);
    const end = now() + TIMEOUT_MS * 1000;
    while (now() < end || Atomics.load(flags, SERVED) === 0);
  });
  const shared = createSharedLoad(1);
  shared.start[0] = now();
  await runHttpEngine(
    {
      plan: {
        ...LOAD,
        engine: 'http',
        protocol: 'get',
        strategy: 'connect',
        arrival: { shape: 'fill', attempts: 1, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
        timeoutMs: TIMEOUT_MS,
      },
      addresses: ['127.0.0.1'],
      targets: [{ address: '127.0.0.1', port }],
      ports: { low: 1, high: 65_535 },
      worker: 0,
      slot: 0,
      seed: 1,
      descriptorLimit: 1024,
      descriptorReserve: 128,
      ownDescriptors: false,
      shared,
    },
    () => Atomics.store(shared.control, CONTROL.release, 1),
  );
  await server.terminate();
  return outcomesOf(shared.counters, namesIn(shared.outcomeNames));
}

describe('an attempt of the HTTP engine whose thread was kept from its CPU until the time was up', () => {
  it('is ok when the answer came meanwhile', async () => {
    assert.deepEqual(await stalled('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), { ok: 1 });
  });

  it('is given up when only a part of it came', async () => {
    assert.deepEqual(await stalled('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no'), { 'timeout:ETIMEDOUT': 1 });
  });
});
