/**
 * What a NATS server says of itself before anybody signs in: a line that begins with INFO.
 */
import { connect } from 'node:net';
import { z } from 'zod';

const infoSchema = z.object({ tls_verify: z.boolean().optional() });

const ANSWER_MS = 5_000;
const MOST_BYTES = 65_536;
const PORT = 4222;

/**
 * Whether the server asks for a client's certificate. It ends the connection of who has none after TLS 1.3 has let it in, which the client library
 * (3.4.0) does not tell from a server that says nothing.
 */
export function wantsCertificate(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port) || PORT, hostname.replace(/^\[|\]$/g, ''));
    let said = '';
    const end = (wants: boolean) => {
      socket.destroy();
      resolve(wants);
    };
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.on('error', () => end(false)).on('close', () => end(false));
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('\r\n')) end(verifies(said));
      else if (said.length > MOST_BYTES) end(false);
    });
  });
}

function verifies(said: string): boolean {
  try {
    const info: unknown = JSON.parse(/^INFO (.*)\r\n/.exec(said)?.[1] ?? '');
    return infoSchema.safeParse(info).data?.tls_verify === true;
  } catch {
    return false;
  }
}
