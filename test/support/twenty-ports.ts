/**
 * In a namespace of its own: takes all of 20 ports, in every way in which a port can be taken, and prints as JSON what the usual tools say of them,
 * by name. Its argument is the path of the command line.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  AF_INET,
  accept4,
  bind,
  close,
  connect,
  errno,
  getsockname,
  listen,
  nativeBuffer,
  SO_LINGER,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
} from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';

const CLIENT = '127.0.1.1';
const SERVER = '127.0.0.1';
const one = nativeBuffer(4);
one.view.setInt32(0, 1, true);

const control = openRouteControl();
control.linkUp('lo');
control.close();
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 40019');

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed with errno ${errno()}`);
  return result;
}

function server(port: number, backlog: number): number {
  const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one.address, 4);
  const table = sockaddrTable([{ address: SERVER, port }]);
  checked(bind(fd, sockaddrAt(table, 0), table.length), 'bind of the server');
  checked(listen(fd, backlog), 'listen');
  return fd;
}

function bound(port = 0, flags = 0): number {
  const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), 'socket');
  const local = sockaddrTable([{ address: CLIENT, port }]);
  checked(bind(fd, sockaddrAt(local, 0), local.length), 'bind');
  return fd;
}

const listening = server(9000, 64);
const full = server(9001, 0);
const to = (port: number) => sockaddrTable([{ address: SERVER, port }]);

function open(): { client: number; peer: number } {
  const client = bound();
  const remote = to(9000);
  checked(connect(client, sockaddrAt(remote, 0), remote.length), 'connect');
  return { client, peer: checked(accept4(listening, 0, 0, SOCK_CLOEXEC), 'accept') };
}

/** A connection to a server whose accept queue is full: its SYN is dropped. */
function knock(port: number): number {
  const remote = to(9001);
  const fd = bound(port, SOCK_NONBLOCK);
  connect(fd, sockaddrAt(remote, 0), remote.length);
  return fd;
}

/** Fill the queue, from a port that the kernel does not hand out, by a connection that is then reset: it stays in the queue, and in no table. */
const filler = knock(50_000);
const linger = nativeBuffer(8);
linger.view.setInt32(0, 1, true);
setsockopt(filler, SOL_SOCKET, SO_LINGER, linger.address, 8);
close(filler);
const times = (count: number, work: () => void) => Array.from({ length: count }, work);
times(5, open);
times(4, () => {
  const { client, peer } = open();
  close(client);
  close(peer);
});
times(3, () => close(open().client));
times(2, () => close(open().peer));
times(2, () => knock(0));
const onlyBound = times(4, () => bound()) as unknown as number[];

const next = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
const local = sockaddrTable([{ address: CLIENT, port: 0 }]);
const refused = bind(next, sockaddrAt(local, 0), local.length) < 0 ? errno() : 0;

const name = nativeBuffer(16);
const length = nativeBuffer(4);
length.view.setInt32(0, 16, true);
getsockname(onlyBound[0]!, name.address, length.address);

function said(command: string, ...args: string[]): string {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return stdout ?? '';
}

/** Lines whose local end is a port of the range; ss and netstat have it in the fourth column, lsof before the arrow. */
const ofRange = (text: string) =>
  text.split('\n').filter((line) => /^127\.0\.1\.1:400[01]\d$/.test(line.split(/\s+/)[3] ?? '')).length;
const ofLsof = (text: string) =>
  text.split('\n').filter((line) => / 127\.0\.1\.1:400[01]\d(?:->|\s|$)/.test(line)).length;
const tcp = readFileSync('/proc/net/tcp', 'utf8');
const snmp = said('nstat', '-asz');
const counter = (counterName: string) => Number(new RegExp(`^${counterName} +(\\d+)`, 'm').exec(snmp)?.[1]);
const sockstat = readFileSync('/proc/net/sockstat', 'utf8');
const summary = said('ss', '-s');
const watch = JSON.parse(said(process.execPath, process.argv[2]!, 'watch', '--once', '--json', '--no-owners')) as {
  addresses: { address: string; ports: number }[];
};
const lsof = said('lsof', '-nP', '-iTCP');
process.stdout.write(
  JSON.stringify({
    refused,
    watch: watch.addresses.find(({ address }) => address === CLIENT)?.ports,
    ss: ofRange(said('ss', '-Htan')),
    netstat: ofRange(said('netstat', '-tan')),
    proc: tcp.split('\n').filter((line) => /^ *\d+: 0101007F:9C[45]/.test(line)).length,
    lsof: ofLsof(lsof),
    fuser: said('fuser', '-n', 'tcp', String(name.view.getUint16(2, false))).trim(),
    ssTimeWait: Number(/timewait (\d+)/.exec(summary)?.[1]),
    ssEstab: Number(/estab (\d+)/.exec(summary)?.[1]),
    timeWaitRows: said('ss', '-Htan', 'state', 'time-wait').trim().split('\n').filter(Boolean).length,
    establishedRows: said('ss', '-Htan', 'state', 'established').trim().split('\n').filter(Boolean).length,
    netstatEstablished: (said('netstat', '-tan').match(/ESTABLISHED/g) ?? []).length,
    sockstatTimeWait: Number(/^TCP: .* tw (\d+)/m.exec(sockstat)?.[1]),
    tw: counter('TcpExtTW'),
  }),
  () => process.exit(),
);
void full;
