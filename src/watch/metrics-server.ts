/**
 * The gauge's metrics over HTTP, for Prometheus.
 */
import { isIP } from 'node:net';
import { UserError } from '../domain/error.js';
import { METRICS_CONTENT_TYPE } from '../gauge/exposition.js';
import { type Answer, serveSite } from '../machine/web-server.js';

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
  const { origin, close } = await serveSite(
    { pages: new Map([['/metrics', () => metricsAnswer(render())]]), elsewhere: 'the metrics are at /metrics' },
    { host, port, what: 'the metrics', remedy: 'choose another with --metrics [address:]port' },
  );
  return { url: `${origin}/metrics`, close };
}

function metricsAnswer(body: string | null): Answer {
  if (body === null) return { status: 503, type: METRICS_CONTENT_TYPE, body: '', headers: { 'retry-after': '1' } };
  return { status: 200, type: METRICS_CONTENT_TYPE, body };
}
