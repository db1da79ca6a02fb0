/**
 * The agent's side of the router's role.
 */
import type { Target } from '../../domain/target.js';
import type { RouterReport } from '../../results/figures.js';
import { connectRole } from './channel.js';
import { launchRole } from './launch.js';
import { type RouterProtocol, routerSchemas } from './router-protocol.js';

export interface RouterRole {
  readonly pid: number;
  /** The rules as nft(8) or iptables(8) takes them, and the sysctls as read back. Rejects with why they cannot be made. */
  setUpNetwork(request: RouterProtocol['network']['request']): Promise<Pick<RouterReport, 'rules' | 'sysctls'>>;
  hold(target: Target): Promise<void>;
  begin(): Promise<void>;
  collect(): Promise<RouterProtocol['collect']['answer']>;
  /** Rejects when the role ends by itself. */
  readonly failure: Promise<never>;
  close(): void;
}

/** Start the role, in a namespace of its own. Rejects with what its program said when it fails. */
export async function openRouterRole(): Promise<RouterRole> {
  const role = connectRole<RouterProtocol>('the router', launchRole('./router-role.js', ['--net']), routerSchemas);
  await role.ready;
  return {
    pid: role.pid,
    async setUpNetwork(request) {
      const made = await role.ask('network', request);
      if ('problem' in made) throw new Error(made.problem);
      return made;
    },
    hold: async (target) => void (await role.ask('hold', { target })),
    begin: async () => void (await role.ask('begin', {})),
    collect: () => role.ask('collect', {}, true),
    failure: role.failure,
    close: role.end,
  };
}
