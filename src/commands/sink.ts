/**
 * `bindstorm sink`: the origin by itself, to load a staging proxy against.
 */
import type { Command } from 'commander';
import { type SinkOptions, serveAlone } from '../agent/serve-alone.js';
import type { Target } from '../domain/target.js';
import { parseDuration } from '../domain/units.js';
import { parseTarget } from '../plan/targets.js';
import { option } from './options.js';
import { integer, oneOf, parsed } from './parsers.js';
import { note } from './terminal.js';

const LOOPBACK: Target = { address: '127.0.0.1', port: 9000 };

/** Adds the command. */
export function registerSink(program: Command): void {
  program
    .command('sink')
    .description('run only the origin: accept connections and close them as told, until interrupted')
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
    .option('--request <bytes>', 'bytes to read before answering', integer('--request', 1, 65_536))
    .option('--response <bytes>', 'size of the answer in bytes', integer('--response', 1, 1_048_576))
    .option('--listen-only', 'never accept: the kernel completes the handshakes', false)
    .addHelpText('after', '\nExample:\n  bindstorm sink --listen 127.0.0.1:9000 --listen 127.0.0.1:9001')
    .action(async (options: Omit<SinkOptions, 'listen'> & { listen?: Target[] }) => {
      await serveAlone({ ...options, listen: options.listen ?? [LOOPBACK] }, note);
    });
}
