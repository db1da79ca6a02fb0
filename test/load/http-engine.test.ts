/**
 * The HTTP engine against a server that answers as it is told, on loopback: each way to fail has its outcome.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { type Certificate, makeCertificate } from '../../src/load/origin/certificate.js';
import { createPool, type LoadReport } from '../../src/load/pool.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { LoadPlan } from '../../src/plan/plan.js';

/** How long a silent peer is waited for: whoever does answer must do so within it, also on a busy machine. */
const SILENCE_MS = 1500;

interface Scene {
  readonly plan?: Partial<LoadPlan>;
  /** The server is a proxy; its targets are not there. */
  readonly proxy?: boolean;
  /** What the client expects of the server. */
  readonly certificate?: string;
  /** The server has gone before the load begins. */
  readonly gone?: boolean;
}

const TARGET = { address: '198.19.0.1', port: 9000 };

const once4 = { shape: 'fill', attempts: 4, failures: null, inFlight: 1, waves: 1, pauseMs: 0 } as const;

/** Run four attempts, one after the other, against a server on loopback. */
async function run(
  t: TestContext,
  { plan, proxy = false, certificate, gone = false }: Scene,
  server: ReturnType<typeof createServer>,
) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const own = { address: '127.0.0.1', port: address.port };
  if (gone) server.close();
  const pool = await createPool({
    plan: {
      ...LOAD,
      engine: 'http',
      protocol: 'get',
      strategy: 'bind',
      pick: 'round-robin',
      arrival: once4,
      timeoutMs: 30_000,
      ...plan,
    },
    addresses: ['127.0.0.1'],
    ...(proxy ? { via: { proxy: own, outgoing: 1 } } : {}),
    targets: [proxy ? TARGET : own],
    ...(certificate === undefined ? {} : { certificate }),
    ports: { low: 1, high: 65_535 },
    seed: 1,
    descriptorLimit: 4096,
    descriptorReserve: 128,
  });
  pool.start(1000);
  await pool.drained;
  return pool.finish();
}

/** As `run`; each piece that comes is handed over as text, with the number of its connection. */
function talk(
  t: TestContext,
  scene: Scene,
  serve: (socket: Socket, text: string, nth: number) => void,
): Promise<LoadReport> {
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const nth = connections++;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (data) => serve(socket, data.toString('latin1'), nth));
  });
  return run(t, scene, server);
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('GET by the HTTP engine', () => {
  it('asks a proxy in absolute form and an origin in origin form, and says when it will not come back', async (t) => {
    for (const [proxy, keepAlive] of [
      [true, false],
      [false, false],
      [false, true],
    ] as const) {
      const requests: string[] = [];
      const report = await talk(t, { proxy, plan: { keepAlive } }, (socket, request) => {
        requests.push(request);
        socket.write(OK);
      });
      assert.deepEqual(report.outcomes, { ok: 4 });
      const [line, ...fields] = requests[0]!.toLowerCase().split('\r\n');
      assert.equal(line, proxy ? 'get http://198.19.0.1:9000/ http/1.1' : 'get / http/1.1');
      if (proxy) assert.ok(fields.includes('host: 198.19.0.1:9000'), requests[0]);
      assert.ok(fields.includes(keepAlive ? 'connection: keep-alive' : 'connection: close'), requests[0]);
    }
  });

  it('reads a body in chunks, one up to the end, and what comes after an interim answer', async (t) => {
    const report = await talk(t, {}, async (socket, _, nth) => {
      if (nth === 0) {
        for (const piece of [
          'HTTP/1.1 200 OK\r\nTransfer-',
          'Encoding: chunked\r\n\r\n3\r',
          '\nabc\r\n0\r\n',
          '\r\n',
        ]) {
          socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } else if (nth === 1) socket.end('HTTP/1.1 200 OK\r\n\r\nup to the end');
      else socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${OK}`);
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.equal(report.histograms.response.totalCount, 4);
  });

  it('counts other answers by status and error, and keeps them in full', async (t) => {
    const report = await talk(t, { proxy: true }, (socket, _, nth) => {
      const [status, error] = [
        ['503', 'X-Squid-Error: ERR_CONNECT_FAIL 0\r\n'],
        ['503', 'x-squid-error: ERR_CONNECT_FAIL 99\r\n'],
        ['502', ''],
        ['301', ''],
      ][nth]!;
      socket.end(`HTTP/1.1 ${status} No\r\n${error}Content-Length: 2\r\n\r\nno`);
    });
    assert.deepEqual(report.outcomes, { 'http:503 ERR_CONNECT_FAIL': 2, 'http:502': 1, 'http:301': 1 });
    assert.deepEqual(report.answers, { '503 ERR_CONNECT_FAIL 0': 1, '503 ERR_CONNECT_FAIL 99': 1, '502': 1, '301': 1 });
    assert.equal(report.histograms.failed.totalCount, 4);
  });

  it('tells apart no HTTP, an end, a reset and silence', async (t) => {
    const report = await talk(t, { plan: { timeoutMs: SILENCE_MS } }, (socket, _, nth) => {
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

  it('is half an answer when the origin closes its side in the midst of a body', async (t) => {
    const report = await talk(t, {}, (socket, _, nth) => {
      if (nth % 2 === 0) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      else socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf');
    });
    assert.deepEqual(report.outcomes, { 'response:EOF': 4 });
  });

  it('an origin that stops in the midst of a body is a timeout', async (t) => {
    const report = await talk(t, { plan: { timeoutMs: SILENCE_MS } }, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    });
    assert.deepEqual(report.outcomes, { 'timeout:ETIMEDOUT': 4 });
  });

  it('nobody listens', async (t) => {
    const server = createServer();
    const report = await run(t, { gone: true }, server);
    assert.deepEqual(report.outcomes, { 'connect:ECONNREFUSED': 4 });
  });
});

describe('connections that are used again', () => {
  const plan = { keepAlive: true };

  it('one is enough, and an answer that is a failure ends it', async (t) => {
    let connections = 0;
    const report = await talk(t, { plan }, (socket, _, nth) => {
      connections = nth + 1;
      socket.write(nth === 0 ? 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n' : OK);
    });
    assert.deepEqual(report.outcomes, { 'http:500': 1, ok: 3 });
    assert.equal(connections, 2);
  });

  it('one that the peer closed before the request is no failure: a new one is made', async (t) => {
    let requests = 0;
    let connections = 0;
    const report = await talk(t, { plan }, (socket, _, nth) => {
      connections = nth + 1;
      // The second request of each connection meets its end.
      const first = requests++ % 2 === 0;
      if (first) socket.write(OK);
      else socket.destroy();
      if (!first) requests = 0;
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.equal(connections, 4);
    assert.equal(report.peakOpen, 1);
  });

  it('one that ends in the midst of an answer is a failure', async (t) => {
    let requests = 0;
    const report = await talk(t, { plan }, (socket) => {
      if (requests++ === 0) socket.write(OK);
      else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    });
    assert.deepEqual(report.outcomes, { ok: 1, 'response:EOF': 3 });
  });
});

describe('CONNECT by the HTTP engine', () => {
  const connect = { proxy: true, plan: { protocol: 'connect' } } as const;

  it('has a GET inside of the tunnel', async (t) => {
    const requests: string[] = [];
    const report = await talk(t, connect, (socket, text) => {
      requests.push(text.split('\r\n')[0]!);
      socket.write(text.startsWith('CONNECT') ? 'HTTP/1.1 200 Connection established\r\n\r\n' : OK);
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.deepEqual(requests.slice(0, 2), ['CONNECT 198.19.0.1:9000 HTTP/1.1', 'GET / HTTP/1.1']);
    assert.equal(report.histograms.response.totalCount, 4);
  });

  it('tells apart who failed: the proxy, or what is behind it', async (t) => {
    const silent = { ...connect, plan: { ...connect.plan, timeoutMs: SILENCE_MS } };
    const report = await talk(t, silent, (socket, text, nth) => {
      if (nth === 0)
        return void socket.end('HTTP/1.1 503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\nContent-Length: 1\r\n\r\nx');
      if (nth === 1) return void socket.end();
      if (text.startsWith('CONNECT')) return void socket.write('HTTP/1.1 200 OK\r\n\r\n');
      if (nth === 2) socket.end();
    });
    assert.deepEqual(report.outcomes, {
      'http:503 ERR_DNS_FAIL': 1,
      'response:EOF': 1,
      'exchange:EOF': 1,
      'timeout:ETIMEDOUT': 1,
    });
  });
});

describe('TLS by the HTTP engine', () => {
  const here = makeCertificate(['127.0.0.1']);

  function secured(t: TestContext, shown: Certificate, expected: Certificate): Promise<LoadReport> {
    const server = createTlsServer({ key: shown.key, cert: shown.certificate }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(OK));
    });
    return run(t, { plan: { tls: true }, certificate: expected.certificate }, server);
  }

  it('a certificate that is the expected one', async (t) => {
    assert.deepEqual((await secured(t, here, here)).outcomes, { ok: 4 });
  });

  it('another one, or one for another address, is refused', async (t) => {
    assert.deepEqual((await secured(t, makeCertificate(['127.0.0.1']), here)).outcomes, { 'tls:EPROTO': 4 });
    const elsewhere = makeCertificate(['127.0.0.2']);
    assert.deepEqual((await secured(t, elsewhere, elsewhere)).outcomes, { 'tls:EPROTO': 4 });
  });

  it('a peer that ends, resets or speaks no TLS', async (t) => {
    const report = await talk(
      t,
      { plan: { tls: true, timeoutMs: SILENCE_MS }, certificate: here.certificate },
      (socket, _, nth) => {
        if (nth === 0) socket.end();
        if (nth === 1) socket.resetAndDestroy();
        if (nth === 2) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      },
    );
    assert.deepEqual(report.outcomes, { 'tls:EOF': 1, 'tls:ECONNRESET': 1, 'tls:EPROTO': 1, 'timeout:ETIMEDOUT': 1 });
  });
});

describe('SOCKS5 by the HTTP engine', () => {
  const socks = { proxy: true, plan: { protocol: 'socks5' } } as const;
  const REQUEST = '\x05\x01\x00\x01\xc6\x13\x00\x01\x23\x28';
  const GRANTED = '\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50';
  const say = (socket: Socket, text: string) => socket.write(Buffer.from(text, 'latin1'));

  it('has a GET behind the dialogue, whose messages may come in pieces', async (t) => {
    const heard: string[] = [];
    const report = await talk(t, socks, async (socket, text) => {
      heard.push(text.split('\r\n')[0]!);
      if (text === '\x05\x01\x00') say(socket, '\x05\x00');
      else if (text === REQUEST) {
        for (const byte of GRANTED) {
          say(socket, byte);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } else say(socket, OK);
    });
    assert.deepEqual(report.outcomes, { ok: 4 });
    assert.deepEqual(heard.slice(0, 3), ['\x05\x01\x00', REQUEST, 'GET / HTTP/1.1']);
    assert.equal(report.histograms.response.totalCount, 4);
  });

  it('counts replies that are failures, and tells apart no SOCKS, an end and silence', async (t) => {
    const report = await talk(
      t,
      { ...socks, plan: { ...socks.plan, timeoutMs: SILENCE_MS, arrival: { ...once4, attempts: 7 } } },
      (socket, text, nth) => {
        if (nth === 0) return void say(socket, '\x05\xff');
        if (nth === 1) return void say(socket, 'HTTP/1.1 400 No\r\n\r\n');
        if (nth === 2) return void socket.end();
        if (nth === 3) return;
        if (text === '\x05\x01\x00') return void say(socket, '\x05\x00');
        if (nth === 4) say(socket, '\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00');
        if (nth === 5) say(socket, '\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00');
        if (nth === 6) socket.resetAndDestroy();
      },
    );
    assert.deepEqual(report.outcomes, {
      'socks:no-acceptable-method': 1,
      'response:EPROTO': 1,
      'response:EOF': 1,
      'timeout:ETIMEDOUT': 1,
      'socks:network-unreachable': 1,
      'socks:general-failure': 1,
      'response:ECONNRESET': 1,
    });
    assert.deepEqual(report.answers, { 'method 255': 1, 'reply 3': 1, 'reply 1': 1 });
  });
});
