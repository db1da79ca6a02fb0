/**
 * `bindstorm watch`: how full the local ports of a running system are. Reads only, and changes nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration, UnitError } from '../domain/units.js';
import type { Look } from '../gauge/look.js';
import { renderMetrics } from '../gauge/metrics.js';
import { type Level, WALLS, type Wall } from '../gauge/reading.js';
import { unsupportedPlatform } from '../kernel/libc.js';
import { EXIT, UserError } from './exit.js';
import { integer } from './parsers.js';
import { parseEndpoint, serveMetrics } from './watch-metrics.js';
import { createScreen, type ScreenKind } from './watch-screen.js';
import { openSource, type Source } from './watch-source.js';

interface WatchOptions {
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
const LEAST_INTERVAL_MS = 100;

export function registerWatch(program: Command): void {
  program
    .command('watch')
    .description('how full the local ports of a running system are, and when they run out; reads only')
    .option('--pid <pid>', 'the network namespace of this process', integer('--pid', 1, 4_194_304))
    .option('--netns <name>', 'a network namespace by its name in /run/netns, or by a path')
    .option('--once', 'look once, print a table, and end with an exit code that says how full it is', false)
    .option('--json', 'one JSON object a look', false)
    .option('--metrics <[address:]port>', 'serve /metrics for Prometheus, on loopback unless an address is given')
    .addOption(
      new Option('--interval <duration>', 'between two looks; with --once: look twice, to see the growth')
        .argParser(intervalOption)
        .default(1000, '1s'),
    )
    .addOption(
      new Option('--slow <share>', 'fill from which on the slow wall counts as reached')
        .argParser(shareOption('--slow'))
        .default(0.5, '50%'),
    )
    .addOption(
      new Option('--hard <share>', 'fill from which on the hard wall counts as reached')
        .argParser(shareOption('--hard'))
        .default(1, '100%'),
    )
    .option('--wall <kind>', `what counts: auto, ${WALLS.join(' or ')}`, wallOption, 'auto')
    .option('--no-owners', 'do not look for the processes that have the sockets open')
    .addHelpText(
      'after',
      `
Example:
  bindstorm watch
  bindstorm watch --once --json --pid "$(pidof -s squid)"
  bindstorm watch --metrics 9464

Exit codes with --once: 0 below the slow wall, 1 at the slow wall, 5 at the hard wall; 2 bad input, 3 may not look there.`,
    )
    .action(async (options: WatchOptions, command: Command) => {
      process.exitCode = await watch(options, command.getOptionValueSource('interval') === 'cli');
    });
}

async function watch(options: WatchOptions, intervalGiven: boolean): Promise<number> {
  const platform = unsupportedPlatform();
  if (platform !== undefined) throw new UserError(platform, { exitCode: EXIT.noLab });
  refuseContradictions(options);
  const { slow, hard, wall, owners } = options;
  const source = openSource(options, { alarms: { slow, hard }, wall, owners });
  try {
    return options.once ? await lookOnce(source, options, intervalGiven) : await keepLooking(source, options);
  } finally {
    source.close();
  }
}

function refuseContradictions({ pid, netns, once, metrics, slow, hard }: WatchOptions): void {
  if (pid !== undefined && netns !== undefined)
    throw new UserError('--pid and --netns both name a namespace; give one of them');
  if (once && metrics !== undefined)
    throw new UserError('--metrics serves look after look, and --once ends after one; give one of them');
  if (slow > hard) throw new UserError(`found --slow ${slow} above --hard ${hard}; the slow wall comes first`);
}

async function lookOnce(source: Source, options: WatchOptions, twice: boolean): Promise<number> {
  let look = source.look();
  if (twice) {
    await sleep(options.interval);
    look = source.look();
  }
  createScreen(process.stdout, options.json ? 'json' : 'table', hasColour()).show(look);
  return LEVEL_CODES[look.level];
}

/** Until SIGINT or SIGTERM. Looks are due at multiples of the interval; one that was late does not shift the next. */
async function keepLooking(source: Source, { json, metrics, interval }: WatchOptions): Promise<number> {
  let latest: Look | null = null;
  let looks = 0;
  const endpoint = metrics === undefined ? null : parseEndpoint(metrics);
  const server = endpoint && (await serveMetrics(endpoint, () => latest && renderMetrics(latest, looks)));
  if (server) process.stderr.write(`metrics at ${server.url}\n`);
  const kind: ScreenKind = json ? 'json' : process.stdout.isTTY ? 'table' : 'lines';
  const screen = createScreen(process.stdout, kind, hasColour());
  const end = new AbortController();
  const stop = () => end.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const began = performance.now();
  try {
    while (!end.signal.aborted) {
      latest = source.look();
      looks++;
      screen.show(latest);
      const elapsed = performance.now() - began;
      const due = (Math.floor(elapsed / interval) + 1) * interval;
      await sleep(due - elapsed, undefined, { signal: end.signal }).catch(() => {});
    }
    return EXIT.ok;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    server?.close();
  }
}

function hasColour(): boolean {
  return Boolean(process.stdout.isTTY) && process.env.NO_COLOR === undefined;
}

function intervalOption(text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms >= LEAST_INTERVAL_MS) return ms;
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new InvalidArgumentError(`${error.message}.`);
  }
  throw new InvalidArgumentError(`The least interval is ${LEAST_INTERVAL_MS}ms.`);
}

/** `50%` or `0.5`. */
function shareOption(name: string): (text: string) => number {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
    const share = Number(match?.[1]) / (match?.[2] === '%' ? 100 : 1);
    if (!match || !(share > 0 && share <= 1))
      throw new InvalidArgumentError(`${name} takes a share above 0 and up to 1, or a percentage, as 0.5 or 50%.`);
    return share;
  };
}

function wallOption(text: string): Wall | 'auto' {
  const wall = (['auto', ...WALLS] as const).find((name) => name === text);
  if (!wall) throw new InvalidArgumentError(`Allowed are auto, ${WALLS.join(', ')}.`);
  return wall;
}
