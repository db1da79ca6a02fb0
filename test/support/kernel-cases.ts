/**
 * A process in a fresh network namespace that asks its kernel what the rows of the oracle do not: the cases in which kernels from
 * 5.10 to 7.x are known to differ (test/lab/vm/kernel-cases.tsv). Ports and listeners are each case's own.
 *
 * Standard output: one line of JSON, case → answer.
 */
import { EINPROGRESS, errnoName, SystemCallError } from '../../src/kernel/errno.js';
import {
  accept4,
  bind,
  close,
  connect,
  errno,
  IP_BIND_ADDRESS_NO_PORT,
  IP_LOCAL_PORT_RANGE,
  monotonicMicros,
  nativeBuffer,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_IP,
  SOL_SOCKET,
  setsockopt,
  socket,
} from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';
import { listenAll } from '../../src/load/origin/listen.js';

export type CaseAnswers = Record<string, string>;

const SOURCE = '127.0.1.1';
/** A first one where nothing listens, so that the n-th listener has this port plus n. */
const LISTENERS = 9000;
const SECOND = 1e6;

openRouteControl().linkUp('lo');
let nextPort = 20_000;
let nextListener = LISTENERS;
const answers: CaseAnswers = {
  'sysctl tcp_tw_reuse_delay': presence('net.ipv4.tcp_tw_reuse_delay'),
  'sysctl ip_local_port_step_width': presence('net.ipv4.ip_local_port_step_width'),
  'connect() to another destination, on a port that a bind() has come to and left': portThatBindLeft(),
  'connect() with tcp_tw_reuse=1, 0.3 s after the close, over a tick of the second': await reuseAtTick(),
  'connect() with tcp_tw_reuse=1, 2 s after a close that the peer never answered': await reuseOfFinWait2(),
  'five connections on the five ports of IP_LOCAL_PORT_RANGE': oddOwnRange(),
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
process.exit(0);

function presence(name: string): string {
  const found = readSysctl(name);
  return found.ok ? found.value : found.errno;
}

/** A port of one's own: the only one of the range. */
function onePort(): number {
  const port = nextPort++;
  set('net.ipv4.ip_local_port_range', `${port} ${port}`);
  return port;
}

function set(name: string, value: string): void {
  const result = writeSysctl(name, value);
  if (!result.ok) throw new Error(`${name} = ${value}: ${result.errno}`);
}

interface Listener {
  readonly fd: number;
  readonly port: number;
}

function listener(): Listener {
  const port = nextListener++;
  const [fd] = listenAll([{ address: '127.0.0.1', port }]);
  return { fd: fd!, port };
}

function tcp(flags = 0): number {
  const fd = socket(2, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) throw new SystemCallError('socket', errno());
  return fd;
}

/** `ok`, or the name of the errno. */
function call(of: typeof bind | typeof connect, fd: number, address: string, port: number): string {
  const table = sockaddrTable([{ address, port }]);
  return of(fd, sockaddrAt(table, 0), table.length) < 0 ? errnoName(errno()) : 'ok';
}

function mustBeOk(result: string, what: string): void {
  if (result !== 'ok') throw new Error(`${what}: ${result}`);
}

/** A connection of connect() lives on a port; a bind() to the port, with another address, comes and goes. */
function portThatBindLeft(): string {
  const port = onePort();
  const [first, second] = [listener(), listener()];
  const living = tcp();
  mustBeOk(call(connect, living, '127.0.0.1', first.port), 'the first connect()');
  const passing = tcp();
  mustBeOk(call(bind, passing, SOURCE, port), 'bind() with another address');
  close(passing);
  return call(connect, tcp(), '127.0.0.1', second.port);
}

/** Closed late in one second of the kernel's clock, tried again early in the next. */
async function reuseAtTick(): Promise<string> {
  set('net.ipv4.tcp_tw_reuse', '1');
  for (let tries = 0; tries < 10; tries++) {
    const { fd, port } = listener();
    onePort();
    await until(
      (monotonicMicros() % SECOND) / SECOND < 0.8 ? floorSecond() + 0.8 * SECOND : floorSecond() + 1.8 * SECOND,
    );
    const begun = monotonicMicros();
    const client = tcp();
    mustBeOk(call(connect, client, '127.0.0.1', port), 'the first connect()');
    const peer = accept4(fd, 0, 0, SOCK_CLOEXEC);
    close(client);
    close(peer);
    const closed = monotonicMicros();
    await until(floorSecond() + 1.1 * SECOND);
    const answer = call(connect, tcp(), '127.0.0.1', port);
    // A busy machine: the close was in the next second already, or a second has passed since it.
    if (Math.floor(begun / SECOND) === Math.floor(closed / SECOND) && monotonicMicros() - begun < 0.9 * SECOND)
      return answer;
  }
  return 'this machine is too busy';
}

function floorSecond(): number {
  return Math.floor(monotonicMicros() / SECOND) * SECOND;
}

async function until(instant: number): Promise<void> {
  for (let left = instant - monotonicMicros(); left > 0; left = instant - monotonicMicros())
    await new Promise((resolve) => setTimeout(resolve, left / 1000));
}

/** Our side is closed and the peer's is not: FIN_WAIT2, which the kernel keeps as a kind of TIME_WAIT. */
async function reuseOfFinWait2(): Promise<string> {
  set('net.ipv4.tcp_tw_reuse', '1');
  const { port } = listener();
  onePort();
  const client = tcp();
  mustBeOk(call(connect, client, '127.0.0.1', port), 'the first connect()');
  close(client);
  await until(monotonicMicros() + 2.1 * SECOND);
  // Where the port is given, the handshake with a peer that still has the old connection takes its time.
  const answer = call(connect, tcp(SOCK_NONBLOCK), '127.0.0.1', port);
  return answer === errnoName(EINPROGRESS) ? 'ok' : answer;
}

/** Whether each search meets each port of a range of an odd number of them. */
function oddOwnRange(): string {
  set('net.ipv4.ip_local_port_range', '30000 31000');
  const linger = nativeBuffer(8);
  linger.view.setInt32(0, 1, true);
  for (let low = 30_000; low < 31_000; low += 10) {
    const { port } = listener();
    const range = nativeBuffer(4);
    range.view.setUint32(0, ((low + 4) << 16) | low, true);
    const one = nativeBuffer(4);
    one.view.setInt32(0, 1, true);
    const sockets = Array.from({ length: 5 }, () => tcp());
    for (const fd of sockets) {
      setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, one.address, 4);
      if (setsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, range.address, 4) < 0) return errnoName(errno());
      mustBeOk(call(bind, fd, SOURCE, 0), 'bind()');
      const answer = call(connect, fd, '127.0.0.1', port);
      if (answer !== 'ok') return answer;
    }
    for (const fd of sockets) {
      setsockopt(fd, SOL_SOCKET, SO_LINGER, linger.address, 8);
      close(fd);
    }
  }
  return 'ok';
}
