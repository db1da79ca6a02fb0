/**
 * What ran out: a call and its errno come to a cause, and each cause has a resource, a place to look, and what helps. The
 * evidence is that of the capacity model (`../capacity/`). Pure.
 */
import type { Errno } from './errno.js';

export type Call = 'bind' | 'connect' | 'socket' | 'accept' | 'listen' | 'none';

export type CauseName =
  | 'ports-of-the-address'
  | 'four-tuples'
  | 'four-tuples-or-ipv6'
  | 'address-not-here'
  | 'named-port'
  | 'listening-port'
  | 'own-port-list'
  | 'descriptors'
  | 'conntrack'
  | 'no-answer'
  | 'nobody-listens'
  | 'no-route'
  | 'memory'
  | 'time-wait-table'
  | 'marked-down'
  | 'client-gave-up'
  | 'either';

export interface Cause {
  /** What ran out, or what is wrong. One sentence. */
  readonly resource: string;
  /** Where to see it. */
  readonly check: string;
  readonly helps: string;
  /** What is often tried in vain; null where nothing is. */
  readonly inVain: string | null;
  /** Whether it is a shortage that a profile can reproduce. */
  readonly shortage: boolean;
}

export const CAUSES: Record<CauseName, Cause> = {
  'ports-of-the-address': {
    resource:
      'Local ports of that address: bind() with port 0 must choose a port before the destination is known, and every port of ip_local_port_range is taken on this address, by open connections or by TIME_WAIT. Up to Linux 3.2 all addresses of a host share one pool.',
    check:
      "ss -Htan 'src ADDRESS' | awk '{print $1}' | sort | uniq -c, against the size of ip_local_port_range. No kernel counter moves when bind() fails.",
    helps:
      'IP_BIND_ADDRESS_NO_PORT in the program (a newer version of it often has it), more local addresses (from Linux 3.3), a wider ip_local_port_range, connections that are kept and reused, the peer closing first.',
    inVain:
      'tcp_tw_reuse (bind() does not look at it), tcp_fin_timeout (TIME_WAIT is 60 s whatever it says), ip_autobind_reuse unless the program sets SO_REUSEADDR, somaxconn, rmem and wmem.',
    shortage: true,
  },
  'four-tuples': {
    resource:
      'Free 4-tuples to that destination: connect() found no port with which (source address, port, destination, port) is not in use or in TIME_WAIT, or all ports are barred because some program on this host, on any address, holds them by a plain bind().',
    check:
      "ss -Htan 'dst ADDRESS' | awk '{print $1, $4, $5}': are all ports of ip_local_port_range there towards this destination? If far fewer, look for a program that binds without IP_BIND_ADDRESS_NO_PORT: its ports bar everybody else's.",
    helps:
      'tcp_tw_reuse=1 where it is TIME_WAIT (needs TCP timestamps), more destinations (addresses or ports) or more source addresses that the program binds, a wider ip_local_port_range, connections that are kept and reused.',
    inVain: 'tcp_fin_timeout, somaxconn, rmem and wmem; tcp_tw_reuse=2, the default, acts on 127.0.0.0/8 and ::1 only.',
    shortage: true,
  },
  'four-tuples-or-ipv6': {
    resource:
      'The destination is an IPv6 address. Most often this host has no IPv6 source address for it (IPv6 is off, or localhost resolves to ::1 where nothing has it); if IPv6 works here otherwise, the free 4-tuples to that destination have run out.',
    check: 'ip -6 addr and ip -6 route get ADDRESS; then ss -Htan6 as for IPv4.',
    helps:
      'Use the IPv4 address, or give the host an IPv6 address. For a shortage: as for IPv4, tcp_tw_reuse=1 and more tuples.',
    inVain: null,
    shortage: false,
  },
  'address-not-here': {
    resource:
      'Nothing ran out: the local address that the program binds to is not an address of this host (or of this namespace).',
    check: 'ip addr | grep ADDRESS, in the network namespace of the program.',
    helps: 'Add the address to an interface, or correct the configuration. ip_nonlocal_bind=1 only hides it.',
    inVain: 'More ports, tcp_tw_reuse: no port was ever looked for.',
    shortage: false,
  },
  'named-port': {
    resource:
      'One local port that the program names itself: it is still bound, by an earlier connection that is open or in TIME_WAIT. The port range does not matter.',
    check: "ss -Htan 'sport = PORT'.",
    helps:
      'Let the kernel choose the port (port 0), or set SO_REUSEADDR on every socket before bind() and have several destinations.',
    inVain: 'ip_local_port_range: it is not asked.',
    shortage: true,
  },
  'listening-port': {
    resource:
      'Nothing ran out: the port on which the program wants to listen belongs to another socket, often to an older process of itself.',
    check: 'ss -ltnp | grep PORT.',
    helps: 'Stop the other process, or listen elsewhere.',
    inVain: 'Everything about ephemeral ports.',
    shortage: false,
  },
  'own-port-list': {
    resource: "The program's own list of source ports: it is used up before any system call is made.",
    check: 'Compare the connections to that server with the length of the range in the configuration.',
    helps: 'A longer list, or no list: let the kernel choose (IP_BIND_ADDRESS_NO_PORT).',
    inVain:
      'ip_local_port_range and TIME_WAIT settings: a bound port with SO_REUSEADDR takes over a TIME_WAIT by TCP timestamps.',
    shortage: true,
  },
  descriptors: {
    resource: 'File descriptors, of the process (EMFILE) or of the machine (ENFILE): not ports.',
    check: 'grep "open files" /proc/PID/limits; ls /proc/PID/fd | wc -l; cat /proc/sys/fs/file-nr.',
    helps: "A higher limit (LimitNOFILE=, ulimit -n, the program's own setting), or fewer connections at once.",
    inVain: 'Everything about ports.',
    shortage: false,
  },
  conntrack: {
    resource:
      'Entries of the connection tracking table: the kernel drops the packets of new connections, which then time out.',
    check:
      'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; conntrack -S (drop, insert_failed).',
    helps:
      'A greater nf_conntrack_max, shorter conntrack timeouts (its TIME_WAIT is 120 s of its own), or NOTRACK for this traffic.',
    inVain: 'ip_local_port_range and tcp_tw_reuse.',
    shortage: false,
  },
  'no-answer': {
    resource:
      'No shortage on this host that the errno shows: the SYN was not answered. A full conntrack table, a NAT without free ports or a full accept queue at the peer look like this.',
    check: 'nstat -az TcpExtTCPTimeouts TcpExtListenDrops; conntrack -S; the same at the peer.',
    helps: 'Find who drops the SYN.',
    inVain: 'Ephemeral ports: connect() got one.',
    shortage: false,
  },
  'nobody-listens': {
    resource: 'Nothing ran out: the destination answered that nobody listens there.',
    check: 'ss -ltn at the destination.',
    helps: 'Start the service, or correct the address.',
    inVain: 'Everything about ports on this side.',
    shortage: false,
  },
  'no-route': {
    resource: 'Nothing ran out: there is no way to the destination (no route, or no answer to ARP).',
    check: 'ip route get ADDRESS; ip neigh.',
    helps: 'Correct the route.',
    inVain: 'Everything about ports.',
    shortage: false,
  },
  memory: {
    resource: 'Memory for sockets, not ports.',
    check: 'cat /proc/net/sockstat; sysctl net.ipv4.tcp_mem; dmesg | grep -i memory.',
    helps: 'More memory, a greater tcp_mem, fewer connections.',
    inVain: 'Everything about ports.',
    shortage: false,
  },
  'time-wait-table': {
    resource:
      'Room for TIME_WAIT (tcp_max_tw_buckets): sockets above it are closed without one. That frees their ports at once, so it hides a shortage of ports rather than causing one; old packets can then reach new connections.',
    check: 'nstat -az TcpExtTCPTimeWaitOverflow; ss -s.',
    helps: 'A greater tcp_max_tw_buckets, if the ports suffice.',
    inVain: null,
    shortage: false,
  },
  'marked-down': {
    resource:
      'Nothing now, perhaps: the proxy has marked its servers as down after earlier failures. A shortage of ports does that, and it stays visible for fail_timeout after the ports are free again.',
    check: 'The lines before this one: failed (99: Cannot assign requested address), or others.',
    helps: 'What helps against the first error; max_fails=0 where one server is all there is.',
    inVain: null,
    shortage: false,
  },
  'client-gave-up': {
    resource:
      'A resource limit of the exit relay, which may be its ports. From then on this Tor client avoids that exit for as long as it runs, also when the ports are free again.',
    check: 'The log of the exit, at level info: connect() to socket failed.',
    helps: 'Restart the client after the exit is mended.',
    inVain: 'SIGHUP and NEWNYM: the mark stays.',
    shortage: false,
  },
  either: {
    resource: 'The errno alone does not tell: which call failed, and whether it named a port, decides.',
    check: 'strace -f -e trace=socket,setsockopt,bind,connect,listen -p PID, and give its output to this command.',
    helps:
      'EADDRINUSE from bind() with port 0: ports of the address. EADDRNOTAVAIL from connect(): 4-tuples. EADDRINUSE before listen(): another listener. EADDRNOTAVAIL from bind(): not an address of this host.',
    inVain: null,
    shortage: false,
  },
};

/** What was seen of a failing call. */
export interface Failure {
  readonly call: Call;
  readonly errno: Errno | null;
  /** The local port that bind() asked for; null: not known. */
  readonly port: number | null;
  /** Where it was going, or what it bound; null: not known. */
  readonly address: string | null;
}

/** The cause of a failure; undefined where nothing can be said. */
export function causeOf({ call, errno, port, address }: Failure): CauseName | undefined {
  if (errno === null) return undefined;
  if (errno === 'EMFILE' || errno === 'ENFILE') return 'descriptors';
  if (errno === 'ENOBUFS' || errno === 'ENOMEM') return 'memory';
  if (call === 'listen')
    return errno === 'EADDRINUSE' ? 'listening-port' : errno === 'EADDRNOTAVAIL' ? 'address-not-here' : undefined;
  if (errno === 'EADDRINUSE') {
    // connect() never gives it itself; libuv keeps what bind() said until then.
    if (call === 'bind' || call === 'connect')
      return port !== null && port !== 0 && call === 'bind' ? 'named-port' : 'ports-of-the-address';
    return undefined;
  }
  if (errno === 'EADDRNOTAVAIL') {
    if (call === 'bind') return 'address-not-here';
    if (call !== 'connect') return undefined;
    return address?.includes(':') ? 'four-tuples-or-ipv6' : 'four-tuples';
  }
  if (call !== 'connect') return undefined;
  return { ETIMEDOUT: 'no-answer', ECONNREFUSED: 'nobody-listens', EHOSTUNREACH: 'no-route', ENETUNREACH: 'no-route' }[
    errno
  ] as CauseName;
}
