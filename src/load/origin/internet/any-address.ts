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
const SOCKADDR = 28;
const CONTROL = 64;
/**
 * Where things are in the memory of a socket. A struct msghdr (64-bit systems) has name and its length, vector and its length, control and its
 * length, flags: 56 bytes.
 */
const AT = { message: 0, vector: 56, name: 72, control: 104, data: 168 } as const;

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
  // One piece of memory that this function keeps: the kernel writes to addresses in it, of which the collector knows nothing.
  const { address, bytes, view } = nativeBuffer(AT.data + DATAGRAM);
  let open = true;
  void receive();
  return () => {
    open = false;
  };

  function setMessage(length: number): void {
    const word = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
    word(AT.vector, address + AT.data);
    word(AT.vector + 8, length);
    word(AT.message, address + AT.name);
    word(AT.message + 16, address + AT.vector);
    word(AT.message + 24, 1);
    word(AT.message + 32, address + AT.control);
  }

  async function receive(): Promise<void> {
    while (open) {
      setMessage(DATAGRAM);
      view.setUint32(AT.message + 8, SOCKADDR, true);
      view.setBigUint64(AT.message + 40, BigInt(CONTROL), true);
      const length = await recvmsg(fd, address + AT.message, 0);
      const answered = length > 0 ? answer(bytes.slice(AT.data, AT.data + length)) : undefined;
      if (answered === undefined || answered.length > DATAGRAM) continue;
      bytes.set(answered, AT.data);
      setMessage(answered.length);
      // The peer is where it was, and so is the control message: the address that was asked becomes the address that answers.
      sendmsg(fd, address + AT.message, 0);
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
