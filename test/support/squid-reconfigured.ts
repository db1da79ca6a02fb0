/**
 * A Squid with a line for a group of clients and one for others, which is given other lines while a tunnel of the group is open. Runs in a network
 * namespace of its own; says on standard output, as JSON, from which addresses connections came ({@link Reconfigured}).
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Reconfigured {
  /** The address of the open tunnel, before and after. */
  readonly old: readonly [string, string];
  /** Address → connections of 120 of a client of the group, and of 12 of another client. */
  readonly group: Readonly<Record<string, number>>;
  readonly other: Readonly<Record<string, number>>;
}

const GROUP = '192.168.1.5';
const OTHER = '192.168.2.5';
const PROXY = '10.0.0.1';
const ORIGIN = '10.9.0.2';
const OLD_LINE = 'tcp_outgoing_address 10.0.0.17 big_group';

const [linesJson = '[]'] = process.argv.slice(2);
const lines = JSON.parse(linesJson) as string[];
must('ip', 'link', 'set', 'lo', 'up');
for (const address of [PROXY, '10.0.0.17', '10.0.0.18', '10.0.0.19', ORIGIN, GROUP, OTHER])
  must('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo');

const folder = mkdtempSync(join(tmpdir(), 'bindstorm-squid-'));
// Started by root, Squid becomes another user.
chmodSync(folder, 0o777);
const file = join(folder, 'squid.conf');
const config = (outgoing: readonly string[]) =>
  writeFileSync(
    file,
    `${[
      `http_port ${PROXY}:3128`,
      `pid_filename ${folder}/squid.pid`,
      `cache_log ${folder}/cache.log`,
      'access_log none',
      'visible_hostname bindstorm',
      'hosts_file none',
      'dns_nameservers 127.0.0.1',
      'cache deny all',
      'pinger_enable off',
      'http_access allow all',
      'acl big_group src 192.168.1.0/24',
      'acl others src 192.168.2.0/24',
      ...outgoing,
      `tcp_outgoing_address ${PROXY} others`,
    ].join('\n')}\n`,
  );

/** Says to each that connects from which address it came. */
const origin = createServer((socket) => {
  socket.on('data', () => socket.write(socket.remoteAddress!)).on('error', () => socket.destroy());
}).listen(443, ORIGIN);
await once(origin, 'listening');
config([OLD_LINE]);
// Its files in /dev/shm are named by -n, so that it meddles with no other Squid.
const NAME = `bindstorm${process.pid}`;
const squid = spawn('squid', ['-N', '-n', NAME, '-f', file], { stdio: 'ignore' });
try {
  const tunnel = await open(GROUP);
  const before = await ask(tunnel);
  config(lines);
  must('squid', '-k', 'parse', '-f', file);
  must('squid', '-n', NAME, '-k', 'reconfigure', '-f', file);
  await untilReconfigured();
  const said: Reconfigured = {
    old: [before, await ask(tunnel)],
    group: await count(GROUP, 120),
    other: await count(OTHER, 12),
  };
  process.stdout.write(JSON.stringify(said));
} finally {
  squid.kill('SIGKILL');
  await once(squid, 'exit');
  rmSync(folder, { recursive: true });
}
process.exit(0);

function must(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** The listener is closed while it reads its file. */
async function untilReconfigured(): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const log = readFileSync(join(folder, 'cache.log'), 'utf8');
    if ((log.split('Reconfiguring Squid Cache')[1] ?? '').includes('Accepting HTTP Socket connections')) return;
    await sleep(50);
  }
  throw new Error('Squid was not reconfigured within 10 s');
}

/** A tunnel of a client; waits for Squid to listen. */
async function open(client: string): Promise<Socket> {
  for (let i = 0; ; i++) {
    const socket = connect({ host: PROXY, port: 3128, localAddress: client });
    try {
      await once(socket, 'connect');
      socket.write(`CONNECT ${ORIGIN}:443 HTTP/1.1\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (!answer.includes(' 200 ')) throw new Error(String(answer));
      return socket;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || i === 200) throw error;
      await sleep(50);
    }
  }
}

async function ask(tunnel: Socket): Promise<string> {
  tunnel.write('x');
  return String((await once(tunnel, 'data'))[0]);
}

async function count(client: string, connections: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < connections; i++) {
    const tunnel = await open(client);
    const address = await ask(tunnel);
    counts[address] = (counts[address] ?? 0) + 1;
    tunnel.destroy();
  }
  return counts;
}
