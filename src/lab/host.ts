/**
 * The host lab: no lab at all, but this machine itself, for what cannot be moved into a namespace. Off unless the command line
 * and the profile both ask for it; every sysctl that a run changes is restored (agent/host-guard.ts).
 */
import { agentCommand, startAgent } from './agent-process.js';
import type { Lab } from './lab.js';

/** This machine, without a namespace of its own. */
export function hostLab(): Lab {
  return {
    kind: 'host',
    description: 'this host itself',
    open: (purpose) => startAgent(agentCommand('host', purpose)),
  };
}
