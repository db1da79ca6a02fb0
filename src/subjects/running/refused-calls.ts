/**
 * The calls that the kernel refused to any program: bind(), connect(), sendto(), sendmsg() and listen() of IPv4 and IPv6, counted by tracepoints
 * in one network namespace or in all. What a call was about is read only when it was refused, so that the others cost little. Pure.
 *
 * Not counted is what is no refusal: a connect() under way (EINPROGRESS, EALREADY), one that a signal interrupted, and a send that would block.
 * EAGAIN of a socket that has no local port yet is one: UDP found none (udp_v4_get_port() by inet_autobind(), net/ipv4/af_inet.c).
 */
import ipaddr from 'ipaddr.js';
import { errnoName } from '../../kernel/errno.js';
import { BPF_COUNTED, BPF_READY, mapsOf } from './bpf-text.js';

const REFUSABLE = ['bind', 'connect', 'sendto', 'sendmsg', 'listen'] as const;
type Refusable = (typeof REFUSABLE)[number];

/** Calls that were refused alike. */
export interface RefusedCall {
  readonly call: Refusable;
  /** `EADDRINUSE` */
  readonly errno: string;
  /** null: the descriptor is no socket of these. */
  readonly protocol: 'tcp' | 'udp' | null;
  /** What bind() and listen() asked for, and where the others were going. */
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  /** The name of the thread's program. */
  readonly command: string;
  /** ID of the control group (version 2). */
  readonly cgroup: string;
  /** `net:[4026531840]` */
  readonly namespace: string;
  readonly count: number;
}

/** How it is asked: listen() on no descriptor, with a backlog that nobody uses. Listening is rare, so the question costs others nothing. */
export const ASK_BACKLOG = 0x6273;

/** The member of the arguments in which a call has its address, and how many arguments there are (include/linux/syscalls.h). */
const ADDRESS_OF: Readonly<Record<Exclude<Refusable, 'listen'>, string>> = {
  bind: 'umyaddr',
  connect: 'uservaddr',
  sendto: 'addr',
  sendmsg: 'msg',
};

/**
 * The program for bpftrace.
 * @param inode of the network namespace whose calls are counted; null: of all
 */
export function refusedProgram(inode: number | null): string {
  const where = inode === null ? '' : ` && ((struct task_struct *)curtask)->nsproxy->net_ns->ns.inum == ${inode}`;
  return [
    `BEGIN { printf("${BPF_READY}\\n"); }`,
    ...(Object.keys(ADDRESS_OF) as (keyof typeof ADDRESS_OF)[]).map((call) => withAddress(call, where)),
    onListen(where),
    `tracepoint:syscalls:sys_enter_listen /args->fd == -1 && args->backlog == ${ASK_BACKLOG}/ {
  print(@refused); print(@total); printf("${BPF_COUNTED}\\n");
}`,
  ].join('\n');
}

/** The socket behind a descriptor, and what is known of it: protocol (0: it is none) and local port. Whatever cannot be read is 0. */
const SOCKET = `
    $file = (struct file *)*(uint64 *)((uint64)((struct task_struct *)curtask)->files->fdt->fd + 8 * (uint64)$fd);
    $sk = ((struct socket *)$file->private_data)->sk;
    $protocol = (uint64)$sk->sk_protocol;
    $local = (uint64)$sk->__sk_common.skc_num;`;

const KEY = (call: Refusable, address: string) =>
  `@refused[${REFUSABLE.indexOf(call)}, (uint64)(0 - $ret), $protocol, ${address}, pid, (uint64)cgroup, (uint64)((struct task_struct *)curtask)->nsproxy->net_ns->ns.inum, comm] = count();
      @total["n"] = count();`;

function withAddress(call: Exclude<Refusable, 'listen'>, where: string): string {
  const argument = `args->${ADDRESS_OF[call]}`;
  // struct user_msghdr begins with the pointer to the address (include/linux/socket.h).
  const pointer = call === 'sendmsg' ? '*(uint64 *)uptr($at)' : '$at';
  return `
tracepoint:syscalls:sys_enter_${call} /(uint64)${argument} != 0${where}/ {
  @${call}[tid] = ((uint64)${argument}, (uint64)args->fd);
}
tracepoint:syscalls:sys_exit_${call} /@${call}[tid].0 != 0/ {
  $ret = (int64)args->ret;
  if ($ret < 0 && $ret != -115 && $ret != -114 && $ret != -4 && $ret > -512) {
    $at = @${call}[tid].0;
    $fd = @${call}[tid].1;
    $from = (uint64)${pointer};
    $family = *(uint16 *)uptr($from);
    if ($from != 0 && ($family == 2 || $family == 10)) {${SOCKET}
      $port = *(uint16 *)uptr($from + 2);
      $high = (uint64)0;
      $low = (uint64)*(uint32 *)uptr($from + 4);
      if ($family == 10) { $high = *(uint64 *)uptr($from + 8); $low = *(uint64 *)uptr($from + 16); }
      if ($ret != -11 || $local == 0) {
      ${KEY(call, '(uint64)$family, $high, $low, (uint64)$port')}
      }
    }
  }
  delete(@${call}[tid]);
}`;
}

/** listen() has no address: it is the socket's. */
function onListen(where: string): string {
  return `
tracepoint:syscalls:sys_enter_listen /args->fd >= 0${where}/ { @listen[tid] = (uint64)args->fd + 1; }
tracepoint:syscalls:sys_exit_listen /@listen[tid] != 0/ {
  $ret = (int64)args->ret;
  if ($ret < 0 && $ret > -512) {
    $fd = @listen[tid] - 1;${SOCKET}
    $family = (uint64)$sk->__sk_common.skc_family;
    if ($family == 2 || $family == 10) {
      ${KEY('listen', '$family, (uint64)0, (uint64)$sk->__sk_common.skc_rcv_saddr, (uint64)(($local & 0xff) << 8 | $local >> 8)')}
    }
  }
  delete(@listen[tid]);
}`;
}

export interface RefusedCalls {
  readonly calls: readonly RefusedCall[];
  /** Refused calls that found no room in the kernel's table: they are in none of the rows. */
  readonly lost: number;
}

export interface RefusedCount {
  /** A line of bpftrace. */
  add(line: string): void;
  result(): RefusedCalls;
}

/** Counts what the program prints; each print has the whole. */
export function countRefused(): RefusedCount {
  let rows: RefusedCall[] = [];
  let total = 0;
  return {
    add(line) {
      const maps = mapsOf(line);
      if (maps['@refused']) rows = Object.entries(maps['@refused']).map(([key, count]) => rowOf(key, count));
      total = maps['@total']?.n ?? total;
    },
    result() {
      const counted = rows.reduce((sum, { count }) => sum + count, 0);
      return {
        calls: [...rows].sort((a, b) => b.count - a.count || a.pid - b.pid),
        lost: Math.max(0, total - counted),
      };
    },
  };
}

const IPPROTO_TCP = '6';
const IPPROTO_UDP = '17';

function rowOf(key: string, count: number): RefusedCall {
  // The name of a program may itself have commas, so it is last.
  const [call, errno, protocol, family, high, low, port, pid, cgroup, namespace, ...command] = key.split(',');
  return {
    call: REFUSABLE[Number(call)]!,
    errno: errnoName(Number(errno)),
    protocol: protocol === IPPROTO_TCP ? 'tcp' : protocol === IPPROTO_UDP ? 'udp' : null,
    address: addressOf(Number(family), BigInt(high!), BigInt(low!)),
    port: swapped(Number(port)),
    pid: Number(pid),
    command: command.join(','),
    cgroup: cgroup!,
    namespace: `net:[${namespace}]`,
    count,
  };
}

/** The port in the byte order of this machine, which is little-endian. */
function swapped(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

/** An address from the words of the kernel's memory. */
function addressOf(family: number, high: bigint, low: bigint): string {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt.asUintN(64, high), true);
  view.setBigUint64(8, BigInt.asUintN(64, low), true);
  const bytes = [...new Uint8Array(view.buffer)];
  const address = ipaddr.fromByteArray(family === 2 ? bytes.slice(8, 12) : bytes);
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address().toString()
    : address.toString();
}
