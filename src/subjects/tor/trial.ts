/**
 * A stream on trial: a byte that really comes through an exit. It ends beside the exit and is closed by its server first, so that
 * no TIME_WAIT is left on the exit's outgoing address.
 */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { connectRequest, GREETING, parseMethod, parseReply, SUCCEEDED } from '../../domain/socks.js';
import { TRIAL_PORT } from './layout.js';

const BYTE = 'b';

/** Serves one byte a connection in the namespace of the caller. */
export async function startTrialServer(address: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(BYTE);
  });
  await once(server.listen(TRIAL_PORT, address), 'listening');
  return server;
}

/** @param path the Unix socket of a client's SOCKS port. @returns null when the byte came, else what came instead */
export function tryStream(path: string, address: string, deadlineMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let bytes = Buffer.alloc(0);
    let stage: 'method' | 'reply' | 'byte' = 'method';
    const done = (why: string | null) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(deadlineMs, () => done(`no ${stage} came within ${deadlineMs} ms`));
    socket.once('error', (error) => done(error.message));
    socket.once('close', () => done(`the connection was closed before a ${stage}`));
    socket.once('connect', () => socket.write(GREETING));
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      if (stage === 'method') {
        const length = parseMethod(bytes);
        if (length < 0) return done('the method was none of SOCKS5');
        if (length === 0) return;
        bytes = bytes.subarray(length);
        stage = 'reply';
        socket.write(connectRequest({ address, port: TRIAL_PORT }));
      }
      if (stage === 'reply') {
        const length = parseReply(bytes);
        if (length < 0) return done('the reply was none of SOCKS5');
        if (length === 0) return;
        if (bytes[1] !== SUCCEEDED) return done(`the SOCKS reply was ${bytes[1]}`);
        bytes = bytes.subarray(length);
        stage = 'byte';
      }
      if (bytes.length > 0) done(bytes.toString('latin1') === BYTE ? null : 'another byte came');
    });
  });
}
