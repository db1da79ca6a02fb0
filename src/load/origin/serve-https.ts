/**
 * The origin with TLS. It answers as the plain one does (serve-http.ts), on the event loop of its thread.
 */
import { createServer, type TLSSocket } from 'node:tls';
import { SystemCallError } from '../../kernel/errno.js';
import { BACKLOG, CONTROL, type Ender, type OriginThreadInput } from './listen.js';
import { answerDelayMs, createRequestCounter, responseText } from './serve-http.js';
import { wrongSource } from './sources.js';

const LONGEST_WAIT_MS = 20;

/** Serve until stopped. Rejects when an address cannot be listened on. `onListening` is called once every address listens. */
export async function serveHttps(input: OriginThreadInput, onListening: () => void): Promise<void> {
  const { plan, control, certificate } = input;
  if (certificate === undefined) throw new Error('an origin with TLS needs a certificate');
  const text = responseText(plan);
  const delay = answerDelayMs(plan);
  const sockets = new Set<TLSSocket>();
  const isWrong = input.sources ? wrongSource(input.sources) : () => false;
  const servers = await Promise.all(
    input.listen.map(({ address, port }) => {
      // With allowHalfOpen the end of a connection is answered by a FIN alone: a closing alert would be data for a socket that is
      // closed, and the RST for it would end the TIME_WAIT of whoever closed first.
      const server = createServer({ key: certificate.key, cert: certificate.certificate, allowHalfOpen: true }, serve);
      server.on('connection', ({ remoteAddress }) => {
        control[CONTROL.accepted]!++;
        // Of a peer that has gone the address is not known.
        if (remoteAddress !== undefined && isWrong(remoteAddress)) control[CONTROL.strays]!++;
      });
      server.on('tlsClientError', (_error, socket) => socket.destroy());
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(new SystemCallError('listen', -(error.errno ?? 0), `${address} port ${port}`)),
        );
        server.listen({ host: address, port, backlog: BACKLOG }, () => resolve(server));
      });
    }),
  );
  onListening();
  await stopOf(control);
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();

  function serve(socket: TLSSocket): void {
    sockets.add(socket);
    const requestsIn = createRequestCounter();
    let ender: Ender = 'server';
    let isUsed = false;
    const end = (who: Ender) => {
      // After the answer that ends the connection, the end of the client's side is an answer too.
      if (!socket.writableEnded) ender = who;
      socket.destroy();
    };
    socket.on('error', () => end('reset'));
    socket.on('end', () => end('client'));
    socket.on('close', () => {
      sockets.delete(socket);
      control[CONTROL[ender]]!++;
    });
    socket.on('data', (bytes) => {
      for (let owed = requestsIn(bytes, bytes.length); owed > 0; owed--) {
        if (delay > 0) setTimeout(answer, delay);
        else answer();
      }
    });
    function answer(): void {
      if (socket.destroyed) return;
      control[CONTROL.requests]!++;
      if (!isUsed) control[CONTROL.used]!++;
      isUsed = true;
      if (plan.close === 'server') socket.end(text);
      else socket.write(text);
    }
  }
}

function stopOf(control: Int32Array): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (Atomics.load(control, CONTROL.stop) === 0) return;
      clearInterval(timer);
      resolve();
    }, LONGEST_WAIT_MS);
  });
}
