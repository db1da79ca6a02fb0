/**
 * An agent on this machine.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Target } from '../domain/target.js';
import { accessOf, fleetFolder } from '../fleet/access.js';
import { examineAgent } from '../fleet/agent/abilities.js';
import { runAgent } from '../fleet/agent/agent.js';
import { isWord, wordOf } from '../fleet/subjects.js';
import { interruptible } from '../machine/interrupts.js';
import { EXIT, UserError } from './exit.js';
import { note } from './terminal.js';

export interface AgentCommandOptions {
  readonly join: string;
  readonly name?: string;
  readonly folder?: string;
  readonly allow: readonly Target[];
  readonly allowPrograms: boolean;
  readonly allowHost: boolean;
}

/** @returns the exit code, when it was interrupted. Rejects with UserError, FleetError */
export async function fleetAgent({ join: where, folder, allow, ...options }: AgentCommandOptions): Promise<number> {
  const { name = wordOf(hostname()), allowPrograms: programs, allowHost: host } = options;
  if (!isWord(name))
    throw new UserError(`${name} is not a name of an agent; it takes letters, digits, - and _, up to 64`);
  const access = accessOf(where, 'agent');
  const machine = await examineAgent();
  await interruptible(
    () => note('the agent ends: its unit goes to another'),
    (signal) =>
      runAgent({
        ...{ access, name, machine, note, signal },
        state: folder ?? join(fleetFolder(), 'agents', name),
        leave: { allow, programs, host },
      }),
  );
  return EXIT.ok;
}
