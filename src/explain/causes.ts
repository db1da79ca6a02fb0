/**
 * The causes: what ran out, where to see it, and what helps. The evidence is that of the capacity model (`../capacity/`). Pure data.
 */

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
  /** Whether the line leaves open which of several it is. */
  readonly open?: true;
}

/** strace(1) of a program that runs: -p cannot use --seccomp-bpf, so each system call stops it, whatever is traced. */
export const STRACE = 'timeout 10 strace -f';
export const STRACE_SLOWS = 'it slows every system call of the program, so for seconds only';

type Row = Omit<Cause, 'inVain' | 'shortage'> & Partial<Cause>;

function row({ resource, check, helps, inVain = null, shortage = false, ...open }: Row): Cause {
  return { resource, check, helps, inVain, shortage, ...open };
}

export const CAUSES = {
  'ports-of-the-address': row({
    resource:
      'Local ports of that address: bind() with port 0 must choose a port before the destination is known, and every port of ip_local_port_range is taken on this address, by open connections or by TIME_WAIT. Up to Linux 3.2 all addresses of a host share one pool.',
    check:
      "ss -Htan 'src ADDRESS and sport >= 32768' | awk '{print $1}' | sort | uniq -c, against the size of ip_local_port_range, with whose first port the filter begins (clients that connect to that address are on another). No kernel counter moves when bind() fails.",
    helps:
      'IP_BIND_ADDRESS_NO_PORT in the program (a newer version of it often has it), more local addresses (from Linux 3.3), a wider ip_local_port_range, connections that are kept and reused, the peer closing first.',
    inVain:
      'tcp_tw_reuse (bind() does not look at it), tcp_fin_timeout (TIME_WAIT is 60 s whatever it says), ip_autobind_reuse unless the program sets SO_REUSEADDR, somaxconn, rmem and wmem.',
    shortage: true,
  }),
  'four-tuples': row({
    resource:
      'Free 4-tuples to that destination: connect() found no port with which (source address, port, destination, port) is not in use or in TIME_WAIT, or all ports are barred because some program on this host, on any address, IPv6 ones included, holds them by a plain bind().',
    check:
      "ss -Htan 'dst ADDRESS' | awk '{print $1, $4, $5}': are all ports of ip_local_port_range there towards this destination? If far fewer, look for a program that binds without IP_BIND_ADDRESS_NO_PORT: its ports bar everybody else's.",
    helps:
      'tcp_tw_reuse=1 where it is TIME_WAIT (needs TCP timestamps), more destinations (addresses or ports) or more source addresses that the program binds, a wider ip_local_port_range, connections that are kept and reused.',
    inVain: 'tcp_fin_timeout, somaxconn, rmem and wmem; tcp_tw_reuse=2, the default, acts on 127.0.0.0/8 and ::1 only.',
    shortage: true,
  }),
  'four-tuples-or-ipv6': row({
    resource:
      'The destination is an IPv6 address. Most often this host has no IPv6 source address for it (IPv6 is off, or localhost resolves to ::1 where nothing has it); if IPv6 works here otherwise, the free 4-tuples to that destination have run out.',
    check: 'ip -6 addr and ip -6 route get ADDRESS; then ss -Htan6 as for IPv4.',
    helps:
      'Use the IPv4 address, or give the host an IPv6 address. For a shortage: as for IPv4, tcp_tw_reuse=1 and more tuples.',
    open: true,
  }),
  'four-tuples-or-address': row({
    resource:
      'Either the free 4-tuples to that destination ran out (all ports of ip_local_port_range are in use towards it, TIME_WAIT included), or nothing ran out: the destination is an IPv6 address, often ::1 for localhost, and this host has no IPv6 address. The line does not name the destination.',
    check:
      "getent ahosts NAME and ip -6 addr: if the name leads to an IPv6 address, ip -6 route get ADDRESS. Else ss -Htan 'dst ADDRESS' against the size of ip_local_port_range.",
    helps:
      'For IPv6: the IPv4 address instead of the name, or an IPv6 address for the host. For a shortage: connections that are kept and reused, tcp_tw_reuse=1 (needs TCP timestamps), more destinations or source addresses, a wider ip_local_port_range.',
    inVain: 'tcp_fin_timeout, somaxconn, rmem and wmem.',
    shortage: true,
    open: true,
  }),
  'ports-or-named-port': row({
    resource:
      'A local port for an outgoing connection: bind() before connect() was refused. With port 0 every port of ip_local_port_range is taken on that address; with a port that the program names, that one port is still in use. The line does not say which.',
    check: `${STRACE} -e trace=socket,setsockopt,bind,connect -p PID (${STRACE_SLOWS}): htons(0) in bind() means that the kernel chooses.`,
    helps:
      'Port 0: IP_BIND_ADDRESS_NO_PORT in the program, more local addresses, a wider ip_local_port_range, connections that are kept and reused. A named port: another port, or port 0.',
    inVain: 'tcp_tw_reuse and tcp_fin_timeout: bind() does not look at them.',
    shortage: true,
    open: true,
  }),
  'named-tuple': row({
    resource:
      'Nothing but one 4-tuple: the program named its local port, and that port already has a connection to the same destination, open or in TIME_WAIT. connect() looks for no other port.',
    check: "ss -Htan 'sport = PORT'.",
    helps: 'The next port of the program’s own list, more destinations, or port 0, so that the kernel chooses.',
    inVain: 'ip_local_port_range and tcp_tw_reuse: no port is looked for.',
  }),
  'not-ports': row({
    resource:
      'Probably no port ran out: bind() with port 0 had already given the socket a port that nobody else has on that address (Linux 4.11 and newer), so every 4-tuple was free when connect() failed.',
    check:
      'Whether the destination can be reached from that local address (ip route get DESTINATION from ADDRESS), IPv6 without an address, a library that replaces the socket calls (LD_PRELOAD); ip_autobind_reuse=1, or a kernel before 4.11, with SO_REUSEADDR: there bind() shares ports.',
    helps: 'A destination that this address can reach; ip_autobind_reuse=0.',
    inVain: 'A wider ip_local_port_range, tcp_tw_reuse.',
    open: true,
  }),
  'after-refused-bind': row({
    resource:
      'What the bind() before it had run out of: the program ignored that error and connected the same socket unbound. All ports of the range are bound by others, so connect() found none either.',
    check: 'The bind() on the same descriptor, just before.',
    helps: 'What helps against the bind().',
    inVain: 'tcp_tw_reuse: the ports are barred by bind().',
  }),
  'udp-ports': row({
    resource:
      'Local UDP ports. UDP has no 4-tuples: a socket that is not bound takes one port of ip_local_port_range for the whole network namespace, whatever its destination, and bind() takes one of its address. connect() and sendto() then fail with EAGAIN, bind() with EADDRINUSE.',
    check: 'ss -Huan | wc -l, against the size of ip_local_port_range; ss -uanp shows whose sockets they are.',
    helps:
      'Fewer sockets: one for many exchanges instead of one each (a resolver that keeps its sockets, a connection pool for QUIC); a wider ip_local_port_range; for bind(), more local addresses.',
    inVain: 'Everything about TCP and TIME_WAIT: UDP has none, and more destinations do not help.',
  }),
  'udp-ports-or-wait': row({
    resource:
      'Local UDP ports, if the call was connect() or sendto() of a UDP socket: they fail with EAGAIN when no port is left. Or nothing: any other call on a non-blocking descriptor, a read, an accept, a full buffer, that would have had to wait.',
    check: `The traceback above the line names the call. ss -Huan | wc -l against ip_local_port_range; ${STRACE} -e trace=connect,sendto,sendmsg -p PID for EAGAIN (${STRACE_SLOWS}).`,
    helps:
      'For ports: fewer UDP sockets at once, or a wider ip_local_port_range. Otherwise: wait until the descriptor is ready, and try again.',
    open: true,
  }),
  'sctp-ports': row({
    resource:
      'Local SCTP ports. SCTP has one pool for the whole network namespace: each socket takes a port of ip_local_port_range, whatever its address and destination. bind() then fails with EADDRINUSE, connect() with EAGAIN.',
    check: 'ss -HSan | wc -l, against the size of ip_local_port_range.',
    helps: 'Fewer sockets (one SCTP socket can have many associations); a wider ip_local_port_range.',
    inVain:
      'More local addresses or destinations, IP_BIND_ADDRESS_NO_PORT, SO_REUSEADDR, and everything about TIME_WAIT.',
  }),
  'udp-answer': row({
    resource:
      'An answer over UDP that never came. A lost datagram looks so, a full NAT or conntrack table, or local UDP ports that had run out while the program waited and said nothing.',
    check: `ss -Huan | wc -l against ip_local_port_range; ${STRACE} -e trace=connect,sendto,sendmsg -p PID for EAGAIN (${STRACE_SLOWS}).`,
    helps: 'For ports: fewer sockets at once, or a wider ip_local_port_range.',
    open: true,
  }),
  'nat-ports': row({
    resource:
      'Source ports of the NAT: of one NAT address towards one destination address and port, shared by all clients behind it. No client gets an errno; its SYN or datagram is dropped, from about 80 % of a range of thousands on.',
    check:
      'conntrack -S on the router (insert_failed, drop), and bindstorm watch --nat there; of a cloud its own metric of failed port allocations; how many flows go to that one destination.',
    helps:
      'A wider port range in the NAT rule; a rule for each NAT address, by turns (nft numgen or jhash, iptables -m statistic); a further address or port of the destination; connections that are kept and reused. bindstorm run nat-gateway tries them.',
    inVain:
      'ip_local_port_range of the router, a further NAT address in the same rule (one client has one of them to a destination), random-fully, and tcp_tw_reuse at the client.',
  }),
  'late-syn': row({
    resource:
      'No call failed: the first SYN, or its answer, was lost, and a later one came through. The kernel sends it again after 1, 2, 3, 4, 5, 7, 11, 19 … s (before Linux 6.5 after 1, 3, 7, 15 … s), so that a connection is late by as much. A NAT or a conntrack table without room, and a full accept queue at the peer, drop SYNs like that.',
    check:
      'conntrack -S on every router on the way (insert_failed, drop); nstat -az TcpExtTCPTimeouts TcpExtTCPSynRetrans here, TcpExtListenDrops at the peer.',
    helps: 'Find who drops the SYN. For a NAT: what helps against a NAT without ports.',
    inVain: 'Ephemeral ports: connect() got one. A greater tcp_syn_retries: it only waits longer.',
    open: true,
  }),
  'unix-backlog': row({
    resource:
      'Nothing of the network: the destination is a Unix socket whose listen backlog is full. Its server does not accept fast enough.',
    check: 'ss -xl: Recv-Q against Send-Q of that socket.',
    helps: 'More workers behind the socket, a longer backlog there (and net.core.somaxconn, which bounds it).',
    inVain: 'Everything about ports.',
  }),
  'name-lookup': row({
    resource:
      'The name was not resolved. Mostly the resolver does not answer; but a lookup needs a UDP port of its own, and where none is left it fails in the same words.',
    check: 'getent hosts NAME while it happens; ss -Huan | wc -l against the size of ip_local_port_range.',
    helps: 'A resolver that answers; for ports, fewer UDP sockets, a local cache, or a wider ip_local_port_range.',
    open: true,
  }),
  'bsd-ports': row({
    resource:
      'On macOS or a BSD: probably the ephemeral ports to that destination (49152 to 65535 by default, 16,384), with those in TIME_WAIT (twice net.inet.tcp.msl). The destination 0.0.0.0, port 0, and an IPv6 address that the host lacks give the same error.',
    check: 'netstat -an -p tcp | grep -c TIME_WAIT; sysctl net.inet.ip.portrange.first net.inet.ip.portrange.last.',
    helps:
      'Connections that are kept and reused; a lower net.inet.ip.portrange.first; a shorter net.inet.tcp.msl for a test machine.',
    inVain: 'Linux’s sysctls (ip_local_port_range, tcp_tw_reuse): they do not exist there. bindstorm measures Linux.',
    open: true,
  }),
  'windows-ports': row({
    resource:
      'On Windows: for an outgoing connection the dynamic ports (49152 to 65535 by default, 16,384), with those in TIME_WAIT; for a listener, its port belongs to another process.',
    check: 'netsh int ipv4 show dynamicport tcp; netstat -ano | find /c "TIME_WAIT".',
    helps: 'Connections that are kept and reused; a larger range by netsh int ipv4 set dynamicport tcp.',
    inVain: 'Linux’s sysctls: they do not exist there. bindstorm measures Linux.',
    open: true,
  }),
  'marked-down-by-itself': row({
    resource:
      'Nothing now, perhaps: the program holds an earlier failure against the destination and does not try again for a while, also when ports are free again.',
    check: 'The lines before this one: an errno of bind() or connect().',
    helps: 'What helps against the first error; the program’s own setting for how long it holds a failure.',
  }),
  succeeds: row({
    resource: 'Nothing: every call in this trace succeeded. It shows how the program gets its local ports.',
    check: 'bindstorm capacity --strategy with the strategy below says how many connections that allows.',
    helps: 'Trace it again while it fails, if it does.',
  }),
  'address-not-here': row({
    resource:
      'Nothing ran out: the local address that the program binds to is not an address of this host (or of this namespace).',
    check: 'ip addr | grep ADDRESS, in the network namespace of the program.',
    helps: 'Add the address to an interface, or correct the configuration. ip_nonlocal_bind=1 only hides it.',
    inVain: 'More ports, tcp_tw_reuse: no port was ever looked for.',
  }),
  'named-port': row({
    resource:
      'One local port that the program names itself: it is still bound, by an earlier connection that is open or in TIME_WAIT. The port range does not matter.',
    check: "ss -Htan 'sport = PORT'.",
    helps:
      'Let the kernel choose the port (port 0), or set SO_REUSEADDR on every socket before bind() and have several destinations.',
    inVain: 'ip_local_port_range: it is not asked.',
    shortage: true,
  }),
  'listening-port': row({
    resource:
      'Nothing ran out: the port on which the program wants to listen belongs to another socket, often to an older process of itself.',
    check: 'ss -ltnp | grep PORT.',
    helps: 'Stop the other process, or listen elsewhere.',
    inVain: 'Everything about ephemeral ports.',
  }),
  'own-port-list': row({
    resource: "The program's own list of source ports: it is used up before any system call is made.",
    check: 'Compare the connections to that server with the length of the range in the configuration.',
    helps: 'A longer list, or no list: let the kernel choose (IP_BIND_ADDRESS_NO_PORT).',
    inVain:
      'ip_local_port_range and TIME_WAIT settings: a bound port with SO_REUSEADDR takes over a TIME_WAIT by TCP timestamps.',
    shortage: true,
  }),
  'own-udp-port-list': row({
    resource:
      "The program's own list of UDP ports: it is used up before any system call is made. A port is taken until the answer has come, or for as long as the program keeps it for a client; its destination does not count.",
    check: 'ss -Huanp, against the length of the list in the configuration, for each address that it sends from.',
    helps:
      'A longer list (unbound: outgoing-port-permit; coturn: min-port and max-port), more addresses to send from (outgoing-interface; relay-ip), exchanges that end sooner.',
    inVain: 'ip_local_port_range, in which the program never looks; everything about TCP and TIME_WAIT.',
  }),
  'waiting-queries': row({
    resource:
      'Not ports: the number of queries that the resolver lets wait at once. Those beyond it are dropped without an answer. One of two options is the limit: wait-limit (1000 for each address of a client, so also for a balancer or a NAT; since 1.20, and in 1.17.1 of Debian 12 since an update) and num-queries-per-thread.',
    check:
      'unbound-checkconf -o wait-limit; unbound-checkconf -o num-queries-per-thread; unbound-control stats_noreset | grep requestlist (max near 1000 with exceeded above 0 is wait-limit).',
    helps:
      'wait-limit: 0, or wait-limit-netblock for the address of the balancer; a larger num-queries-per-thread; upstream servers that answer sooner.',
    inVain: 'A longer outgoing-port-permit, more outgoing-interface addresses, ip_local_port_range.',
  }),
  descriptors: row({
    resource: 'File descriptors, of the process (EMFILE) or of the machine (ENFILE): not ports.',
    check: 'grep "open files" /proc/PID/limits; ls /proc/PID/fd | wc -l; cat /proc/sys/fs/file-nr.',
    helps: "A higher limit (LimitNOFILE=, ulimit -n, the program's own setting), or fewer connections at once.",
    inVain: 'Everything about ports.',
  }),
  conntrack: row({
    resource:
      'Entries of the connection tracking table: the kernel drops the packets of new connections, which then time out.',
    check:
      'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; conntrack -S (drop, insert_failed).',
    helps:
      'A greater nf_conntrack_max, shorter conntrack timeouts (its TIME_WAIT is 120 s of its own), or NOTRACK for this traffic.',
    inVain: 'ip_local_port_range and tcp_tw_reuse.',
  }),
  'no-answer': row({
    resource:
      'No shortage on this host that the errno shows: the SYN was not answered. A full conntrack table, a NAT without free ports or a full accept queue at the peer look like this.',
    check:
      'nstat -az TcpExtTCPTimeouts TcpExtListenDrops; conntrack -S here, at the peer, and on every router between (insert_failed, drop).',
    helps: 'Find who drops the SYN.',
    inVain: 'Ephemeral ports: connect() got one.',
  }),
  'nobody-listens': row({
    resource:
      'Nothing ran out: the destination answered that nobody listens there. In a container whose network is pasta or gvproxy, a refusal at once may be their own: the outer layer’s ports ran out.',
    check: 'ss -ltn at the destination.',
    helps: 'Start the service, or correct the address.',
    inVain: 'Everything about ports on this side.',
  }),
  'no-route': row({
    resource:
      'Nothing ran out: there is no way to the destination (no route, or no answer to ARP). In a network of slirp4netns or QEMU (user), “Network is unreachable” at once is how the outer layer says that its ports ran out.',
    check: 'ip route get ADDRESS; ip neigh; in a container or guest also ss -s outside of it.',
    helps: 'Correct the route.',
    inVain: 'Everything about ports.',
  }),
  memory: row({
    resource: 'Memory for sockets, not ports.',
    check: 'cat /proc/net/sockstat; sysctl net.ipv4.tcp_mem; dmesg | grep -i memory.',
    helps: 'More memory, a greater tcp_mem, fewer connections.',
    inVain: 'Everything about ports.',
  }),
  'time-wait-table': row({
    resource:
      'Room for TIME_WAIT (tcp_max_tw_buckets): sockets above it are closed without one. That frees their ports at once, so it hides a shortage of ports rather than causing one; old packets can then reach new connections.',
    check: 'nstat -az TcpExtTCPTimeWaitOverflow; ss -s.',
    helps: 'A greater tcp_max_tw_buckets, if the ports suffice.',
  }),
  'marked-down': row({
    resource:
      'Nothing now, perhaps: the proxy has marked its servers as down after earlier failures. A shortage of ports does that, and it stays visible for fail_timeout after the ports are free again.',
    check: 'The lines before this one: failed (99: Cannot assign requested address), or others.',
    helps: 'What helps against the first error; max_fails=0 where one server is all there is.',
  }),
  'client-gave-up': row({
    resource:
      'A resource limit of the exit relay, which may be its ports. From then on this Tor client avoids that exit for as long as it runs, also when the ports are free again.',
    check: 'The log of the exit, at level info: connect() to socket failed.',
    helps: 'Restart the client after the exit is mended.',
    inVain: 'SIGHUP and NEWNYM: the mark stays.',
  }),
  either: row({
    resource: 'The errno alone does not decide it: what matters is which call failed and whether it named a port.',
    check: `${STRACE} -e trace=socket,setsockopt,bind,connect,listen -p PID, and give its output to this command (${STRACE_SLOWS}).`,
    helps:
      'EADDRINUSE from bind() with port 0: ports of the address. EADDRNOTAVAIL from connect(): 4-tuples. EADDRINUSE before listen(): another listener. EADDRNOTAVAIL from bind(): not an address of this host.',
    open: true,
  }),
};

export type CauseName = keyof typeof CAUSES;
