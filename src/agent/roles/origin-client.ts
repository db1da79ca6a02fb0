/**
 * The agent's side of the origin process.
 */
import { inTime } from '../../machine/in-time.js';
import { readLines, writeMessage } from '../../machine/ndjson.js';
import type { LaunchedOrigin } from './origin-launch.js';
import type { OriginCommand, OriginEvent } from './origin-protocol.js';

export type OriginStats = Extract<OriginEvent, { type: 'stats' }>;

export interface Origin {
  readonly pid: number;
  /** @returns the sysctls of the command as read back */
  serve(command: Extract<OriginCommand, { type: 'serve' }>): Promise<Record<string, string>>;
  stats(): Promise<OriginStats>;
  stop(): void;
}

/** Wait until a launched origin is ready. Rejects with what the process said when it fails. */
export async function connectOrigin({ child }: LaunchedOrigin): Promise<Origin> {
  const next = answers(child);
  await expect('ready');
  return {
    pid: child.pid!,
    async serve(message) {
      writeMessage(child.stdin, message);
      return (await expect('listening')).sysctls;
    },
    async stats() {
      writeMessage(child.stdin, { type: 'stats' } satisfies OriginCommand);
      return inTime('the origin', expect('stats'));
    },
    stop: () => void child.stdin.end(),
  };

  async function expect<T extends OriginEvent['type']>(type: T): Promise<Extract<OriginEvent, { type: T }>> {
    const event = await next();
    if (event.type === type) return event as Extract<OriginEvent, { type: T }>;
    throw new Error(
      event.type === 'failed'
        ? `the origin failed: ${event.message}`
        : `the origin answered ${event.type}, not ${type}`,
    );
  }
}

/** The child's answers, one a call, in order. Rejects when the child ends instead of answering. */
function answers(child: LaunchedOrigin['child']): () => Promise<OriginEvent> {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  const failure = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`the origin could not be started: ${error.message}`)));
  });
  failure.catch(() => {});
  // Writing to an origin that has just died is not an error of its own: its end is reported by the next answer.
  child.stdin.on('error', () => {});
  const lines = readLines(child.stdout);
  return async () => {
    const { value, done } = await Promise.race([lines.next(), failure]);
    if (done) throw new Error(`the origin ended before it answered${stderr ? `: ${stderr.trim()}` : ''}`);
    return JSON.parse(value) as OriginEvent;
  };
}
