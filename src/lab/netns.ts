/**
 * The netns lab: an agent in fresh network and PID namespaces, made by unshare(1); and in a user namespace when not root.
 *
 * The chain is setpriv → unshare → agent. If the controller dies, even by SIGKILL, setpriv's parent-death signal kills unshare,
 * unshare's --kill-child kills the agent, and the end of the agent, PID 1 of its namespace, kills all that runs in it; the kernel
 * then frees the namespaces. Nothing is registered under /run/netns, so nothing can be left there.
 */
import { DIE_WITH_PARENT } from '../machine/parent-death.js';
import type { Experiment } from '../plan/plan.js';
import { agentCommand, startAgent } from './agent-process.js';
import type { Lab } from './lab.js';
import { withLabRemedy } from './remedy.js';
import { guestPool } from './vm/guest-pool.js';

/** The command that runs another one in network and PID namespaces of its own. @param more options of unshare(1) */
export function unshareCommand(command: readonly string[], root: boolean, ...more: readonly string[]): string[] {
  const user = root ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...user, '--net', '--pid', ...more, '--fork', '--kill-child=KILL', '--', ...command];
}

/** The command that starts `command` in a lab of its own. */
export function netnsCommand(command: readonly string[], root: boolean): string[] {
  return [...DIE_WITH_PARENT, ...unshareCommand(command, root)];
}

/**
 * Fresh namespaces for each run; needs root or user namespaces.
 * @param serving the experiment whose runs follow each other, and which releases the lab in the end; absent: each session has an agent of its own
 */
export function netnsLab(serving?: Experiment): Lab {
  const root = process.getuid?.() === 0;
  const start = (purpose: 'run' | 'check') =>
    startAgent(netnsCommand(agentCommand('netns', purpose), root)).catch((error: unknown) => {
      throw withLabRemedy(error);
    });
  const lab = {
    kind: 'netns',
    description: root ? 'network namespace' : 'network namespace in a user namespace',
  } as const;
  if (serving === undefined || !mayStay(serving)) return { ...lab, open: start };
  const pool = guestPool(
    () => start('run'),
    () => true,
    { name: 'the agent', ownKernel: false },
  );
  return {
    ...lab,
    open: (purpose, signal) => (purpose === 'check' ? start(purpose) : pool.open(purpose, () => false, signal)),
    prepare: () => pool.prepare(false),
    release: pool.release,
  };
}

/**
 * Whether an agent and its origin may serve run after run, each in fresh network namespaces: starting both takes longer than a small run.
 * Not where a run starts a program of somebody else's, which could leave processes behind that only the end of the agent's PID namespace
 * ends, or a router; and not where the memory is what is compared, in which every run before would count.
 */
function mayStay({ arms, goal, guardrails, thresholds }: Experiment): boolean {
  const metrics = [goal, ...guardrails, ...thresholds.map(({ metric }) => metric)];
  return (
    arms.every(({ proxy, router }) => proxy === undefined && router === undefined) &&
    metrics.every((metric) => metric !== 'memory.peak')
  );
}
