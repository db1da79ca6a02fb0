/**
 * The lab's internet as a server: whatever a program says first on a connection, to whichever address and port, decides what it talks to:
 * TLS, HTTP/2, HTTP/1.1, a tunnel by CONNECT, DNS over TCP; everything else is accepted and held.
 */
import { createServer, METHODS, type Server } from 'node:http';
import { type Http2Session, performServerHandshake } from 'node:http2';
import type { Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket, type Server as TlsServer } from 'node:tls';
import type { OriginAnswer } from '../../../subjects/internet.js';
import type { Authority } from '../certificate.js';
import { answerQuery, type Names } from './dns.js';
import type { Visit, VisitBook } from './visits.js';

export interface Internet {
  readonly answer: OriginAnswer;
  readonly names: Names;
  readonly authority: Authority;
  readonly book: VisitBook;
  /** Whether an address is one that the program was not to use. */
  isWrong(address: string): boolean;
}

/** DNS, and DNS over TLS (RFC 7858). */
export const DNS_PORT = 53;
const DNS_PORTS: readonly number[] = [DNS_PORT, 853];
const DNS_MOST = 65_535;
/** A ClientHello is in a handshake record of some 3.x (RFC 8446 §5.1). */
const HANDSHAKE = 0x16;
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Certificates that are kept. */
const MOST_CONTEXTS = 4096;
/** Answers of these have no body, and say nothing of its length (RFC 9110 §8.6). */
const WITHOUT_BODY: readonly number[] = [204, 304];
/** Where a redirect leads. */
const LANDING = '/landed';

type Kind = 'tls' | 'http2' | 'http1' | 'other';

/** What a connection speaks, by its first bytes; undefined: they are too few. */
export function kindOf(first: Buffer): Kind | undefined {
  if (first[0] === HANDSHAKE) return first.length < 2 ? undefined : first[1] === 3 ? 'tls' : 'other';
  const text = first.toString('latin1', 0, HTTP2_PREFACE.length);
  if (text === HTTP2_PREFACE) return 'http2';
  if (METHODS.some((method) => text.startsWith(`${method} `))) return 'http1';
  const isPart = [HTTP2_PREFACE, ...METHODS.map((method) => `${method} `)].some((whole) => whole.startsWith(text));
  return isPart ? undefined : 'other';
}

/** @returns what is done with a connection that was accepted; it must allow to be half open */
export function createInternet(internet: Internet): (socket: Socket) => void {
  const { answer, names, authority, book, isWrong } = internet;
  const body = Buffer.alloc(answer.body, 'x');
  /** Of the connections that are open, by their ends: a socket of TLS has those of the one below it. */
  const visits = new Map<string, Visit>();
  const contexts = memory((host: string) => createSecureContext(shown(host)));
  const tlsServers = memory(tlsServer);
  const http1 = http1Server();
  const speak: Readonly<Record<Kind, (socket: Socket) => void>> = {
    tls: (socket) => tlsServers(addressOf(socket)).emit('connection', socket),
    http2: speakHttp2,
    http1: (socket) => http1.emit('connection', socket),
    other: () => {},
  };
  return (socket) => {
    const from = withoutMapping(socket.remoteAddress);
    const visit = book.begin(addressOf(socket), socket.localPort ?? 0, from !== '' && isWrong(from));
    const ends = endsOf(socket);
    visits.set(ends, visit);
    socket.on('close', () => {
      visit.end();
      visits.delete(ends);
    });
    follow(socket, visit);
    converse(socket);
  };

  /** Count how a socket ends, that of TLS as well as that below it. */
  function follow(socket: Socket, visit: Visit): void {
    socket.on('end', () => {
      visit.closes('client');
      // The end is answered by a FIN alone: an alert of TLS would be data for a socket that is closed, and the RST for it would end the
      // TIME_WAIT of the client.
      if (socket instanceof TLSSocket) socket.destroy();
      else socket.end();
    });
    socket.on('finish', () => visit.closes('server'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') visit.closes('reset');
      socket.destroy();
    });
  }

  function visitOf(socket: Socket): Visit {
    return visits.get(endsOf(socket))!;
  }

  /** Listen to the first bytes of a connection, or of what is inside of TLS or of a tunnel. */
  function converse(socket: Socket): void {
    if (DNS_PORTS.includes(socket.localPort ?? 0) && !isOuter(socket)) {
      speakDns(socket);
      return;
    }
    let first = Buffer.alloc(0);
    socket.on('data', function more(bytes: Buffer) {
      first = Buffer.concat([first, bytes]);
      const kind = kindOf(first);
      if (kind === undefined) return;
      socket.off('data', more);
      socket.pause();
      socket.unshift(first);
      speak[kind](socket);
      // Once those who listen now are there; nobody does to what is only held.
      process.nextTick(() => socket.resume());
    });
  }

  function shown(host: string): { key: string; cert: string } {
    const { key, certificate } = authority.issue(host);
    return { key, cert: certificate };
  }

  /** It never listens; what it shows to those who name no host is for the address that they connected to. */
  function tlsServer(address: string): TlsServer {
    const server = createTlsServer({
      ...shown(address),
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, done) => done(null, contexts(name)),
    });
    server.on('secureConnection', (secure) => {
      follow(secure, visitOf(secure));
      converse(secure);
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }

  function http1Server(): Server {
    // It keeps connections for as long as clients do.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    server.on('request', (request, response) => {
      const visit = visitOf(request.socket);
      const method = request.method ?? '';
      request.resume();
      response.on('finish', () => visit.answered());
      later(() => {
        if (request.socket.destroyed) return;
        visit.request(method, request.headers);
        const { status, headers } = answerTo(request.url ?? '');
        const close = { ...(answer.close ? { connection: 'close' } : {}) };
        if (answer.http10) {
          const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
          const text = `HTTP/1.0 ${status} Lab\r\n${lines.join('')}\r\n`;
          request.socket.end(Buffer.concat([Buffer.from(text), method === 'HEAD' ? Buffer.alloc(0) : body]));
          return;
        }
        const hint = answer.keepAliveHint;
        if (hint !== null) response.setHeader('keep-alive', `timeout=${hint}`);
        // Persistence is the default of HTTP/1.1, and goes without saying.
        else if (request.httpVersion === '1.1') response.removeHeader('connection');
        response.writeHead(status, { ...headers, ...close });
        if (answer.chunked) response.write(body);
        response.end(answer.chunked ? undefined : body);
      });
    });
    server.on('connect', (_request, socket: Socket, head) => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) socket.unshift(head);
      converse(socket);
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    return server;
  }

  function speakHttp2(socket: Socket): void {
    const visit = visitOf(socket);
    const session: Http2Session = performServerHandshake(socket);
    session.on('error', () => socket.destroy());
    // It is the client that ends the connection, and the session reads its FIN unseen.
    session.on('goaway', () => visit.closes('client'));
    session.on('stream', (stream, head) => {
      const { ':method': method = '', ':path': path = '', ...headers } = head;
      stream.on('error', () => {});
      stream.on('close', () => visit.answered());
      stream.resume();
      later(() => {
        if (stream.destroyed) return;
        visit.request(method, headers);
        const { status, headers: ours } = answerTo(path);
        stream.respond({ ':status': status, ...ours }, { endStream: method === 'HEAD' });
        if (method !== 'HEAD') stream.end(body);
        if (answer.close) session.close();
      });
    });
  }

  function later(act: () => void): void {
    if (answer.delayMs > 0) setTimeout(act, answer.delayMs);
    else act();
  }

  function answerTo(path: string): { status: number; headers: Record<string, string> } {
    const moved = answer.redirect && !path.endsWith(LANDING);
    const status = moved ? 302 : answer.status;
    const hasLength = !answer.chunked && !WITHOUT_BODY.includes(status);
    return {
      status,
      headers: {
        'content-type': 'text/plain',
        ...(hasLength ? { 'content-length': String(body.length) } : {}),
        ...(moved ? { location: LANDING } : {}),
      },
    };
  }

  /** Messages with their length before them (RFC 1035 §4.2.2). */
  function speakDns(socket: Socket): void {
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0);
        const message = answerQuery(rest.subarray(2, end), names, DNS_MOST);
        rest = rest.subarray(end);
        if (message === undefined) {
          socket.destroy();
          return;
        }
        const length = Buffer.alloc(2);
        length.writeUInt16BE(message.length);
        socket.write(Buffer.concat([length, message]));
      }
    });
  }
}

/** What is made for a host is kept for the next time. */
function memory<T>(make: (host: string) => T): (host: string) => T {
  const made = new Map<string, T>();
  return (host) => {
    const known = made.get(host) ?? make(host);
    if (made.size >= MOST_CONTEXTS) made.clear();
    made.set(host, known);
    return known;
  };
}

/** Both ends of a connection: nobody else has them while it is open. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}

/** DNS over TLS is DNS inside of it. */
function isOuter(socket: Socket): boolean {
  return socket.localPort !== DNS_PORT && !(socket instanceof TLSSocket);
}

/** What the client connected to. */
function addressOf(socket: Socket): string {
  return withoutMapping(socket.localAddress);
}

/** An IPv4 address that a socket of IPv6 has, as such. @returns empty where it is not known */
function withoutMapping(address = ''): string {
  return address.replace(/^::ffff:/, '');
}
