/**
 * The side of a role's program in its conversation with the agent (channel.ts).
 */
import { readlinkSync } from 'node:fs';
import { messageOf } from '../../domain/error.js';
import { dieWithParent } from '../../kernel/libc.js';
import { readLines, writeMessage } from '../../machine/ndjson.js';
import type { Protocol, Said } from './channel.js';

/** What a program does when it is asked. What a handler throws is what the agent hears of the failure. */
export type Handlers<P extends Protocol> = {
  readonly [K in keyof P]: (request: P[K]['request']) => P[K]['answer'] | Promise<P[K]['answer']>;
};

interface Life {
  /** Called before the program says that it is ready. */
  readonly begin?: () => void;
  /** Called at the end, also after a failure. */
  readonly end?: () => Promise<void>;
}

const say = (said: Said) => writeMessage(process.stdout, said);

/** Answer the agent until it closes the pipe, or until something fails; then end the process. */
export async function serveRole<P extends Protocol>(handlers: Handlers<P>, { begin, end }: Life = {}): Promise<never> {
  if (!dieWithParent(process.ppid)) process.exit(1);
  const quit = async () => {
    await end?.();
    return process.exit(0);
  };
  // The agent had gone before this program could ask to die with it, and nobody is left to be told. Without a listener the failed write would
  // be an exception, whose report is one more failed write.
  process.stdout.on('error', () => void quit());
  const fail = (error: unknown) => {
    say({ failed: messageOf(error) });
    return quit();
  };
  // A thread's too: what no longer accepts would be measured as the network's fault.
  process.on('uncaughtException', fail);
  try {
    begin?.();
    say({ ready: readlinkSync('/proc/self') });
    for await (const line of readLines(process.stdin)) answer(JSON.parse(line)).catch(fail);
  } catch (error) {
    return fail(error);
  }
  return quit();

  /** Not one after the other: some answers are only given when something has happened. */
  async function answer<K extends keyof P & string>({
    ask,
    request,
  }: {
    ask: K;
    request: P[K]['request'];
  }): Promise<void> {
    say({ answer: ask, value: await handlers[ask](request) });
  }
}
