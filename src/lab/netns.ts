/**
 * The netns lab: an agent in fresh network and PID namespaces, made by unshare(1); and in a user namespace when not root.
 *
 * The chain is setpriv → unshare → agent. If the controller dies, even by SIGKILL, setpriv's parent-death signal kills unshare,
 * unshare's --kill-child kills the agent, and the end of the agent, PID 1 of its namespace, kills all that runs in it; the kernel
 * then frees the namespaces. Nothing is registered under /run/netns, so nothing can be left there.
 */
import { agentCommand, startAgent } from './agent-process.js';
import type { Lab } from './lab.js';
import { withLabRemedy } from './remedy.js';

/** Before a command: it is killed when the process that started it ends. */
export const DIE_WITH_PARENT: readonly string[] = ['setpriv', '--pdeathsig', 'KILL'];

/** The command that runs another one in network and PID namespaces of its own. @param more options of unshare(1) */
export function unshareCommand(command: readonly string[], root: boolean, ...more: readonly string[]): string[] {
  const user = root ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...user, '--net', '--pid', ...more, '--fork', '--kill-child=KILL', '--', ...command];
}

/** The command that starts `command` in a lab of its own. */
export function netnsCommand(command: readonly string[], root: boolean): string[] {
  return [...DIE_WITH_PARENT, ...unshareCommand(command, root)];
}

/** Fresh namespaces for each run; needs root or user namespaces. */
export function netnsLab(): Lab {
  const root = process.getuid?.() === 0;
  return {
    kind: 'netns',
    description: root ? 'network namespace' : 'network namespace in a user namespace',
    open: (purpose) =>
      startAgent(netnsCommand(agentCommand('netns', purpose), root)).catch((error: unknown) => {
        throw withLabRemedy(error);
      }),
  };
}
