/**
 * The live page of a run: a server on loopback with the page, its events, the report in the end, and `/metrics`.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { printableAll } from '../../domain/printable.js';
import type { ExperimentEvent } from '../../experiment/blocks.js';
import { METRICS_CONTENT_TYPE } from '../../gauge/exposition.js';
import { type Answer, serveSite } from '../../machine/web-server.js';
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
  let book: LiveBook | null = null;
  let report: (() => Promise<Buffer>) | null = null;
  let wanted = 0;
  let allServed: () => void = () => {};
  const code = readOnce(SCRIPT);

  const server = await serveSite(
    {
      pages: new Map<string, () => Answer | Promise<Answer>>([
        ['/', () => page(livePage(book?.state().experiment ?? 'bindstorm'))],
        [LIVE_PATHS.report, finished],
        [LIVE_PATHS.metrics, metrics],
        [LIVE_PATHS.script, script],
      ]),
      events: { path: LIVE_PATHS.events, first: () => book && dataOf({ type: 'state', state: book.state() }) },
      elsewhere: `the live page is at /, metrics at ${LIVE_PATHS.metrics}`,
    },
    { host: HOST, port, what: 'the live page', remedy: 'choose another port with --live <port>' },
  );

  async function finished(): Promise<Answer> {
    if (report === null) return { ...TEXT, status: 503, body: 'the experiment is not over yet\n' };
    return page(await report(), () => {
      wanted--;
      if (wanted <= 0) allServed();
    });
  }

  function metrics(): Answer {
    if (!book) return { ...TEXT, status: 503, body: '', headers: { 'retry-after': '1' } };
    return { status: 200, type: METRICS_CONTENT_TYPE, body: renderRunMetrics(book) };
  }

  async function script(): Promise<Answer> {
    return { status: 200, type: 'text/javascript; charset=utf-8', body: await code(), headers: NO_STORE };
  }

  function tell(message: LiveMessage): void {
    if (server.streams > 0) server.tell(dataOf(message));
  }

  return {
    url: `${server.origin}/`,
    begin(input) {
      book = createLiveBook(input);
      tell({ type: 'state', state: book.state() });
    },
    onEvent(event) {
      const message = book?.take(event);
      if (message) tell(message);
    },
    async end(path) {
      report = readOnce(path);
      wanted = server.streams;
      if (wanted > 0) {
        const served = new Promise<void>((resolve) => {
          allServed = resolve;
        });
        tell({ type: 'end', report: LIVE_PATHS.report, file: path });
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, FAREWELL_MS);
        });
        await Promise.race([served, late]);
        clearTimeout(timer);
      }
      server.close();
    },
    close: server.close,
  };
}

const TEXT = { type: 'text/plain; charset=utf-8' };
const NO_STORE = { 'cache-control': 'no-store' };

/** The file when it is first wanted, and the same bytes however many pages want it. */
function readOnce(path: string): () => Promise<Buffer> {
  let text: Promise<Buffer> | null = null;
  return () => {
    text ??= readFile(path);
    return text;
  };
}

function dataOf(message: LiveMessage): string {
  return JSON.stringify(printableAll(message));
}

/** Without keep-alive: a report that was served is then a connection that was closed. */
function page(body: string | Buffer, over?: () => void): Answer {
  const headers = { ...NO_STORE, connection: 'close' };
  return { status: 200, type: 'text/html; charset=utf-8', body, headers, ...(over && { over }) };
}
