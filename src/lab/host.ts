/**
 * The host lab: no lab at all, but this machine itself, for what cannot be moved into a namespace. Off unless the command line
 * and the profile both ask for it; every sysctl that a run changes is restored (agent/place/host-guard.ts).
 */

import { staleSnapshots } from '../agent/place/host-guard.js';
import type { AgentEvent } from '../agent/protocol.js';
import { agentCommand, startAgent } from './agent-process.js';
import { type Lab, LabError, type LabSession } from './lab.js';

type Restored = Extract<AgentEvent, { type: 'restored' }>;

/** This machine, without a namespace of its own. */
export function hostLab(): Lab {
  return {
    kind: 'host',
    description: 'this host itself',
    open: async (purpose) => restoringAfter(await startAgent(agentCommand('host', purpose))),
  };
}

/** An agent restores what it has changed, unless it was killed. The controller lives on then, and has another agent do it. */
function restoringAfter(session: LabSession): LabSession {
  return {
    ...session,
    async close() {
      await session.close();
      if (staleSnapshots().length === 0) return;
      const { failed } = await restoreHost();
      if (failed.length > 0)
        throw new LabError(`sysctls that a killed agent left changed could not be restored: ${failed.join(', ')}`, {
          remedy: 'write them by hand with sysctl -w',
        });
    },
  };
}

/** Put back the sysctls that killed agents have left changed on this host. @throws LabError when no agent can do it */
export async function restoreHost(): Promise<Restored> {
  const session = await startAgent(agentCommand('host', 'check'));
  session.send({ type: 'restore' });
  try {
    const event = await session.next();
    if (event.type === 'restored') return event;
    throw new LabError(event.type === 'failed' ? event.message : 'the agent did not restore the sysctls', {
      remedy: 'run `bindstorm restore`',
    });
  } finally {
    await session.close();
  }
}
