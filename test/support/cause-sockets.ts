/**
 * Fills the ports of the network namespace that it is started in, for one known reason, prints `ready`, and holds them until standard input
 * ends. Its argument is a {@link CauseSockets} as JSON.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EINPROGRESS } from '../../src/kernel/errno.js';
import {
  AF_INET,
  accept4,
  bind,
  close,
  connect,
  errno,
  IP_BIND_ADDRESS_NO_PORT,
  listen,
  MSG_NOSIGNAL,
  nativeBuffer,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_IP,
  SOL_SOCKET,
  send,
  setsockopt,
  socket,
} from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';

export interface CauseSockets {
  readonly reason: keyof typeof REASONS;
  /** Outgoing connections, about. */
  readonly sockets: number;
  /** ip_local_port_range */
  readonly range: string;
}

const SERVER = '127.0.0.1';
const BACKLOG = 65_535;
const one = nativeBuffer(4);
one.view.setInt32(0, 1, true);

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed with errno ${errno()}`);
  return result;
}

const listeners = new Map<number, number>();

/** A listening socket on the server's address. */
function server(port: number, backlog = BACKLOG): number {
  const known = listeners.get(port);
  if (known !== undefined) return known;
  const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one.address, 4);
  const table = sockaddrTable([{ address: SERVER, port }]);
  checked(bind(fd, sockaddrAt(table, 0), table.length), 'bind of the server');
  checked(listen(fd, backlog), 'listen');
  listeners.set(port, fd);
  return fd;
}

interface Way {
  /** The local address; absent: the kernel's. */
  readonly from?: string;
  /** Let bind() choose the port, and not connect(). */
  readonly binds?: boolean;
  /** Set SO_REUSEADDR before, as libuv does. */
  readonly reuses?: boolean;
}

/** A connection, whose other end waits in the queue of the server: so it costs one descriptor. */
function open(port: number, { from, binds = false, reuses = false }: Way = {}): number {
  server(port);
  const client = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  if (from !== undefined) {
    if (reuses) setsockopt(client, SOL_SOCKET, SO_REUSEADDR, one.address, 4);
    if (!binds) setsockopt(client, SOL_IP, IP_BIND_ADDRESS_NO_PORT, one.address, 4);
    const local = sockaddrTable([{ address: from, port: 0 }]);
    checked(bind(client, sockaddrAt(local, 0), local.length), 'bind');
  }
  const remote = sockaddrTable([{ address: SERVER, port }]);
  checked(connect(client, sockaddrAt(remote, 0), remote.length), 'connect');
  return client;
}

/** The other end of the connection that was opened last. */
function accept(port: number): number {
  return checked(accept4(server(port), 0, 0, SOCK_CLOEXEC), 'accept');
}

function times(count: number, work: (i: number) => void): void {
  for (let i = 0; i < count; i++) work(i);
}

const REASONS = {
  healthy: (n: number) => times(n, () => void open(9000)),
  churn: (n: number) =>
    times(n, () => {
      close(open(9000, { from: '127.0.1.1', binds: true }));
      close(accept(9000));
    }),
  /** Every other one is closed, and the rest stay open. */
  turnover: (n: number) =>
    times(n, (i) => {
      const client = open(9000, { from: '127.0.1.1', binds: true });
      const other = accept(9000);
      if (i % 2 === 0) return;
      close(client);
      close(other);
    }),
  'close-wait': (n: number) =>
    times(n, () => {
      open(9000, { from: '127.0.1.1' });
      close(accept(9000));
    }),
  /** Silent for three times as long as the tests ask for, down to the youngest. */
  idle: async (n: number) => {
    times(n, () => void open(9000, { from: '127.0.1.1' }));
    await sleep(300);
  },
  /** All by connect() alone, so that an unbound connect() to this destination finds no port any more. */
  'idle-unbound': (n: number) => times(n, () => void open(9000)),
  /** The request is sent, and nobody answers. */
  waiting: async (n: number) => {
    times(n, () => void checked(send(open(9000), one.address, 1, MSG_NOSIGNAL), 'send'));
    await sleep(1200);
  },
  /** Two of three have sent a request, which nobody answers; the third, to another port, is silent. */
  'mostly-waiting': async (n: number) => {
    times(n, (i) => {
      const fd = open(i % 3 === 0 ? 9001 : 9000, { from: '127.0.1.1' });
      if (i % 3 !== 0) checked(send(fd, one.address, 1, MSG_NOSIGNAL), 'send');
    });
    await sleep(1200);
  },
  /** The accept queue is full: each further SYN is dropped. */
  unanswered: (n: number) => {
    server(9000, 0);
    const remote = sockaddrTable([{ address: SERVER, port: 9000 }]);
    times(n, () => {
      const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
      if (connect(fd, sockaddrAt(remote, 0), remote.length) < 0 && errno() !== EINPROGRESS)
        throw new Error(`connect failed with errno ${errno()}`);
    });
  },
  /** Of seven connections six go to one destination, and the others to four. */
  hot: (n: number) => times(n, (i) => void open(i % 7 < 6 ? 9000 : 9001 + (i % 4), { from: '127.0.1.1' })),
  /** One program binds most of the ports; a few connections of another have found what was left. */
  poisoned: (n: number) => {
    times(n, () => void open(9000, { from: '127.0.1.1', binds: true }));
    times(Math.ceil(n / 20), () => void open(9001));
  },
  /** Two programs that both bind as those of Node.js do, one with more ports: neither is barred by the other. */
  'two-binders': (n: number) => {
    times(n, () => void open(9000, { from: '127.0.1.1', binds: true, reuses: true }));
    times(Math.ceil(0.8 * n), () => void open(9000, { from: '127.0.2.1', binds: true, reuses: true }));
  },
  /** Bound, and never connected. */
  'bound-only': (n: number) => {
    const local = sockaddrTable([{ address: '127.0.1.1', port: 0 }]);
    times(n, () => {
      const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
      checked(bind(fd, sockaddrAt(local, 0), local.length), 'bind');
    });
  },
};

const { reason, sockets, range } = JSON.parse(process.argv[2]!) as CauseSockets;
const control = openRouteControl();
control.linkUp('lo');
control.close();
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', range);
writeFileSync('/proc/sys/net/core/somaxconn', String(BACKLOG));
await REASONS[reason](sockets);
process.stdout.write(`ready ${process.pid}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
