/**
 * The origin by itself, for `bindstorm sink`.
 */
import { UserError } from '../domain/error.js';
import { formatTarget } from '../domain/format.js';
import type { Target } from '../domain/target.js';
import { SystemCallError } from '../kernel/errno.js';
import { startOrigin } from '../load/origin/threads.js';
import { onInterrupt } from '../machine/interrupts.js';
import { descriptorLimit } from './place/limits.js';

export interface SinkOptions {
  readonly listen: readonly Target[];
  readonly close: 'client' | 'server';
  readonly hold: number;
  readonly request?: number;
  readonly response?: number;
  readonly listenOnly: boolean;
}

/** Accept connections until the first interrupt. @param note told where it listens, and how many came @throws UserError */
export async function serveAlone(options: SinkOptions, note: (text: string) => void): Promise<void> {
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
  note(`listening on ${options.listen.map(formatTarget).join(', ')}; Ctrl-C ends it`);
  await new Promise<void>((resolve) => {
    onInterrupt(resolve);
  });
  const { accepted, refused } = sink.counts();
  await sink.stop();
  note(`${accepted} connections accepted${refused > 0 ? `, ${refused} times out of descriptors` : ''}`);
}
