/**
 * Kinds of sockets beside plain TCP and UDP, in the network namespace that it is started in: 20 ports, one local address, servers on four ports.
 * Prints what each case held and what then failed, as JSON.
 */
import { addressBytes } from '../../src/domain/addresses.js';
import { errnoName } from '../../src/kernel/errno.js';
import * as libc from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { type SockaddrTable, sockaddrAt, sockaddrTable } from '../../src/kernel/sockaddr.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { listenAll } from '../../src/load/origin/listen.js';

/** How many sockets a case had, and the call and errno of the first that it did not get; null: it got all that it tried. */
export interface Held {
  readonly held: number;
  readonly refused: string | null;
}

export interface OtherSockets {
  /** Why MPTCP could not be tried; null: it was. */
  readonly noMptcp: string | null;
  /** Case → what each of its steps held, in order. */
  readonly cases: Readonly<Record<string, readonly Held[]>>;
  /** After connect(AF_UNSPEC): by how the socket was bound, whether its name still had the port, and whether another could bind that. */
  readonly released: Readonly<Record<string, { readonly named: boolean; readonly free: boolean }>>;
}

const [CLIENT, SERVER, CLIENT6, SERVER6] = ['10.50.0.1', '10.50.0.9', 'fd00:50::1', 'fd00:50::9'];
const PORTS = [9000, 9001, 9002, 9003];
const TRIES = 100;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPPROTO_MPTCP = 262;
const SO_BINDTODEVICE = 25;
const MSG_FASTOPEN = 0x2000_0000;
const DEVICE = 'bs-other0';

const control = openRouteControl();
control.linkUp('lo');
for (const address of [CLIENT, SERVER]) control.addAddress('lo', address, 32);
for (const address of [CLIENT6, SERVER6]) control.addAddress('lo', address, 128);
control.addVeth(DEVICE, '02:00:00:00:00:01', 'bs-other1', '02:00:00:00:00:02', process.pid);
control.linkUp(DEVICE);
control.close();
writeSysctl('net.ipv4.ip_local_port_range', '40000 40019');
for (const address of [SERVER, SERVER6]) listenAll(PORTS.map((port) => ({ address, port })));

const tables = {
  own: sockaddrTable([{ address: CLIENT, port: 0 }]),
  own6: sockaddrTable([{ address: CLIENT6, port: 0 }]),
  any6: sockaddrTable([{ address: '::', port: 0 }]),
  servers: sockaddrTable(PORTS.map((port) => ({ address: SERVER, port }))),
  servers6: sockaddrTable(PORTS.map((port) => ({ address: SERVER6, port }))),
  mapped: mappedTable(),
} as const;
const value = libc.nativeBuffer(16);
const open: number[] = [];

/** The servers as IPv4-mapped addresses of IPv6: ::ffff:10.50.0.9. */
function mappedTable(): SockaddrTable {
  const table = sockaddrTable(PORTS.map((port) => ({ address: '::', port })));
  for (const i of PORTS.keys()) {
    const at = i * 32 + 8;
    table.memory.bytes.set([0xff, 0xff], at + 10);
    table.memory.bytes.set(addressBytes(SERVER), at + 12);
  }
  return table;
}

interface How {
  readonly family?: number;
  readonly protocol?: number;
  /** Level, name, and a number or a name. */
  readonly options?: readonly (readonly [level: number, name: number, value: number | string])[];
  readonly bind?: SockaddrTable;
  readonly connect?: SockaddrTable;
  /** Of the servers, how many it goes to in turn. */
  readonly destinations?: number;
  readonly fastOpen?: boolean;
}

/** One socket more. @returns what failed; null: nothing */
function one(i: number, how: How): string | null {
  const failed = (call: string) => `${call}:${errnoName(libc.errno())}`;
  const fd = libc.socket(how.family ?? libc.AF_INET, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, how.protocol ?? 0);
  if (fd < 0) return failed('socket');
  open.push(fd);
  for (const [level, name, wanted] of how.options ?? [])
    if (setOption(fd, level, name, wanted) < 0) return failed('setsockopt');
  if (how.bind && libc.bind(fd, sockaddrAt(how.bind, 0), how.bind.length) < 0) return failed('bind');
  if (!how.connect) return null;
  const to = sockaddrAt(how.connect, i % (how.destinations ?? 1));
  if (!how.fastOpen) return libc.connect(fd, to, how.connect.length) < 0 ? failed('connect') : null;
  return libc.sendto(fd, value.address, 1, MSG_FASTOPEN, to, how.connect.length) < 0 ? failed('sendto') : null;
}

function setOption(fd: number, level: number, name: number, wanted: number | string): number {
  value.bytes.fill(0);
  if (typeof wanted === 'number') value.view.setInt32(0, wanted, true);
  else value.bytes.set(new TextEncoder().encode(wanted));
  return libc.setsockopt(fd, level, name, value.address, typeof wanted === 'number' ? 4 : wanted.length + 1);
}

/** As many as there are, up to so many. */
function hold(how: How, tries = TRIES): Held {
  for (let held = 0; held < tries; held++) {
    const refused = one(held, how);
    if (refused !== null) return { held, refused };
  }
  return { held: tries, refused: null };
}

/** Close all by a RST, which leaves no TIME_WAIT. */
function closeAll(): void {
  const linger = libc.nativeBuffer(8);
  linger.view.setInt32(0, 1, true);
  for (const fd of open.splice(0)) {
    libc.setsockopt(fd, libc.SOL_SOCKET, libc.SO_LINGER, linger.address, 8);
    libc.close(fd);
  }
}

function steps(...all: readonly How[]): Held[] {
  const held = all.map((how) => hold(how));
  closeAll();
  return held;
}

/** connect(), connect(AF_UNSPEC), and then whether another socket may have the port that it still has by name. */
function released(how: How): { named: boolean; free: boolean } {
  one(0, { ...how, connect: tables.servers });
  const fd = open.at(-1)!;
  const before = nameOf(fd);
  libc.connect(fd, libc.nativeBuffer(16).address, 16);
  const named = nameOf(fd).port === before.port;
  const free = one(0, { bind: sockaddrTable([{ address: CLIENT, port: before.port }]) }) === null;
  closeAll();
  return { named, free };
}

function nameOf(fd: number): { port: number } {
  const [name, length] = [libc.nativeBuffer(32), libc.nativeBuffer(4)];
  length.view.setUint32(0, 32, true);
  libc.getsockname(fd, name.address, length.address);
  return { port: name.view.getUint16(2, false) };
}

const NO_PORT = [libc.SOL_IP, libc.IP_BIND_ADDRESS_NO_PORT, 1] as const;
const toAll = { connect: tables.servers, destinations: PORTS.length };
const toOne = { connect: tables.servers };
const on = (device: string): How => ({ bind: tables.own, options: [[libc.SOL_SOCKET, SO_BINDTODEVICE, device]] });
const six = { family: libc.AF_INET6 };
const only6 = (bind: SockaddrTable): How => ({ ...six, bind, options: [[IPPROTO_IPV6, IPV6_V6ONLY, 1]] });
const dual = (bind: SockaddrTable): How => ({ ...six, bind, options: [[IPPROTO_IPV6, IPV6_V6ONLY, 0]] });
const bound: How = { bind: tables.own };

const mptcp = libc.socket(libc.AF_INET, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, IPPROTO_MPTCP);
const noMptcp = mptcp < 0 ? errnoName(libc.errno()) : null;
if (mptcp >= 0) libc.close(mptcp);
const multipath = { protocol: IPPROTO_MPTCP };

const cases = {
  ...(noMptcp === null
    ? {
        'MPTCP, connect()': steps({ ...multipath, ...toAll }),
        'MPTCP, bind()': steps({ ...multipath, bind: tables.own, ...toAll }),
        'MPTCP, IP_BIND_ADDRESS_NO_PORT': steps({ ...multipath, bind: tables.own, options: [NO_PORT], ...toAll }),
      }
    : {}),
  TCP_FASTOPEN_CONNECT: steps({ options: [[libc.SOL_TCP, libc.TCP_FASTOPEN_CONNECT, 1]], ...toOne }),
  'sendto(MSG_FASTOPEN)': steps({ fastOpen: true, ...toOne }),
  'SO_BINDTODEVICE: two devices, then none': steps(on('lo'), on(DEVICE), bound),
  'SO_BINDTODEVICE: none, then a device': steps(bound, on('lo')),
  'SO_BINDTODEVICE, connect(): a device, then none': steps(
    { ...on('lo'), options: [NO_PORT, ...on('lo').options!], ...toOne },
    toOne,
  ),
  'SO_REUSEPORT, bind(), four destinations': steps({
    bind: tables.own,
    options: [[libc.SOL_SOCKET, libc.SO_REUSEPORT, 1]],
    ...toAll,
  }),
  'IPv4-mapped connect(), then IPv4, then IPv6': steps({ ...six, connect: tables.mapped }, toOne, {
    ...six,
    connect: tables.servers6,
  }),
  'bind(::), then bind() of IPv4': steps(dual(tables.any6), bound),
  'bind(::), then connect() of IPv4': steps(dual(tables.any6), toOne),
  'bind(::) of IPv6 only, then bind() of IPv4': steps(only6(tables.any6), bound),
  'bind(::) of IPv6 only, then connect() of IPv4': steps(only6(tables.any6), toOne),
  'bind() of an IPv6 address, then bind() of IPv4': steps({ ...six, bind: tables.own6 }, bound),
  'bind() of an IPv6 address, then connect() of IPv4': steps({ ...six, bind: tables.own6 }, toOne),
  'connect() of IPv6, then of IPv4': steps({ ...six, connect: tables.servers6 }, toOne),
};
const answer: OtherSockets = {
  noMptcp,
  cases,
  released: {
    'not bound': released({}),
    IP_BIND_ADDRESS_NO_PORT: released({ bind: tables.own, options: [NO_PORT] }),
    bound: released(bound),
  },
};
console.log(JSON.stringify(answer));
process.exit(0);
