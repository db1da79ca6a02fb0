/**
 * The gauge's metrics over HTTP, for Prometheus.
 */
import { createServer } from 'node:http';
import { isIP } from 'node:net';
import { UserError } from '../domain/error.js';
import { METRICS_CONTENT_TYPE } from '../gauge/exposition.js';
import { listen } from '../machine/listen.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Nobody else is told about this machine's sockets unless somebody asks for it. */
const LOOPBACK = '127.0.0.1';
const FORM = '--metrics takes a port, or an address and a port, for example 9464, 10.0.0.5:9464 or [::1]:9464';

/** Parse `[host:]port`. @throws UserError */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? LOOPBACK;
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) throw new UserError(`${JSON.stringify(text)} is not an address: ${FORM}`);
  if (isIP(host) === 0) throw new UserError(`${JSON.stringify(host)} is not an IP address: ${FORM}`);
  return { host, port };
}

export interface MetricsServer {
  /** Where it listens. */
  readonly url: string;
  close(): void;
}

/**
 * Serve `/metrics`. Scrapes get the latest look, so that their number costs nothing.
 * @param render the present metrics; null: there is none yet
 * @throws UserError when it cannot listen there
 */
export async function serveMetrics({ host, port }: Endpoint, render: () => string | null): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const readable = request.method === 'GET' || request.method === 'HEAD';
    if (!readable) return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    if (path !== '/metrics')
      return void response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics\n');
    const body = render();
    if (body === null) return void response.writeHead(503, { 'retry-after': '1' }).end();
    response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE }).end(body);
  });
  await listen(server, host, port, 'the metrics', 'choose another with --metrics [address:]port');
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${port}/metrics`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
