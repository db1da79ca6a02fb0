/**
 * Watching: one look, or look after look, shown on standard output and served to Prometheus.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UNNAMED } from '../capacity/nat/unnamed.js';
import { EXIT, UserError } from '../domain/error.js';
import type { PortRange } from '../domain/units.js';
import type { Level, Wall } from '../gauge/reading.js';
import { hasRefusals, type Refusals } from '../gauge/refused.js';
import { unsupportedPlatform } from '../kernel/libc.js';
import { onInterrupt } from '../machine/interrupts.js';
import { createScreen, type ScreenKind } from './screen.js';
import { type Watched, type WatchedLook, watchPlace } from './watched.js';

export interface WatchOptions {
  readonly pid?: number;
  readonly netns?: string;
  /** Every network namespace of this machine. */
  readonly all: boolean;
  /** UDP's sockets instead of TCP's. */
  readonly udp: boolean;
  /** Count refused calls. */
  readonly failures: boolean;
  readonly once: boolean;
  readonly json: boolean;
  readonly metrics?: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly slow: number;
  readonly hard: number;
  readonly wall: Wall | 'auto';
  readonly owners: boolean;
  /** From when on an open connection counts as idle, milliseconds. */
  readonly idle: number;
  /** The ports of a NAT instead of those of sockets, with `all` beside them: those that its rule names. */
  readonly nat?: PortRange;
}

/** Where and how looks are told. */
interface Telling {
  /** With `once`: look again after the interval, to see the growth. */
  readonly twice: boolean;
  readonly colour: boolean;
  readonly note: (text: string) => void;
}

const LEVEL_CODES: Readonly<Record<Level, number>> = { ok: EXIT.ok, slow: EXIT.threshold, hard: EXIT.hardWall };

/**
 * Look into a namespace, or into all of them, once or until the first interrupt.
 * @returns the exit code @throws UserError
 */
export async function watch(options: WatchOptions, telling: Telling): Promise<number> {
  const platform = unsupportedPlatform();
  if (platform !== undefined) throw new UserError(platform, { exitCode: EXIT.noLab });
  refuseContradictions(options);
  const { slow, hard, wall, owners, idle } = options;
  const transport = options.udp ? ('udp' as const) : ('tcp' as const);
  const how = { alarms: { slow, hard }, wall, owners, idle, transport };
  if (options.all) {
    const { watchNode } = await import('./watch-node.js');
    return keepWatch(await watchNode(how, options.nat ?? UNNAMED, options.failures), options, telling);
  }
  if (options.nat !== undefined) {
    const { watchNat } = await import('./nat.js');
    return keepWatch(watchNat(options, options.nat), options, telling);
  }
  return keepWatch(await watchPlace(options, how, options.failures), options, telling);
}

async function keepWatch<L extends WatchedLook>(
  watched: Watched<L>,
  options: WatchOptions,
  telling: Telling,
): Promise<number> {
  try {
    const last = options.once
      ? await lookOnce(watched, options, telling)
      : await keepLooking(watched, options, telling);
    if (last !== null && watched.hasEnded(last)) return EXIT.processEnded;
    if (!options.once || last === null) return EXIT.ok;
    return hasRefusals(last.refused) ? EXIT.refused : LEVEL_CODES[last.level];
  } finally {
    watched.close();
  }
}

function refuseContradictions(options: WatchOptions): void {
  const { pid, netns, all, udp, wall, once, metrics, slow, hard, nat, failures } = options;
  if (nat !== undefined && !all && failures)
    throw new UserError(
      '--nat looks at connection tracking of one namespace, and --failures at sockets; give one of them, or --all with both',
    );
  if (udp && nat !== undefined && !all)
    throw new UserError('--nat counts flows of a NAT, and --udp sockets; give one of them');
  if (udp && wall === 'destination')
    throw new UserError('--wall destination is of TCP: a UDP port has one socket, whatever it talks to; leave it out');
  if (pid !== undefined && netns !== undefined)
    throw new UserError('--pid and --netns both name a namespace; give one of them');
  if (all && (pid !== undefined || netns !== undefined))
    throw new UserError('--all looks into every network namespace, --pid and --netns into one; give one of them');
  if (once && metrics !== undefined)
    throw new UserError('--metrics serves look after look, and --once ends after one; give one of them');
  if (slow > hard) throw new UserError(`--slow (${slow}) is above --hard (${hard}); the slow wall comes first`);
}

/** Look once and show it. */
async function lookOnce<L extends WatchedLook>(
  watched: Watched<L>,
  { json, interval, failures }: WatchOptions,
  { twice, colour, note }: Telling,
): Promise<L> {
  let look = await watched.look();
  tellUnavailable(look.refused, note);
  // What is refused is counted from now on.
  if (twice || failures) {
    await sleep(interval);
    look = await watched.look();
  }
  createScreen(process.stdout, json ? 'json' : 'table', colour, watched.rendering).show(look);
  return look;
}

/**
 * Look again and again, until the first interrupt, or until the process has ended; metrics are served on, since they say so. Looks are due at
 * multiples of the interval; one that was late does not shift the next.
 * @returns the last look @throws UserError
 */
async function keepLooking<L extends WatchedLook>(
  watched: Watched<L>,
  { json, interval, metrics }: WatchOptions,
  { colour, note }: Telling,
): Promise<L | null> {
  let latest: L | null = null;
  let looks = 0;
  const server = metrics === undefined ? null : await serve(metrics, () => latest && watched.metrics(latest, looks));
  if (server) note(`metrics at ${server.url}`);
  const kind: ScreenKind = json ? 'json' : process.stdout.isTTY ? 'table' : 'lines';
  const screen = createScreen(process.stdout, kind, colour, watched.rendering);
  const end = new AbortController();
  const stop = onInterrupt(() => end.abort());
  const began = performance.now();
  try {
    while (!end.signal.aborted) {
      latest = await watched.look();
      if (looks++ === 0) tellUnavailable(latest.refused, note);
      screen.show(latest);
      if (watched.hasEnded(latest) && !server) break;
      const elapsed = performance.now() - began;
      const due = (Math.floor(elapsed / interval) + 1) * interval;
      await sleep(due - elapsed, undefined, { signal: end.signal }).catch(() => {});
    }
  } finally {
    stop();
    server?.close();
  }
  return latest;
}

/** Serve the metrics; what that takes is loaded then, since most looks serve none. @throws UserError when that cannot be */
async function serve(metrics: string, render: () => string | null) {
  const { parseEndpoint, serveMetrics } = await import('./metrics-server.js');
  return serveMetrics(parseEndpoint(metrics), render);
}

/** Without the right to count, the look goes on. */
function tellUnavailable(refused: Refusals | null, note: (text: string) => void): void {
  if (refused?.kind === 'unavailable') note(`--failures: refused calls are not counted: ${refused.reason}`);
}
