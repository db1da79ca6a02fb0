/**
 * One request on a connection that is there already, through undici: its client is given the connection and never makes one.
 */
import type { Duplex } from 'node:stream';
import { Client } from 'undici';
import type { Phase } from '../../domain/outcome.js';
import { failureSlot } from '../outcome.js';
import { errnoOf } from './http-error.js';

/** Longer than any run: who closes, and when, is the plan's business. */
const NEVER = 2_000_000_000;

/** What a response was: a slot of `failureSlot` when there was none. */
export type Answer =
  | { readonly kind: 'response'; readonly status: number; readonly squidError: string }
  | {
      readonly kind: 'failed';
      readonly slot: number;
      /** Nothing of a response came. */
      readonly silent: boolean;
    };

/**
 * An HTTP/1.1 client on a connection.
 * @param idleMs how long a connection that is not used is kept, unless the server asks for less; null: until somebody closes it
 */
export function clientOn(stream: Duplex, idleMs: number | null): Client {
  let given = false;
  return new Client('http://connection.invalid', {
    connect: (_options, callback) => {
      // The connection has ended; undici would make another one, which an attempt does itself.
      if (given || stream.destroyed) return callback(new Error('the connection is closed'), null);
      given = true;
      callback(null, stream as Parameters<typeof callback>[1] & Duplex);
    },
    keepAliveTimeout: idleMs ?? NEVER,
    keepAliveMaxTimeout: idleMs ?? NEVER,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** Send a GET and read the answer to its end. @param path in origin or absolute form @param last ask for the close */
export function get(client: Client, authority: string, path: string, last: boolean, phase: Phase): Promise<Answer> {
  return new Promise((resolve) => {
    let status = 0;
    let squidError = '';
    client.dispatch(
      { method: 'GET', path, headers: { host: authority, 'user-agent': 'bindstorm' }, reset: last },
      {
        onConnect() {},
        onHeaders(code, headers) {
          status = code;
          squidError = squidErrorOf(headers);
          return true;
        },
        onData: () => true,
        onComplete: () => resolve({ kind: 'response', status, squidError }),
        onError: (error) => resolve({ kind: 'failed', slot: failureSlot(phase, errnoOf(error)), silent: status === 0 }),
      },
    );
  });
}

/** Ask a proxy for a tunnel. After a 2xx the connection is the tunnel; after any other status it is of no more use. */
export function askForTunnel(client: Client, authority: string): Promise<Answer> {
  return new Promise((resolve) => {
    client.dispatch(
      { method: 'CONNECT', path: authority, headers: { host: authority, 'user-agent': 'bindstorm' } },
      {
        onConnect() {},
        onHeaders: () => true,
        onUpgrade: (status, headers) => resolve({ kind: 'response', status, squidError: squidErrorOf(headers ?? []) }),
        onError: (error) => resolve({ kind: 'failed', slot: failureSlot('response', errnoOf(error)), silent: true }),
      },
    );
  });
}

/** @param headers names and values in turn */
function squidErrorOf(headers: readonly (Buffer | string)[]): string {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toString('latin1').toLowerCase() === 'x-squid-error')
      return headers[i + 1]!.toString('latin1').trim();
  }
  return '';
}
