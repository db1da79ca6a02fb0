/**
 * Sockets that answer for every address of the lab's internet: a TCP listener that gets what TPROXY diverts (kernel/nftables.ts), and a UDP
 * socket that answers from the address that it was asked at.
 */
import { SystemCallError } from '../../../kernel/errno.js';
import {
  AF_INET,
  AF_INET6,
  bind,
  errno,
  IP_PKTINFO,
  IP_TRANSPARENT,
  IPV6_RECVPKTINFO,
  IPV6_TRANSPARENT,
  nativeBuffer,
  recvmsg,
  SO_RCVTIMEO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  sendmsg,
  setsockopt,
  socket,
  close as sysClose,
} from '../../../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../../kernel/sockaddr.js';

/** A datagram of DNS without EDNS has at most 512 bytes; with it, what a client likes. */
const DATAGRAM = 4096;
/** One wait for a datagram, µs: so long may the end of the process take. */
const WAIT = 50_000;
/** struct msghdr of 64-bit systems: name, its length, vector and its length, control and its length, flags. */
const MSGHDR = 56;
const SOCKADDR = 28;
const CONTROL = 64;

/** Whether this kernel has IPv6, which a machine may be booted without. */
export function hasIpv6(): boolean {
  const fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sysClose(fd);
  return true;
}

/**
 * A bound TCP socket that may have any address, of both families where there are both; not yet listening.
 * @returns its descriptor @throws SystemCallError
 */
export function transparentSocket(port: number): number {
  return openEverywhere(SOCK_STREAM | SOCK_NONBLOCK, port);
}

/**
 * Answer datagrams to one port of every address.
 * @param answer undefined: there is none
 * @returns ends it @throws SystemCallError
 */
export function serveDatagrams(port: number, answer: (query: Uint8Array) => Uint8Array | undefined): () => void {
  const fd = openEverywhere(SOCK_DGRAM, port);
  const [level, option] = hasIpv6() ? [SOL_IPV6, IPV6_RECVPKTINFO] : [SOL_IP, IP_PKTINFO];
  setOption(fd, level, option, 1);
  setOption(fd, SOL_SOCKET, SO_RCVTIMEO, 0, WAIT);
  const [name, control, data, vector, message] = [SOCKADDR, CONTROL, DATAGRAM, 16, MSGHDR].map(nativeBuffer);
  vector!.view.setBigUint64(0, BigInt(data!.address), true);
  const pointers: [number, number][] = [
    [0, name!.address],
    [16, vector!.address],
    [24, 1],
    [32, control!.address],
  ];
  let open = true;
  void receive();
  return () => {
    open = false;
  };

  async function receive(): Promise<void> {
    while (open) {
      for (const [at, pointer] of pointers) message!.view.setBigUint64(at, BigInt(pointer), true);
      message!.view.setUint32(8, SOCKADDR, true);
      message!.view.setBigUint64(40, BigInt(CONTROL), true);
      vector!.view.setBigUint64(8, BigInt(DATAGRAM), true);
      const length = await recvmsg(fd, message!.address, 0);
      const answered = length > 0 ? answer(data!.bytes.slice(0, length)) : undefined;
      if (answered === undefined || answered.length > DATAGRAM) continue;
      data!.bytes.set(answered);
      vector!.view.setBigUint64(8, BigInt(answered.length), true);
      // The peer is where it was, and so is the control message: the address that was asked becomes the address that answers.
      sendmsg(fd, message!.address, 0);
    }
    sysClose(fd);
  }
}

function openEverywhere(type: number, port: number): number {
  const both = hasIpv6();
  const fd = socket(both ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError('socket', errno(), '');
  if (both) setOption(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
  else setOption(fd, SOL_IP, IP_TRANSPARENT, 1);
  const address = both ? '::' : '0.0.0.0';
  const table = sockaddrTable([{ address, port }]);
  if (bind(fd, sockaddrAt(table, 0), table.length) < 0) throw new SystemCallError('bind', errno(), `port ${port}`);
  return fd;
}

/** An int, or with `more` a struct timeval. */
function setOption(fd: number, level: number, name: number, value: number, more?: number): void {
  const buffer = nativeBuffer(16);
  buffer.view.setInt32(0, value, true);
  if (more !== undefined) buffer.view.setInt32(8, more, true);
  if (setsockopt(fd, level, name, buffer.address, more === undefined ? 4 : 16) < 0)
    throw new SystemCallError('setsockopt', errno(), `level ${level} option ${name}`);
}
