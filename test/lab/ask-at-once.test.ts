/**
 * A request goes out before anybody has asked whether the handshake is over: what fails then must still be told apart. On loopback.
 */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { descriptorLimit } from '../../src/agent/place/limits.js';
import { createPool } from '../../src/load/pool.js';
import { LOAD } from '../../src/plan/load-settings.js';

const ATTEMPTS = 50;
const TARGET = { address: '127.0.0.1', port: 1 };

async function listening(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

async function outcomesOf(port: number): Promise<Readonly<Record<string, number>>> {
  const pool = await createPool({
    plan: {
      ...LOAD,
      protocol: 'get',
      pick: 'round-robin',
      close: 'server',
      timeoutMs: 10_000,
      arrival: { shape: 'fill', attempts: ATTEMPTS, failures: null, inFlight: 4, waves: 1, pauseMs: 0 },
    },
    addresses: ['127.0.0.1'],
    via: { proxy: { address: '127.0.0.1', port }, outgoing: null },
    targets: [TARGET],
    ports: { low: 1024, high: 65_535 },
    seed: 1,
    descriptorLimit: descriptorLimit(),
    descriptorReserve: 64,
  });
  pool.start(0);
  await pool.drained;
  return (await pool.finish()).outcomes;
}

const close = (server: Server) => new Promise((resolve) => server.close(resolve));

test('nobody listens: connect', async () => {
  const { server, port } = await listening(() => {});
  await close(server);
  assert.deepEqual(await outcomesOf(port), { 'connect:ECONNREFUSED': ATTEMPTS });
});

test('the other side accepts and resets: not connect', async (t) => {
  const { server, port } = await listening((socket) => void socket.resetAndDestroy());
  t.after(() => close(server));
  const outcomes = await outcomesOf(port);
  // Whether the reset comes before the request or behind it is a race; that the handshake was over is none.
  assert.equal(
    (outcomes['response:ECONNRESET'] ?? 0) + (outcomes['response:EPIPE'] ?? 0),
    ATTEMPTS,
    JSON.stringify(outcomes),
  );
});

test('the other side answers', async (t) => {
  const { server, port } = await listening((socket) => {
    socket.on('error', () => {});
    // In two pieces, of which the first has no end of the head.
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Le');
      setTimeout(() => socket.end('ngth:  2 \r\n\r\nok'), 2);
    });
  });
  t.after(() => close(server));
  assert.deepEqual(await outcomesOf(port), { ok: ATTEMPTS });
});
