/** The one HTTP server against clients that mean no good, over real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { type Site, serveSite, type WebLimits, type WebServer } from '../../src/machine/web-server.js';

const PLACE = { host: '127.0.0.1', port: 0, what: 'the test', remedy: 'choose another' };
const TEXT = 'text/plain';

async function serve(
  t: TestContext,
  {
    pages = {},
    first = () => null,
    ...limits
  }: {
    pages?: Record<string, Site['pages'] extends ReadonlyMap<string, infer P> ? P : never>;
    first?: () => string | null;
  } & Partial<WebLimits> = {},
): Promise<WebServer & { port: number }> {
  const all = { '/': () => ({ status: 200, type: TEXT, body: 'the page' }), ...pages };
  const site = { pages: new Map(Object.entries(all)), events: { path: '/events', first }, elsewhere: 'it is at /' };
  const server = await serveSite(site, PLACE, limits);
  t.after(() => server.close());
  return Object.defineProperty(server as WebServer & { port: number }, 'port', {
    value: Number(new URL(server.origin).port),
  });
}

function client(t: TestContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** What the server says to these bytes until it closes, or has said nothing more for a while. */
async function answerTo(t: TestContext, port: number, bytes: string): Promise<string> {
  const socket = client(t, port);
  socket.write(bytes, 'latin1');
  let said = '';
  return await new Promise((resolve) => {
    let quiet: NodeJS.Timeout;
    const wait = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => resolve(said), said === '' ? 5_000 : 150);
    };
    wait();
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      wait();
    });
    socket.once('close', () => {
      clearTimeout(quiet);
      resolve(said);
    });
  });
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
const get = (target: string, host: string, method = 'GET', more = '') =>
  `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;

test('every odd request has its answer, and the next one is served', async (t) => {
  const { port } = await serve(t);
  const cases: [bytes: string, status: number][] = [
    [get('/', 'localhost'), 200],
    [get('/?x=1', `127.0.0.1:${port}`), 200],
    [get('/', `[::1]:${port}`), 200],
    [get('/', hostname()), 200],
    // Forwarded by ssh -L to another port.
    [get('/', 'localhost:1'), 200],
    [get(`http://127.0.0.1:${port}/`, 'localhost'), 200],
    [get('http://localhost', 'localhost'), 200],
    [get('/', 'localhost', 'HEAD'), 200],
    // No URLs.
    [get('//', 'localhost'), 404],
    [get('http://[', 'localhost'), 403],
    [get('http://', 'localhost'), 400],
    [get('*', 'localhost'), 400],
    [get('x', 'localhost'), 400],
    [get('/%', 'localhost'), 404],
    [get('/..//../etc/passwd', 'localhost'), 404],
    // Names that lead here by somebody else's DNS.
    [get('/', 'evil.example'), 403],
    [get('/', `${hostname()}.evil.example`), 403],
    [get('/', `127.0.0.1.evil.example:${port}`), 403],
    [get('http://evil.example/', 'localhost'), 403],
    [get('/', ''), 403],
    ['GET / HTTP/1.0\r\n\r\n', 403],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [get('/', 'localhost', 'POST'), 405],
    [get('*', 'localhost', 'OPTIONS'), 405],
    [get('/', 'localhost', 'GET', 'Content-Length: 9999999999\r\n'), 413],
    [get('/', 'localhost', 'GET', 'Transfer-Encoding: chunked\r\n'), 413],
    [get('/', 'localhost', 'GET', 'Expect: nothing\r\n'), 417],
    [get('/', 'localhost', 'GET', 'Upgrade: websocket\r\nConnection: Upgrade\r\n'), 200],
    [get('/', 'localhost', 'NONSENSE'), 400],
    ['\x16\x03\x01\x02\x00\x01\x00', 400],
    [get(`/${'a'.repeat(20_000)}`, 'localhost'), 431],
    [get('/', 'localhost', 'GET', `X: ${'a'.repeat(20_000)}\r\n`), 431],
    [get('/', 'localhost', 'GET', 'A: b\r\n'.repeat(5_000)), 431],
  ];
  for (const [bytes, status] of cases)
    assert.equal(statusOf(await answerTo(t, port, bytes)), status, JSON.stringify(bytes.slice(0, 60)));
  // A tunnel is not offered, and is closed without a word.
  assert.equal(await answerTo(t, port, 'CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n'), '');
  assert.equal(statusOf(await answerTo(t, port, get('/', 'localhost'))), 200);
});

test('a page that cannot be made is a 500, and no end of the process', async (t) => {
  const fail = () => {
    throw new Error('a secret');
  };
  const { port } = await serve(t, { pages: { '/throws': fail, '/rejects': async () => fail() } });
  for (const path of ['/throws', '/rejects']) {
    const answer = await answerTo(t, port, get(path, 'localhost'));
    assert.equal(statusOf(answer), 500);
    assert.doesNotMatch(answer, /secret/);
  }
  assert.equal(statusOf(await answerTo(t, port, get('/', 'localhost'))), 200);
});

test('a request that does not come to its end is closed', async (t) => {
  const { port } = await serve(t, { requestMs: 300 });
  for (const bytes of ['', 'GET', 'GET / HTTP/1.1\r\nHost: local']) {
    const socket = client(t, port).resume();
    const begun = performance.now();
    socket.write(bytes);
    await once(socket, 'close');
    assert.ok(performance.now() - begun < 5_000, JSON.stringify(bytes));
  }
});

test('more clients than there is room for are closed, and there is room again when others have gone', async (t) => {
  const { port } = await serve(t, { clients: 4 });
  const four = Array.from({ length: 4 }, () => client(t, port));
  await Promise.all(four.map((socket) => once(socket, 'connect')));
  const more = Array.from({ length: 20 }, () => client(t, port).resume());
  await Promise.all(more.map((socket) => once(socket, 'close')));
  for (const socket of four) socket.destroy();
  const again = async (): Promise<number> => statusOf(await answerTo(t, port, get('/', 'localhost')));
  let status = 0;
  for (let i = 0; i < 50 && status !== 200; i++) status = await again();
  assert.equal(status, 200);
});

test('a stream that is not read is closed, with a bounded amount kept for it; one that is read gets everything', async (t) => {
  const server = await serve(t, { first: () => 'first', unreadBytes: 100_000 });
  const stalled = Array.from({ length: 8 }, () => client(t, server.port));
  for (const socket of stalled) socket.pause().write(get('/events', 'localhost'));
  const reader = client(t, server.port);
  let read = 0;
  let begin = '';
  reader.on('data', (chunk) => {
    read += chunk.length;
    if (begin.length < 1_000) begin += chunk.toString('latin1');
  });
  reader.write(get('/events', 'localhost'));
  while (server.streams < 9) await new Promise((resolve) => setTimeout(resolve, 5));
  const before = process.memoryUsage().rss;
  const event = 'x'.repeat(50_000);
  let told = 0;
  // The kernel takes some megabytes for each client before anything waits here.
  while (server.streams > 1 && told < 2_000) {
    server.tell(event);
    told++;
    const wanted = told * event.length;
    while (read < wanted) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(server.streams, 1, `after ${told} events`);
  assert.match(begin, /content-type: text\/event-stream[\s\S]*data: first\n\n/);
  assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20);
});

test('more streams than there is room for are refused, and pages are still served', async (t) => {
  const server = await serve(t, { streams: 2 });
  for (let i = 0; i < 2; i++) client(t, server.port).resume().write(get('/events', 'localhost'));
  while (server.streams < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(statusOf(await answerTo(t, server.port, get('/events', 'localhost'))), 503);
  assert.equal(statusOf(await answerTo(t, server.port, get('/events', 'localhost', 'HEAD'))), 503);
  assert.equal(statusOf(await answerTo(t, server.port, get('/', 'localhost'))), 200);
});

test('a page that is not read is closed after a while', async (t) => {
  let over = 0;
  const great = { status: 200, type: TEXT, body: Buffer.alloc(32 << 20, 120), over: () => over++ };
  const { port } = await serve(t, { pages: { '/great': () => great }, answerMs: 300 });
  const socket = client(t, port).pause();
  socket.write(get('/great', 'localhost'));
  const begun = performance.now();
  while (over === 0 && performance.now() - begun < 5_000) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(over, 1);
});

test('requests that do not wait for their answers cost one answer', async (t) => {
  let made = 0;
  const page = () => {
    made++;
    return { status: 200, type: TEXT, body: 'x'.repeat(200_000) };
  };
  const { port } = await serve(t, { pages: { '/counted': page } });
  const socket = client(t, port).resume();
  socket.write(get('/counted', 'localhost').repeat(5_000));
  await new Promise((resolve) => socket.once('close', resolve));
  assert.ok(made <= 2, `${made} answers were made`);
});

test('a client that keeps its connection and waits for each answer is never closed', async (t) => {
  const body = Buffer.alloc(3 << 20, 120);
  const { origin } = await serve(t, { pages: { '/great': () => ({ status: 200, type: TEXT, body }) } });
  for (let i = 0; i < 30; i++) {
    const response = await fetch(`${origin}/great`);
    assert.equal((await response.arrayBuffer()).byteLength, body.length);
  }
});
