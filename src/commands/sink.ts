/**
 * `bindstorm sink`: the origin by itself, to load a staging proxy against.
 */
import type { Command } from 'commander';
import { descriptorLimit } from '../agent/place/limits.js';
import type { Target } from '../domain/target.js';
import { parseDuration } from '../domain/units.js';
import { SystemCallError } from '../kernel/errno.js';
import { startOrigin } from '../load/origin/threads.js';
import { onInterrupt } from '../machine/interrupts.js';
import { parseTarget } from '../plan/targets.js';
import { UserError } from './exit.js';
import { option } from './options.js';
import { integer, oneOf, parsed } from './parsers.js';

interface SinkOptions {
  readonly listen: readonly Target[];
  readonly close: 'client' | 'server';
  readonly hold: number;
  readonly request?: number;
  readonly response?: number;
  readonly listenOnly: boolean;
}

const LOOPBACK: Target = { address: '127.0.0.1', port: 9000 };

/** Adds the command. */
export function registerSink(program: Command): void {
  program
    .command('sink')
    .description('run the origin by itself: accept connections and close them as told, until interrupted')
    .addOption(
      option(
        '--listen <address:port>',
        'where to listen; may be repeated (default: 127.0.0.1:9000)',
        (text, before: Target[] = []) => [...before, parsed(parseTarget)(text)],
      ),
    )
    .addOption(option('--close <who>', 'who closes first: client or server', oneOf(['client', 'server']), 'client'))
    .addOption(
      option('--hold <duration>', 'with --close server: how long to keep it open', parsed(parseDuration), 0, '0s'),
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
    onInterrupt(resolve);
  });
  const { accepted, refused } = sink.counts();
  await sink.stop();
  process.stderr.write(
    `${accepted} connections accepted${refused > 0 ? `, ${refused} times out of descriptors` : ''}\n`,
  );
}
