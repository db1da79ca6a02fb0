/**
 * The agent's side of the origin.
 */
import { connectRole } from './channel.js';
import type { LaunchedOrigin, RoleProcess } from './launch.js';
import { type OriginProtocol, originSchemas } from './origin-protocol.js';

export type OriginStats = OriginProtocol['stats']['answer'];

export interface Origin {
  readonly pid: number;
  /** As of a role: do something to its namespace. */
  reach<T>(work: () => T | Promise<T>): Promise<T>;
  /** @returns the sysctls of the request, as read back */
  serve(request: OriginProtocol['serve']['request']): Promise<Record<string, string>>;
  /** Serve every address, in place of `serve`. @returns what the program has to know of it, and the sysctls as read back */
  openInternet(request: OriginProtocol['openInternet']['request']): Promise<OriginProtocol['openInternet']['answer']>;
  /** Wait until what is established is accepted too, which a busy machine may leave for later. */
  catchUp(): Promise<void>;
  stats(): Promise<OriginStats>;
  stop(): void;
}

/** One that can leave what it has served for a fresh namespace. */
interface Renewable extends Origin {
  renew(): Promise<void>;
}

/** Origins that outlive a run. */
const staying = new WeakMap<RoleProcess, Promise<Renewable>>();

/** Wait until a launched origin is in its namespace. Rejects with what its program said when it fails. */
export async function connectOrigin({ child }: LaunchedOrigin): Promise<Origin> {
  return staying.get(child) ?? connect(child);
}

/**
 * Let an origin stay when a run stops it, for the next one in this agent.
 * @returns `renew`: have it in a fresh namespace, with nothing that it had served; rejects when it cannot
 */
export function stayingOrigin({ child }: LaunchedOrigin): { renew(): Promise<void> } {
  const origin = connect(child).then(async (connected) => {
    // Threads of its process stay in the namespace in which it began, which would therefore stay too, with all of the first run.
    await connected.renew();
    return { ...connected, stop() {} };
  });
  origin.catch(() => {});
  staying.set(child, origin);
  return { renew: async () => (await origin).renew() };
}

async function connect(child: RoleProcess): Promise<Renewable> {
  const role = connectRole<OriginProtocol>('the origin', child, originSchemas);
  await role.ready;
  return {
    pid: role.pid,
    reach: role.reach,
    serve: async (request) => (await role.ask('serve', request)).sysctls,
    openInternet: (request) => role.ask('openInternet', request),
    catchUp: async () => void (await role.ask('catchUp', {}, true)),
    stats: () => role.ask('stats', {}, true),
    renew: async () => void (await role.ask('renew', {}, true)),
    stop: role.end,
  };
}
