/**
 * The agent's side of the origin process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readMessages, writeMessage } from './ndjson.js';
import { type OriginCommand, type OriginEvent, originEventSchema } from './protocol.js';

export type OriginStats = Extract<OriginEvent, { type: 'stats' }>;

export interface Origin {
  readonly pid: number;
  serve(command: Extract<OriginCommand, { type: 'serve' }>): Promise<void>;
  stats(): Promise<OriginStats>;
  stop(): void;
}

/**
 * Start the origin process; in a network namespace of its own when asked (unshare(1) replaces itself by it, so the pid stays).
 * Rejects with what the process said when it fails.
 */
export async function startOrigin(ownNamespace: boolean): Promise<Origin> {
  const entry = fileURLToPath(new URL('./origin.js', import.meta.url));
  const node = [process.execPath, entry];
  const command = ownNamespace ? ['unshare', '--net', '--', ...node] : node;
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const next = answers(child);
  await expect('ready');
  return {
    pid: child.pid!,
    async serve(message) {
      writeMessage(child.stdin, message);
      await expect('listening');
    },
    async stats() {
      writeMessage(child.stdin, { type: 'stats' } satisfies OriginCommand);
      return expect('stats');
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
function answers(child: ChildProcess): () => Promise<OriginEvent> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  const failure = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`the origin could not be started: ${error.message}`)));
  });
  failure.catch(() => {});
  const events = readMessages(child.stdout!, originEventSchema);
  return async () => {
    const { value, done } = await Promise.race([events.next(), failure]);
    if (done) throw new Error(`the origin ended before it answered${stderr ? `: ${stderr.trim()}` : ''}`);
    return value;
  };
}
