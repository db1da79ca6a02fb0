/**
 * `bindstorm sink`: the origin by itself, to load a staging proxy against.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { descriptorLimit } from '../agent/place/limits.js';
import type { Target } from '../domain/target.js';
import { parseDuration, UnitError } from '../domain/units.js';
import { SystemCallError } from '../kernel/errno.js';
import { startOrigin } from '../load/origin/threads.js';
import { parseTarget } from '../plan/targets.js';
import { UserError } from './exit.js';
import { integer } from './parsers.js';

interface SinkOptions {
  readonly listen: readonly Target[];
  readonly close: 'client' | 'server';
  readonly hold: number;
  readonly request?: number;
  readonly response?: number;
  readonly listenOnly: boolean;
}

const LOOPBACK: Target = { address: '127.0.0.1', port: 9000 };

export function registerSink(program: Command): void {
  program
    .command('sink')
    .description('run the origin by itself: accept connections and close them as told, until interrupted')
    .option('--listen <address:port>', 'where to listen; may be repeated (default: 127.0.0.1:9000)', collectTarget)
    .option('--close <who>', 'who closes first: client or server', closeOption, 'client')
    .addOption(
      new Option('--hold <duration>', 'with --close server: how long to keep a connection open')
        .argParser(durationOption)
        .default(0, '0s'),
    )
    .option('--request <bytes>', 'bytes to read before the answer', integer('--request', 1, 65_536))
    .option('--response <bytes>', 'bytes of the answer', integer('--response', 1, 1_048_576))
    .option('--listen-only', 'never accept: the kernel completes the handshakes', false)
    .addHelpText('after', '\nExample:\n  bindstorm sink --listen 127.0.0.1:9000 --listen 127.0.0.1:9001')
    .action(async (options: Omit<SinkOptions, 'listen'> & { listen?: Target[] }) => {
      await serve({ ...options, listen: options.listen ?? [LOOPBACK] });
    });
}

async function serve(options: SinkOptions): Promise<void> {
  const { request, response } = options;
  if ((request === undefined) !== (response === undefined))
    throw new UserError('--request and --response go together; give both or neither');
  const families = new Set(options.listen.map(({ address }) => address.includes(':')));
  if (families.size > 1) throw new UserError('one sink listens on IPv4 or on IPv6; start two for both');
  const exchange = request !== undefined && response !== undefined ? { request, response } : null;
  const sink = await startOrigin({
    plan: {
      close: options.close,
      holdMs: options.hold,
      exchange,
      engine: 'socket',
      tls: false,
      protocol: 'tcp',
      body: 0,
      sink: options.listenOnly ? 'listen-only' : 'accept',
    },
    listen: options.listen,
    threads: 1,
    descriptorLimit: descriptorLimit(),
  }).catch((error: unknown) => {
    // An error crosses the thread without its class.
    if (error instanceof SystemCallError || (error instanceof Error && error.name === 'SystemCallError')) {
      throw new UserError(`${error.message}; choose another address or port, or stop what listens there`);
    }
    throw error;
  });
  const where = options.listen.map(({ address, port }) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  );
  process.stderr.write(`listening on ${where.join(', ')}; Ctrl-C ends it\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const { accepted, refused } = sink.counts();
  await sink.stop();
  process.stderr.write(
    `${accepted} connections accepted${refused > 0 ? `, ${refused} times out of descriptors` : ''}\n`,
  );
}

function collectTarget(text: string, before: Target[] = []): Target[] {
  return [...before, optionOf(() => parseTarget(text))];
}

function durationOption(text: string): number {
  return optionOf(() => parseDuration(text));
}

function closeOption(text: string): 'client' | 'server' {
  if (text !== 'client' && text !== 'server') throw new InvalidArgumentError('Allowed are client, server.');
  return text;
}

function optionOf<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}
