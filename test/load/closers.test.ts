/** Who closes a connection first, as the lab's internet counts it: by whichever words, or without any, a client takes its leave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeAuthority } from '../../src/load/origin/certificate.js';
import { createNames } from '../../src/load/origin/internet/dns.js';
import { createInternet } from '../../src/load/origin/internet/serve-anything.js';
import { createVisitBook } from '../../src/load/origin/internet/visits.js';
import { internetOf, type OriginAnswer } from '../../src/subjects/internet.js';

/** Of each way; what is a matter of microseconds shows in some of them. */
const SESSIONS = 40;

/** The lab's internet on a port of loopback. */
async function serve(t: TestContext, answer: Partial<OriginAnswer> = {}) {
  const names = createNames(null, () => undefined);
  const { origin: usual } = internetOf({ origin: {}, names: null, families: 'both' });
  const book = createVisitBook(names, () => performance.now());
  const internet = { answer: { ...usual, ...answer }, names, authority: makeAuthority(), book, isWrong: () => false };
  const server = createServer({ allowHalfOpen: true }, createInternet(internet));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async closedFirst() {
      while (book.seen().closedFirst.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      return book.seen().closedFirst;
    },
  };
}

type Leave = (session: ClientHttp2Session, raw: Socket) => void;
const LEAVES: Readonly<Record<string, Leave>> = {
  'a session that is closed': (session) => session.close(),
  'a session that is closed a moment later': (session) => void setImmediate(() => session.close()),
  'a session that is destroyed': (session) => session.destroy(),
  'a FIN without a word': (_, raw) => void raw.end(),
  'a FIN of a socket that is destroyed': (_, raw) => void raw.destroy(),
};

async function visit(port: number, tls: boolean, leave: Leave): Promise<void> {
  const raw = connect(port, '127.0.0.1');
  const secure = tls ? connectTls({ socket: raw, ALPNProtocols: ['h2'], rejectUnauthorized: false }) : raw;
  if (tls) await once(secure, 'secureConnect');
  const session = connectHttp2(`http${tls ? 's' : ''}://127.0.0.1:${port}`, { createConnection: () => secure });
  session.on('error', () => {});
  const stream = session.request({ ':path': '/' }).resume();
  await once(stream, 'end');
  leave(session, raw);
  if (!raw.destroyed) await once(raw, 'close');
}

describe('HTTP/2', () => {
  for (const tls of [false, true])
    for (const [name, leave] of Object.entries(LEAVES))
      it(`${tls ? 'with' : 'without'} TLS: ${name}`, async (t) => {
        const { port, closedFirst } = await serve(t);
        for (let i = 0; i < SESSIONS; i += 8)
          await Promise.all(Array.from({ length: 8 }, () => visit(port, tls, leave)));
        assert.deepEqual(await closedFirst(), { client: SESSIONS, server: 0, reset: 0, open: 0 });
      });
});
