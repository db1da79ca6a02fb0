/**
 * The agent's side of the origin.
 */
import { connectRole } from './channel.js';
import type { LaunchedOrigin } from './launch.js';
import { type OriginProtocol, originSchemas } from './origin-protocol.js';

export type OriginStats = OriginProtocol['stats']['answer'];

export interface Origin {
  readonly pid: number;
  /** @returns the sysctls of the request, as read back */
  serve(request: OriginProtocol['serve']['request']): Promise<Record<string, string>>;
  /** Serve every address, in place of `serve`. @returns what the program has to know of it, and the sysctls as read back */
  openInternet(request: OriginProtocol['openInternet']['request']): Promise<OriginProtocol['openInternet']['answer']>;
  stats(): Promise<OriginStats>;
  stop(): void;
}

/** Wait until a launched origin is in its namespace. Rejects with what its program said when it fails. */
export async function connectOrigin({ child }: LaunchedOrigin): Promise<Origin> {
  const role = connectRole<OriginProtocol>('the origin', child, originSchemas);
  await role.ready;
  return {
    pid: role.pid,
    serve: async (request) => (await role.ask('serve', request)).sysctls,
    openInternet: (request) => role.ask('openInternet', request),
    stats: () => role.ask('stats', {}, true),
    stop: role.end,
  };
}
