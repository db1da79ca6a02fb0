/**
 * Watching: one look, or look after look, shown on standard output and served to Prometheus.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Look } from '../gauge/look.js';
import { renderMetrics } from '../gauge/metrics.js';
import { onInterrupt } from '../machine/interrupts.js';
import { parseEndpoint, serveMetrics } from './metrics-server.js';
import { createScreen, type ScreenKind } from './screen.js';
import type { Source } from './source.js';

export interface Shown {
  readonly json: boolean;
  readonly colour: boolean;
}

/** Look once and show it. @param growthMs look again after so long, to see the growth */
export async function lookOnce(source: Source, { json, colour }: Shown, growthMs: number | null): Promise<Look> {
  let look = source.look();
  if (growthMs !== null) {
    await sleep(growthMs);
    look = source.look();
  }
  createScreen(process.stdout, json ? 'json' : 'table', colour).show(look);
  return look;
}

/**
 * Look again and again, until the first interrupt. Looks are due at multiples of the interval; one that was late does not shift the next.
 * @param metrics where to serve them, as `9464` or `10.0.0.5:9464` @param note told where that is
 * @throws UserError
 */
export async function keepLooking(
  source: Source,
  { json, colour }: Shown,
  { intervalMs, metrics, note }: { intervalMs: number; metrics: string | undefined; note: (text: string) => void },
): Promise<void> {
  let latest: Look | null = null;
  let looks = 0;
  const endpoint = metrics === undefined ? null : parseEndpoint(metrics);
  const server = endpoint && (await serveMetrics(endpoint, () => latest && renderMetrics(latest, looks)));
  if (server) note(`metrics at ${server.url}`);
  const kind: ScreenKind = json ? 'json' : process.stdout.isTTY ? 'table' : 'lines';
  const screen = createScreen(process.stdout, kind, colour);
  const end = new AbortController();
  const stop = onInterrupt(() => end.abort());
  const began = performance.now();
  try {
    while (!end.signal.aborted) {
      latest = source.look();
      looks++;
      screen.show(latest);
      const elapsed = performance.now() - began;
      const due = (Math.floor(elapsed / intervalMs) + 1) * intervalMs;
      await sleep(due - elapsed, undefined, { signal: end.signal }).catch(() => {});
    }
  } finally {
    stop();
    server?.close();
  }
}
