/**
 * Watching: one look, or look after look, shown on standard output and served to Prometheus.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, UserError } from '../domain/error.js';
import type { Look } from '../gauge/look.js';
import { renderMetrics } from '../gauge/metrics.js';
import type { Level, Wall } from '../gauge/reading.js';
import { unsupportedPlatform } from '../kernel/libc.js';
import { onInterrupt } from '../machine/interrupts.js';
import { parseEndpoint, serveMetrics } from './metrics-server.js';
import { createScreen, type ScreenKind } from './screen.js';
import { openSource, type Source } from './source.js';

export interface WatchOptions {
  readonly pid?: number;
  readonly netns?: string;
  readonly once: boolean;
  readonly json: boolean;
  readonly metrics?: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly slow: number;
  readonly hard: number;
  readonly wall: Wall | 'auto';
  readonly owners: boolean;
}

const LEVEL_CODES: Readonly<Record<Level, number>> = { ok: EXIT.ok, slow: EXIT.threshold, hard: EXIT.hardWall };

/**
 * Look into a namespace, once or until the first interrupt.
 * @param twice with `once`: look again after the interval, to see the growth
 * @returns the exit code @throws UserError
 */
export async function watch(
  options: WatchOptions,
  { twice, colour, note }: { twice: boolean; colour: boolean; note: (text: string) => void },
): Promise<number> {
  const platform = unsupportedPlatform();
  if (platform !== undefined) throw new UserError(platform, { exitCode: EXIT.noLab });
  refuseContradictions(options);
  const { slow, hard, wall, owners, once, json, interval, metrics } = options;
  const source = openSource(options, { alarms: { slow, hard }, wall, owners });
  const shown = { json, colour };
  try {
    if (once) {
      const look = await lookOnce(source, shown, twice ? interval : null);
      return hasEnded(look) ? EXIT.processEnded : LEVEL_CODES[look.level];
    }
    const last = await keepLooking(source, shown, { intervalMs: interval, metrics, note });
    return last && hasEnded(last) ? EXIT.processEnded : EXIT.ok;
  } finally {
    source.close();
  }
}

function refuseContradictions({ pid, netns, once, metrics, slow, hard }: WatchOptions): void {
  if (pid !== undefined && netns !== undefined)
    throw new UserError('--pid and --netns both name a namespace; give one of them');
  if (once && metrics !== undefined)
    throw new UserError('--metrics serves look after look, and --once ends after one; give one of them');
  if (slow > hard) throw new UserError(`--slow (${slow}) is above --hard (${hard}); the slow wall comes first`);
}

interface Shown {
  readonly json: boolean;
  readonly colour: boolean;
}

/** Look once and show it. @param growthMs look again after so long, to see the growth */
async function lookOnce(source: Source, { json, colour }: Shown, growthMs: number | null): Promise<Look> {
  let look = source.look();
  if (growthMs !== null) {
    await sleep(growthMs);
    look = source.look();
  }
  createScreen(process.stdout, json ? 'json' : 'table', colour).show(look);
  return look;
}

/**
 * Look again and again, until the first interrupt, or until the process has ended; metrics are served on, since they say so. Looks are due at multiples of the interval; one that was late does not shift the next.
 * @param metrics where to serve them, as `9464` or `10.0.0.5:9464` @param note told where that is
 * @returns the last look @throws UserError
 */
async function keepLooking(
  source: Source,
  { json, colour }: Shown,
  { intervalMs, metrics, note }: { intervalMs: number; metrics: string | undefined; note: (text: string) => void },
): Promise<Look | null> {
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
      if (hasEnded(latest) && !server) break;
      const elapsed = performance.now() - began;
      const due = (Math.floor(elapsed / intervalMs) + 1) * intervalMs;
      await sleep(due - elapsed, undefined, { signal: end.signal }).catch(() => {});
    }
  } finally {
    stop();
    server?.close();
  }
  return latest;
}

function hasEnded({ process }: Look): boolean {
  return process !== null && !process.running;
}
