/** Debian's nats-server as somebody else runs it, and one that only says that it is. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { findProgram, NATS_SERVER } from '../../src/machine/programs.js';
import { startCli, until } from './cli.js';
import { freePort } from './fleet.js';

type Test = { after(work: () => unknown): void };

/** Start a server. @param lines of its configuration, beside where it listens @returns its address, as 127.0.0.1:4222 */
export async function startNats(t: Test, folder: string, lines: readonly string[]): Promise<string> {
  const port = await freePort();
  const path = join(folder, `nats-${port}.conf`);
  writeFileSync(path, [`listen: "127.0.0.1:${port}"`, `server_name: of-another-${port}`, ...lines, ''].join('\n'));
  const server = startCli(['-c', path], { cwd: folder, program: [findProgram(NATS_SERVER)!], deadlineMs: 900_000 });
  t.after(async () => {
    server.kill('SIGKILL');
    await server.ended;
  });
  await until('nats-server', () => server.stderr().includes('Server is ready'));
  return `127.0.0.1:${port}`;
}

/** A server that says that it is of a version, and answers a ping. @returns its address */
export async function startPretender(t: Test, version: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(
      `INFO ${JSON.stringify({ server_id: 'X', version, proto: 1, headers: true, max_payload: 1_048_576, jetstream: true })}\r\n`,
    );
    socket.on('data', (data) => {
      if (data.toString().includes('PING')) socket.write('PONG\r\n');
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  t.after(() => server.close());
  return `127.0.0.1:${port}`;
}

/** What a connection may not do, as the server says it. */
export async function violations(connection: NatsConnection, doing: () => void): Promise<string[]> {
  const found: string[] = [];
  const heard = (async () => {
    for await (const status of connection.status()) if (status.type === 'error') found.push(status.error.message);
  })();
  doing();
  await connection.flush();
  await connection.flush();
  await connection.close();
  await heard;
  return found;
}
