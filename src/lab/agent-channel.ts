/**
 * The conversation with an agent that has been started, in whatever lab: the wait for its hello, and its end.
 */
import type { Readable, Writable } from 'node:stream';
import { type AgentEvent, eventSchema, PROTOCOL_VERSION } from '../agent/protocol.js';
import { messageOf } from '../domain/error.js';
import { readMessages, writeMessage } from '../machine/ndjson.js';
import { withDeadline } from '../machine/promises.js';
import { AgentDied, LabError, type LabSession } from './lab.js';

export interface AgentChannel {
  readonly input: Writable;
  readonly output: Readable;
  /** How it ended, such as `ended with code 1: out of ideas`. Resolves when nothing of it is left; never rejects. */
  readonly ended: Promise<string>;
  /** End it in good order; resolves as `ended` does. */
  close(): Promise<unknown>;
  kill(): void;
  /** The end of what it wrote to standard error. */
  stderr(): string;
  /** Milliseconds from the start of a guest to that of its agent; undefined where there is no guest. */
  bootMs?(): number | undefined;
  /** How long it has waited for a CPU of this machine, ms; absent: nobody knows. */
  waited?(): number;
  /** How far it came, for one that does not say hello in time. */
  progress?(): string;
}

/**
 * Wait for an agent's hello. The time in which it was ready, and a busy machine had no CPU for it, does not count.
 * @throws LabError when it does not come; its cause is AgentDied when the agent ended instead
 */
export async function greetAgent(channel: AgentChannel, deadlineMs: number): Promise<LabSession> {
  // Writing to an agent that has just died is not an error of its own: its end is reported by next().
  channel.input.on('error', () => {});
  const events = readMessages(channel.output, eventSchema);

  async function next(): Promise<AgentEvent> {
    const { value, done } = await events.next();
    if (!done) return value;
    throw new AgentDied(`the agent ${await channel.ended}`);
  }

  const late = () => {
    const progress = channel.progress?.();
    const waited = Math.round((channel.waited?.() ?? 0) / 1000);
    const starved = waited > 0 ? `, and ${waited} s for want of a CPU` : '';
    return `no answer within ${deadlineMs / 1000} s${starved}${progress ? ` (${progress})` : ''}`;
  };
  const hello = await withDeadline(next(), deadlineMs, late, channel.waited).catch(async (error: unknown) => {
    channel.kill();
    await channel.ended;
    throw new LabError(`the lab did not come up: ${messageOf(error)}`, { cause: error });
  });
  if (hello.type !== 'hello') {
    channel.kill();
    throw new LabError(hello.type === 'failed' ? hello.message : `the agent began with ${hello.type}, not with hello`);
  }
  if (hello.protocol !== PROTOCOL_VERSION) {
    channel.kill();
    throw new LabError(
      `the agent speaks protocol ${hello.protocol}, this controller ${PROTOCOL_VERSION}: they are of different versions of bindstorm`,
    );
  }
  return {
    hello,
    bootMs: channel.bootMs?.() ?? null,
    warnings: [],
    send: (message) => writeMessage(channel.input, message),
    next,
    close: async () => void (await channel.close()),
    kill: () => channel.kill(),
    stderr: () => channel.stderr(),
  };
}

/** The last line of a text that is not empty, for messages. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
