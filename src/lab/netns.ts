/**
 * The netns lab: an agent in fresh network and PID namespaces, made by unshare(1); and in a user namespace when not root.
 *
 * The chain is setpriv → unshare → agent. If the controller dies, even by SIGKILL, setpriv's parent-death signal kills unshare,
 * unshare's --kill-child kills the agent, and the end of the agent, PID 1 of its namespace, kills all that runs in it; the kernel
 * then frees the namespaces. Nothing is registered under /run/netns, so nothing can be left there.
 */
import { agentCommand, startAgent } from './agent-process.js';
import { type Lab, LabError } from './lab.js';
import { labRemedy } from './remedy.js';

/** The command that starts `command` in a lab of its own. */
export function netnsCommand(command: readonly string[], root: boolean): string[] {
  const user = root ? [] : ['--user', '--map-root-user'];
  return [
    'setpriv',
    '--pdeathsig',
    'KILL',
    'unshare',
    ...user,
    '--net',
    '--pid',
    '--fork',
    '--kill-child=KILL',
    '--',
    ...command,
  ];
}

export function netnsLab(): Lab {
  const root = process.getuid?.() === 0;
  return {
    kind: 'netns',
    description: root ? 'network namespace' : 'network namespace in a user namespace',
    open: (purpose) => startAgent(netnsCommand(agentCommand('netns', purpose), root)).catch(addRemedy),
  };
}

/** Refused by the system before the agent began, as the names of the programs in the message show; or a fault of the agent. */
function addRemedy(error: unknown): never {
  if (error instanceof LabError && /setpriv|unshare/.test(error.message))
    throw new LabError(error.message, { cause: error, remedy: labRemedy() });
  throw error;
}
