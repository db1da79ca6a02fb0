/**
 * An agent as a child process: started by some command (which makes the lab), spoken to over its standard streams.
 */
import { execa } from 'execa';
import { nodeCommand } from '../machine/node-command.js';
import { greetAgent, lastLine } from './agent-channel.js';
import type { LabSession } from './lab.js';

/** Milliseconds. */
export interface Deadlines {
  /** How long an agent may take to say hello. */
  readonly hello: number;
  /** How long an agent may take to end after its input has ended. */
  readonly close: number;
}

/** For an agent on this machine. */
const LOCAL: Deadlines = { hello: 20_000, close: 3_000 };
const STDERR_KEPT = 8_000;
/** Versions of unshare(1) (as of util-linux 2.38) that cannot end by SIGKILL as their child did: signal(SIGKILL, SIG_DFL) is EINVAL. */
const UNSHARE_ON_SIGKILL = /^unshare: sigprocmask unblock failed/m;

/** The command line of the agent itself. */
export function agentCommand(kind: 'netns' | 'host', purpose: 'run' | 'check'): string[] {
  return [...nodeCommand(new URL('../agent/entry.js', import.meta.url)), kind, purpose];
}

/**
 * Start an agent and wait for its hello.
 * @param command the program and its arguments
 * @throws LabError when it does not come up
 */
export function startAgent(command: readonly string[], deadlines = LOCAL): Promise<LabSession> {
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
  const ended = child.then((result) => {
    if (result.signal || UNSHARE_ON_SIGKILL.test(stderr)) return `was killed by ${result.signal ?? 'SIGKILL'}`;
    const how =
      result.exitCode === undefined
        ? `could not be started (${result.originalMessage})`
        : `ended with code ${result.exitCode}`;
    return `${how}${stderr ? `: ${lastLine(stderr)}` : ''}`;
  });
  const kill = () => void child.kill('SIGKILL');
  const close = async () => {
    child.stdin.end();
    const timer = setTimeout(kill, deadlines.close);
    await ended;
    clearTimeout(timer);
  };
  return greetAgent(
    { input: child.stdin, output: child.stdout, ended, close, kill, stderr: () => stderr },
    deadlines.hello,
  );
}
