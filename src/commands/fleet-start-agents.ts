/**
 * Agents on other machines, started by ssh, for as long as this command runs.
 */
import { formatTarget } from '../domain/format.js';
import { printable } from '../domain/printable.js';
import type { Target } from '../domain/target.js';
import { accessOf } from '../fleet/access.js';
import { FleetError } from '../fleet/bus.js';
import { parseHosts, type RemoteHost } from '../fleet/remote/hosts.js';
import { type SshOptions, startRemote, whyNot } from '../fleet/remote/ssh.js';
import { interruptible } from '../machine/interrupts.js';
import { inLanes } from '../machine/lanes.js';
import { readRegularFile } from '../machine/read-file.js';
import { EXIT } from './exit.js';
import { note } from './terminal.js';

export interface StartAgentsOptions extends Omit<SshOptions, 'config'> {
  readonly join?: string;
  readonly sshConfig?: string;
  readonly allow: readonly Target[];
  readonly allowPrograms: boolean;
  readonly allowHost: boolean;
}

/** Hosts that are asked at once. */
const AT_ONCE = 16;

/**
 * Start an agent on each host, once each can have one, and end them all when interrupted.
 * @returns the exit code. Rejects with UserError, and with FleetError where a host cannot have one, or all agents have ended
 */
export async function startAgents(
  file: string,
  { join, sshConfig, program, allow, allowPrograms, allowHost }: StartAgentsOptions,
): Promise<number> {
  const hosts = parseHosts(readRegularFile(file, 'name a file with a host a line'), file);
  const access = accessOf(join, 'agent');
  const ssh: SshOptions = { config: sshConfig, program };
  await refuseUnable(hosts, ssh);
  const args = [
    ...allow.flatMap((target) => ['--allow', formatTarget(target)]),
    ...(allowPrograms ? ['--allow-programs'] : []),
    ...(allowHost ? ['--allow-host'] : []),
  ];
  return interruptible(
    () => note('the agents end: their units go to others'),
    async (signal) => {
      const agents = hosts.map((host) => {
        const agent = startRemote(host, access, args, ssh, (line) => note(`${host.name}: ${printable(line)}`));
        void agent.ended.then((why) => signal.aborted || note(`${host.name} has ended (${printable(why)})`));
        return agent;
      });
      const stop = () => {
        for (const agent of agents) agent.stop();
      };
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      await Promise.all(agents.map(({ ended }) => ended));
      if (signal.aborted) return EXIT.ok;
      throw new FleetError('every agent has ended', 'see above why, and start them again');
    },
  );
}

/** Rejects with FleetError that names each host, and why. */
async function refuseUnable(hosts: readonly RemoteHost[], ssh: SshOptions): Promise<void> {
  const refused: string[] = [];
  await inLanes(hosts, AT_ONCE, new AbortController().signal, async (host) => {
    const why = await whyNot(host, ssh);
    if (why !== null) refused.push(`${host.destination}: ${why}`);
  });
  if (refused.length > 0)
    throw new FleetError(
      `no agent was started, for ${refused.length} of ${hosts.length} cannot have one:\n  ${refused.sort().map(printable).join('\n  ')}`,
      'mend them, or put # before their lines',
    );
}
