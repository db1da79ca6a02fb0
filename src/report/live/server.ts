/**
 * The live page of a run: a server on loopback with the page, its events, the report in the end, and `/metrics`.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ExperimentEvent } from '../../experiment/blocks.js';
import { METRICS_CONTENT_TYPE } from '../../gauge/exposition.js';
import { listen } from '../../machine/listen.js';
import type { LiveMessage } from './messages.js';
import { renderRunMetrics } from './metrics.js';
import { LIVE_PATHS, livePage } from './page.js';
import { createLiveBook, type LiveBook, type LiveInput } from './state.js';

export interface LiveServer {
  readonly url: string;
  /** The experiment is known: from now on there is something to see. */
  begin(input: LiveInput): void;
  onEvent(event: ExperimentEvent): void;
  /** The report is written: pages become it, and when each has it, or after a while, the server ends. */
  end(report: string): Promise<void>;
  close(): void;
}

const HOST = '127.0.0.1';
/** client.ts with all that it imports, as one file (scripts/bundle.mjs). */
const SCRIPT = fileURLToPath(new URL('../../../bundle/live/client.js', import.meta.url));
/** A page that has not come for its report by then is closed, asleep, or no browser. */
const FAREWELL_MS = 5_000;

/**
 * @param port 0: any that is free
 * @throws UserError when it cannot listen there
 */
export async function openLive(port: number): Promise<LiveServer> {
  const pages = new Set<ServerResponse>();
  let book: LiveBook | null = null;
  let report: string | null = null;
  let wanted = 0;
  let allServed: () => void = () => {};

  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await listen(server, HOST, port, 'the live page', 'choose another port with --live <port>');
  const { port: bound } = server.address() as AddressInfo;
  const hosts = new Set([`${HOST}:${bound}`, `localhost:${bound}`]);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A name of somebody else's that leads to this machine could otherwise let a foreign page read along (DNS rebinding).
    if (!hosts.has(request.headers.host ?? '')) return plain(response, 403, 'ask for localhost or 127.0.0.1\n');
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/') return page(response, livePage(book?.state().experiment ?? 'bindstorm'));
    if (path === LIVE_PATHS.events) return connect(response);
    if (path === LIVE_PATHS.report) return serveReport(response);
    if (path === LIVE_PATHS.metrics) return metrics(response);
    if (path === LIVE_PATHS.script) return script(response);
    plain(response, 404, `the live page is at /, metrics at ${LIVE_PATHS.metrics}\n`);
  }

  function connect(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    pages.add(response);
    response.once('close', () => pages.delete(response));
    if (book) response.write(eventOf({ type: 'state', state: book.state() }));
  }

  async function serveReport(response: ServerResponse): Promise<void> {
    if (report === null) return plain(response, 503, 'the experiment is not over yet\n');
    response.once('close', () => {
      wanted--;
      if (wanted <= 0) allServed();
    });
    page(response, await readFile(report, 'utf8'));
  }

  function metrics(response: ServerResponse): void {
    if (!book) return void response.writeHead(503, { 'retry-after': '1' }).end();
    response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE }).end(renderRunMetrics(book));
  }

  function tell(message: LiveMessage): void {
    const event = eventOf(message);
    for (const response of pages) response.write(event);
  }

  function close(): void {
    server.close();
    server.closeAllConnections();
  }

  return {
    url: `http://${HOST}:${bound}/`,
    begin(input) {
      book = createLiveBook(input);
      tell({ type: 'state', state: book.state() });
    },
    onEvent(event) {
      const message = book?.take(event);
      if (message && pages.size > 0) tell(message);
    },
    async end(path) {
      report = path;
      wanted = pages.size;
      if (wanted > 0) {
        const served = new Promise<void>((resolve) => {
          allServed = resolve;
        });
        tell({ type: 'end', report: LIVE_PATHS.report });
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, FAREWELL_MS);
        });
        await Promise.race([served, late]);
        clearTimeout(timer);
      }
      close();
    },
    close,
  };
}

function eventOf(message: LiveMessage): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

function page(response: ServerResponse, html: string): void {
  // Without keep-alive: a report that was served is then a connection that was closed.
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(html);
}

async function script(response: ServerResponse): Promise<void> {
  const text = await readFile(SCRIPT);
  response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-store' }).end(text);
}
