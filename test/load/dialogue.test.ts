/**
 * The load's side of HTTP against a server that answers as it is told: the engine itself, on loopback.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createPool, type LoadReport } from '../../src/load/pool.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { LoadPlan } from '../../src/plan/plan.js';

const TARGETS = [
  { address: '198.19.0.1', port: 9000 },
  { address: '198.19.0.1', port: 9001 },
];

/** Run attempts through a server, to which each request is handed as text. */
async function talk(
  t: TestContext,
  plan: Partial<LoadPlan>,
  serve: (socket: Socket, request: string, nth: number) => void,
): Promise<LoadReport> {
  let nth = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.once('data', (data) => serve(socket, data.toString('latin1'), nth++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const pool = await createPool({
    plan: {
      ...LOAD,
      pick: 'round-robin',
      protocol: 'connect',
      arrival: { shape: 'fill', attempts: 4, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
      timeoutMs: 3000,
      ...plan,
    },
    addresses: ['127.0.0.1'],
    via: { proxy: { address: '127.0.0.1', port: address.port }, outgoing: 1 },
    targets: TARGETS,
    ports: { low: 1, high: 65_535 },
    seed: 1,
    descriptorLimit: 4096,
    descriptorReserve: 128,
  });
  t.after(() => server.close());
  pool.start(1000);
  await pool.drained;
  return pool.finish();
}

describe('CONNECT', () => {
  it('asks for each destination in turn, and a 2xx is a tunnel', async (t) => {
    const requests: string[] = [];
    const report = await talk(t, {}, (socket, request) => {
      requests.push(request);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.deepEqual(requests.slice(0, 2), [
      'CONNECT 198.19.0.1:9000 HTTP/1.1\r\nHost: 198.19.0.1:9000\r\nUser-Agent: bindstorm\r\n\r\n',
      'CONNECT 198.19.0.1:9001 HTTP/1.1\r\nHost: 198.19.0.1:9001\r\nUser-Agent: bindstorm\r\n\r\n',
    ]);
    assert.equal(report.histograms.response.totalCount, 4);
    assert.deepEqual(report.answers, {});
  });

  it('takes a head that comes byte by byte', async (t) => {
    const report = await talk(t, {}, async (socket) => {
      for (const byte of 'HTTP/1.1 200 OK\r\nVia: x\r\n\r\n') {
        socket.write(byte);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
  });

  it('exchanges bytes inside of the tunnel', async (t) => {
    const report = await talk(t, { exchange: { request: 10, response: 5000 } }, (socket) => {
      let received = 0;
      socket.on('data', (data) => {
        received += data.length;
        if (received === 10) socket.write('y'.repeat(5000));
      });
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
  });

  it('counts other answers by status and error, and keeps them in full', async (t) => {
    const report = await talk(t, {}, (socket, _, nth) => {
      const [status, error] = [
        ['503', 'X-Squid-Error: ERR_CONNECT_FAIL 0\r\n'],
        ['503', 'X-Squid-Error: ERR_CONNECT_FAIL 99\r\n'],
        ['502', ''],
        ['301', ''],
      ][nth]!;
      socket.end(`HTTP/1.1 ${status} No\r\n${error}Content-Length: 2\r\n\r\nno`);
    });
    assert.deepEqual(report.outcomes, { 'http:503 ERR_CONNECT_FAIL': 2, 'http:502': 1, 'http:301': 1 });
    assert.deepEqual(report.answers, {
      '503 ERR_CONNECT_FAIL 0': 1,
      '503 ERR_CONNECT_FAIL 99': 1,
      '502': 1,
      '301': 1,
    });
    assert.equal(report.histograms.response.totalCount, 0);
    assert.equal(report.histograms.failed.totalCount, 4);
  });

  it('tells apart no HTTP, an end, a reset and silence', async (t) => {
    const report = await talk(t, { timeoutMs: 200 }, (socket, _, nth) => {
      if (nth === 0) socket.write('220 mail.example ESMTP\r\n');
      if (nth === 1) socket.end('HTTP/1.1 200');
      if (nth === 2) socket.resetAndDestroy();
    });
    assert.deepEqual(report.outcomes, {
      'response:EPROTO': 1,
      'response:EOF': 1,
      'response:ECONNRESET': 1,
      'timeout:ETIMEDOUT': 1,
    });
  });

  it('is no tunnel with an interim answer', async (t) => {
    const report = await talk(t, {}, (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'));
    assert.deepEqual(report.outcomes, { 'response:EPROTO': 4 });
  });
});

describe('GET', () => {
  const GET = { protocol: 'get' } as const;

  it('asks in absolute form, and is over with the last byte', async (t) => {
    const requests: string[] = [];
    const report = await talk(t, GET, async (socket, request) => {
      requests.push(request);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.write('def');
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.ok(report.histograms.response.minNonZeroValue >= 15_000, 'the second half was waited for');
    assert.equal(
      requests[0],
      'GET http://198.19.0.1:9000/ HTTP/1.1\r\nHost: 198.19.0.1:9000\r\nUser-Agent: bindstorm\r\nConnection: close\r\n\r\n',
    );
  });

  it('takes an empty body, and one that ends with the connection', async (t) => {
    const report = await talk(t, GET, (socket, _, nth) => {
      if (nth % 2 === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      else socket.end('HTTP/1.0 200 OK\r\n\r\nall there is');
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
  });

  it('fails when the body is cut short, and when it is encoded', async (t) => {
    const report = await talk(t, GET, (socket, _, nth) => {
      if (nth % 2 === 0) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort');
      else socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
    });
    assert.deepEqual(report.outcomes, { 'response:EOF': 2, 'response:EPROTO': 2 });
  });
});

describe('SOCKS5', () => {
  const SOCKS = { protocol: 'socks5' } as const;
  const METHOD = [5, 0];
  const SUCCEEDED = [5, 0, 0, 1, 10, 50, 0, 1, 156, 64];

  it('greets, asks for each destination in turn, and exchanges bytes behind the reply', async (t) => {
    const said: string[] = [];
    const report = await talk(t, { ...SOCKS, exchange: { request: 10, response: 5000 } }, (socket, greeting) => {
      said.push(Buffer.from(greeting, 'latin1').toString('hex'));
      socket.write(Uint8Array.from(METHOD));
      socket.once('data', (request) => {
        said.push(request.toString('hex'));
        // The first bytes of the answer come with the reply.
        socket.once('data', () => socket.write('y'.repeat(4000)));
        socket.write(Buffer.concat([Uint8Array.from(SUCCEEDED), Buffer.from('y'.repeat(1000))]));
      });
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.deepEqual(said.slice(0, 4), ['050100', '05010001c61300012328', '050100', '05010001c61300012329']);
    assert.equal(report.histograms.response.totalCount, 4);
  });

  it('takes what comes byte by byte', async (t) => {
    const report = await talk(t, SOCKS, async (socket) => {
      const slowly = async (bytes: readonly number[]) => {
        for (const byte of bytes) {
          socket.write(Uint8Array.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      socket.once('data', () => void slowly(SUCCEEDED));
      await slowly(METHOD);
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
  });

  it('counts replies that are failures by their name, and keeps their numbers', async (t) => {
    const report = await talk(t, SOCKS, (socket, _, nth) => {
      if (nth === 3) return void socket.write(Uint8Array.of(5, 255));
      socket.once('data', () => socket.write(Uint8Array.of(5, [1, 3, 77][nth]!, 0, 1, 0, 0, 0, 0, 0, 0)));
      socket.write(Uint8Array.from(METHOD));
    });
    assert.deepEqual(report.outcomes, {
      'socks:general-failure': 1,
      'socks:network-unreachable': 1,
      'socks:reply-77': 1,
      'socks:no-acceptable-method': 1,
    });
    assert.deepEqual(report.answers, { 'reply 1': 1, 'reply 3': 1, 'reply 77': 1, 'method 255': 1 });
  });

  it('tells apart no SOCKS, a reply before the request, an end and silence', async (t) => {
    const report = await talk(t, { ...SOCKS, timeoutMs: 200 }, (socket, _, nth) => {
      if (nth === 0) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      if (nth === 1) socket.write(Uint8Array.from([...METHOD, ...SUCCEEDED]));
      if (nth === 2) socket.end(Uint8Array.from(METHOD));
    });
    assert.deepEqual(report.outcomes, { 'response:EPROTO': 2, 'response:EOF': 1, 'timeout:ETIMEDOUT': 1 });
  });
});
