/**
 * Which TCP sockets have certain local ports now, and where they lead: for the port that a service wanted and did not get.
 */
import ipaddr from 'ipaddr.js';
import { SystemCallError } from './errno.js';
import { AF_INET } from './libc.js';
import { NETLINK_SOCK_DIAG, openNetlink } from './netlink.js';
import { anyFamilyRequest, TCP_STATES, TCPDIAG_GETSOCK } from './sock-diag.js';

export interface PortHolder {
  readonly port: number;
  readonly local: string;
  /** As `TIME_WAIT`. */
  readonly state: string;
  /** The other end; port 0: there is none. */
  readonly remote: { readonly address: string; readonly port: number };
  /** 0: no process has it open. */
  readonly inode: number;
}

/** Sockets of a port that are told; a service has thousands. */
const MOST = 20;
const ALL_STATES = 0xffffffff;

/** The holders of these ports in the network namespace of the calling thread, some of each. @throws SystemCallError */
export function holdersOf(ports: ReadonlySet<number>): PortHolder[] {
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  const found = new Map<number, PortHolder[]>([...ports].map((port) => [port, []]));
  try {
    // struct inet_diag_msg: see socket-census.ts.
    const errno = netlink.dump(TCPDIAG_GETSOCK, anyFamilyRequest(ALL_STATES), (view, from) => {
      const port = view.getUint16(from + 4, false);
      const list = found.get(port);
      if (list === undefined || list.length === MOST) return;
      const textOf = (at: number) => addressOf(view, at, view.getUint8(from) === AF_INET ? 4 : 16);
      list.push({
        port,
        local: textOf(from + 8),
        state: TCP_STATES[view.getUint8(from + 1)] ?? 'UNKNOWN',
        remote: { address: textOf(from + 24), port: view.getUint16(from + 6, false) },
        inode: view.getUint32(from + 68, true),
      });
    });
    if (errno !== 0) throw new SystemCallError('sock_diag', errno);
  } finally {
    netlink.close();
  }
  return [...found.values()].flat();
}

function addressOf(view: DataView, at: number, length: number): string {
  return ipaddr
    .process(ipaddr.fromByteArray(Array.from({ length }, (_, i) => view.getUint8(at + i))).toString())
    .toString();
}
