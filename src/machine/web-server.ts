/**
 * The one HTTP server: pages for the reader of this machine, and event streams. Whoever can reach the port may send anything and read as
 * slowly as he likes: each request gets an answer or is closed, no request ends the process, and what is kept for clients has an upper
 * limit. node:http bounds headers and time (https://nodejs.org/api/http.html); the rest is here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { UserError } from '../domain/error.js';
import { formatTarget } from '../domain/format.js';

/** What one page is answered with. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  /** A page that is great and the same for all is a Buffer: node:http sends one without a copy for each client. */
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called once when the client has it, or has gone. */
  readonly over?: () => void;
}

/** What is served: pages by path, and perhaps one stream of server-sent events. */
export interface Site {
  readonly pages: ReadonlyMap<string, () => Answer | Promise<Answer>>;
  /** `first` gives the data of the event that a new client begins with; null: none yet. */
  readonly events?: { readonly path: string; readonly first: () => string | null };
  /** Said to one who asks for another path, as `the metrics are at /metrics`. */
  readonly elsewhere: string;
}

/** Where to listen, and the words for it. */
export interface Listening {
  /** An IP address. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What is served, as `the metrics`. */
  readonly what: string;
  /** How to choose another place. */
  readonly remedy: string;
}

/** What one client, and all of them together, may take. */
export interface WebLimits {
  /** Connections at once; more are closed at once. */
  readonly clients: number;
  /** Event streams at once, fewer than clients, so that pages stay within reach; more get 503. */
  readonly streams: number;
  /** Bytes of a request's line and headers; more get 431. */
  readonly headerBytes: number;
  /** Milliseconds for a request to arrive; after it 408. */
  readonly requestMs: number;
  /** Milliseconds for a client to read a page; after it the connection is closed. */
  readonly answerMs: number;
  /** Bytes that may wait for the reader of a stream when the next event comes; with more it is closed. */
  readonly unreadBytes: number;
}

const LIMITS: WebLimits = {
  clients: 64,
  streams: 16,
  headerBytes: 8192,
  requestMs: 10_000,
  answerMs: 60_000,
  unreadBytes: 1 << 20,
};

export interface WebServer {
  /** With the port that it listens on, and without a path: `http://127.0.0.1:9464`. */
  readonly origin: string;
  /** Event streams that are open. */
  readonly streams: number;
  /** Send one event to every open stream. @param data without line breaks */
  tell(data: string): void;
  close(): void;
}

/**
 * Serve a site until it is closed.
 * @param limits that differ from the usual ones
 * @throws UserError when it cannot listen there
 */
export async function serveSite(site: Site, place: Listening, limits: Partial<WebLimits> = {}): Promise<WebServer> {
  const { clients, streams, headerBytes, requestMs, answerMs, unreadBytes } = { ...LIMITS, ...limits };
  const open = new Set<ServerResponse>();
  const busy = new WeakSet<Socket>();
  const server = createServer(
    {
      maxHeaderSize: headerBytes,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.max(100, requestMs / 10),
    },
    (request, response) => {
      // A client that goes away while something is written to it is no fault.
      response.on('error', () => {});
      // The next request before the answer to the last: no browser and no Prometheus does that, and one read of 64 KB holds thousands.
      if (busy.has(request.socket)) return void request.socket.destroy();
      busy.add(request.socket);
      response.once('close', () => busy.delete(request.socket));
      answer(request, response).catch(() => {
        if (response.headersSent) return void response.destroy();
        plain(response, 500, 'this page cannot be made');
      });
    },
  );
  server.maxConnections = clients;
  await listen(server, place);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refuse(request);
    if (refusal) return plain(response, refusal.status, refusal.text);
    const path = targetOf(request)!.path;
    if (path === site.events?.path) return stream(request, response, site.events.first);
    const page = site.pages.get(path);
    if (!page) return plain(response, 404, site.elsewhere);
    const { status, type, body, headers, over } = await page();
    if (response.closed) return void over?.();
    if (over) response.once('close', over);
    // Counted from here on: what makes a page waits for no client.
    const late = setTimeout(() => response.destroy(), answerMs).unref();
    response.once('close', () => clearTimeout(late));
    response.writeHead(status, { ...HARDENING, 'content-type': type, ...headers }).end(body);
  }

  function stream(request: IncomingMessage, response: ServerResponse, first: () => string | null): void {
    if (open.size >= streams) return plain(response, 503, `${streams} pages are open already; close one of them`);
    response.writeHead(200, { ...HARDENING, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    if (request.method === 'HEAD') return void response.end();
    open.add(response);
    response.once('close', () => open.delete(response));
    const data = first();
    if (data === null) response.flushHeaders();
    else response.write(eventOf(data));
  }

  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${formatTarget({ address: place.host, port })}`,
    get streams() {
      return open.size;
    },
    tell(data) {
      const event = eventOf(data);
      for (const response of open) {
        if (response.writableLength > unreadBytes) response.destroy();
        else response.write(event);
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Browsers are to take a page for what it says it is, and to give it to no page of others. */
const HARDENING = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };

/** @returns why a request gets no page; null: it may have one */
function refuse(request: IncomingMessage): { status: number; text: string } | null {
  const target = targetOf(request);
  const host = request.headers.host ?? '';
  // A name of somebody else's that leads to this machine could otherwise let a foreign page read along (DNS rebinding).
  if (!isOurs(host) || (target?.host !== undefined && !isOurs(target.host)))
    return { status: 403, text: `ask for an IP address, localhost or ${hostname()}` };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, text: 'GET and HEAD are allowed' };
  if (target === null) return { status: 400, text: 'the target is neither a path nor an http:// URL' };
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined || (length !== undefined && Number(length) !== 0))
    return { status: 413, text: 'a request may have no body' };
  return null;
}

/** The two forms that RFC 9112 §3.2 allows for GET; null: another. */
function targetOf({ url = '' }: IncomingMessage): { path: string; host?: string } | null {
  const match = /^(?:http:\/\/([^/?#]+))?(\/[^?#]*|(?=[?#]|$))/i.exec(url);
  if (!match || (match[1] === undefined && match[2] === '')) return null;
  const [, host, path] = match;
  return host === undefined ? { path: path! } : { path: path || '/', host };
}

/**
 * Whether a Host header names this machine. No name of a foreign domain does: only such a one can be led here by DNS rebinding, since an
 * address is looked up by nobody. The port does not matter: it may have been forwarded.
 */
function isOurs(host: string): boolean {
  const name = (/^\[([^\]]*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase();
  // The name exactly: ubuntu.example.org may be anybody's.
  return isIP(name) !== 0 || name === 'localhost' || name === hostname().toLowerCase();
}

function plain(response: ServerResponse, status: number, text: string): void {
  // Closed, because what comes after a refused request (a body, most often) is not to be read.
  const headers: Record<string, string> = { ...HARDENING, 'content-type': 'text/plain; charset=utf-8' };
  if (status !== 404) headers.connection = 'close';
  if (status === 405) headers.allow = 'GET, HEAD';
  response.writeHead(status, headers).end(`${text}\n`);
}

function eventOf(data: string): Buffer {
  return Buffer.from(`data: ${data}\n\n`);
}

/** Listen, or say why not. @throws UserError */
function listen(server: Server, { host, port, what, remedy }: Listening): Promise<void> {
  const where = formatTarget({ address: host, port });
  return new Promise((resolve, reject) => {
    // It stays: later errors are those of accept(2), as EMFILE, and none of them is a reason to end.
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(new UserError(`${what} cannot be served on ${where} (${error.code}); ${remedy}`)),
    );
    server.listen(port, host, resolve);
  });
}
