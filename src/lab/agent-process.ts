/**
 * An agent as a child process: started by some command (which makes the lab), spoken to over its standard streams.
 */
import { execa } from 'execa';
import { descriptorLimit } from '../agent/place/limits.js';
import { nodeCommand } from '../machine/node-command.js';
import { waitedForCpu } from '../machine/waited-for-cpu.js';
import { greetAgent, lastLine } from './agent-channel.js';
import { LabError, type LabSession } from './lab.js';

/** Milliseconds. */
export interface Deadlines {
  /** How long an agent may take to say hello. */
  readonly hello: number;
  /** How long an agent may take to end after its input has ended. */
  readonly close: number;
}

/** Node itself takes some forty, each load worker ten more; with fewer than this there is nothing left for a load. */
const LEAST_DESCRIPTORS = 256;

/** Why no agent can be on this machine with the limit of open files that it has; undefined: it can. */
export function tooFewDescriptors(): LabError | undefined {
  const limit = descriptorLimit();
  if (limit >= LEAST_DESCRIPTORS) return undefined;
  return new LabError(`a process may open only ${limit} files here, and a lab needs at least ${LEAST_DESCRIPTORS}`, {
    remedy:
      'raise the limit in the shell that starts bindstorm, for example: ulimit -n 4096; where that is refused, first the hard one (ulimit -Hn), in /etc/security/limits.conf or by LimitNOFILE=',
  });
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
export async function startAgent(command: readonly string[], deadlines = LOCAL): Promise<LabSession> {
  const few = tooFewDescriptors();
  if (few) throw few;
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
  const waited = () => (child.pid === undefined ? 0 : waitedForCpu(child.pid));
  return greetAgent(
    { input: child.stdin, output: child.stdout, ended, close, kill, waited, stderr: () => stderr },
    deadlines.hello,
  );
}
