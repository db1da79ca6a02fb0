/**
 * HTTP servers for the reader of this machine.
 */
import type { Server } from 'node:http';
import { UserError } from '../domain/error.js';

/**
 * Listen, or say why not.
 * @param what is served, as `the metrics`
 * @param remedy how to choose another place
 * @throws UserError
 */
export function listen(server: Server, host: string, port: number, what: string, remedy: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UserError(`${what} cannot be served on ${host}:${port} (${error.code}); ${remedy}`)),
    );
    server.listen(port, host, resolve);
  });
}
