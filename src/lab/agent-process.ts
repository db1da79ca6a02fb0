/**
 * An agent as a child process: started by some command (which makes the lab), spoken to over its standard streams.
 */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { readMessages, writeMessage } from '../agent/ndjson.js';
import { type AgentEvent, eventSchema, PROTOCOL_VERSION } from '../agent/protocol.js';
import { AgentDied, LabError, type LabSession } from './lab.js';

/** How long an agent may take to say hello. */
const HELLO_DEADLINE_MS = 20_000;
/** How long an agent may take to end after its input has ended. */
const CLOSE_DEADLINE_MS = 3_000;
const STDERR_KEPT = 8_000;
/** Versions of unshare(1) (as of util-linux 2.38) that cannot end by SIGKILL as their child did: signal(SIGKILL, SIG_DFL) is EINVAL. */
const UNSHARE_ON_SIGKILL = /^unshare: sigprocmask unblock failed/m;

/** The command line of the agent itself. */
export function agentCommand(kind: 'netns' | 'host', purpose: 'run' | 'check'): string[] {
  return [process.execPath, fileURLToPath(new URL('../agent/entry.js', import.meta.url)), kind, purpose];
}

/**
 * Start an agent and wait for its hello.
 * @param command the program and its arguments
 * @throws LabError when it does not come up
 */
export async function startAgent(command: readonly string[]): Promise<LabSession> {
  const child = execa(command[0]!, command.slice(1), {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    // A session of its own: Ctrl-C reaches the controller alone, which then ends the run in good order.
    detached: true,
    cleanup: true,
    // Warnings of Node about its own features are not the agent's standard error; and messages of programs are in English.
    env: { NODE_NO_WARNINGS: '1', LC_ALL: 'C' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  // Writing to an agent that has just died is not an error of its own: its end is reported by next().
  child.stdin.on('error', () => {});
  const events = readMessages(child.stdout, eventSchema);
  const ended = child.then((result) => result);

  async function next(): Promise<AgentEvent> {
    const { value, done } = await events.next();
    if (!done) return value;
    const result = await ended;
    if (result.signal || UNSHARE_ON_SIGKILL.test(stderr))
      throw new AgentDied(`the agent was killed by ${result.signal ?? 'SIGKILL'}`);
    const how =
      result.exitCode === undefined
        ? `could not be started (${result.originalMessage})`
        : `ended with code ${result.exitCode}`;
    throw new AgentDied(`the agent ${how}${stderr ? `: ${lastLine(stderr)}` : ''}`);
  }

  async function close(): Promise<void> {
    child.stdin.end();
    const timer = setTimeout(kill, CLOSE_DEADLINE_MS);
    await ended;
    clearTimeout(timer);
  }

  function kill(): void {
    child.kill('SIGKILL');
  }

  const hello = await withDeadline(next(), HELLO_DEADLINE_MS).catch(async (error: unknown) => {
    kill();
    await ended;
    throw new LabError(`the lab did not come up: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  });
  if (hello.type !== 'hello')
    throw new LabError(hello.type === 'failed' ? hello.message : `the agent began with ${hello.type}, not with hello`);
  if (hello.protocol !== PROTOCOL_VERSION) {
    kill();
    throw new LabError(
      `the agent speaks protocol ${hello.protocol}, this controller ${PROTOCOL_VERSION}: they are of different versions of bindstorm`,
    );
  }
  return { hello, send: (message) => writeMessage(child.stdin, message), next, close, kill, stderr: () => stderr };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
