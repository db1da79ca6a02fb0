/**
 * What holds local ports, by what the sockets show and not by what a program has logged: the same causes, and the same advice, seen from the
 * other side. Pure data.
 */
import { CAUSES, type Cause, STRACE, STRACE_SLOWS } from './causes.js';

/** Where to see it, what helps, and what is often tried in vain. */
export type Advice = Pick<Cause, 'check' | 'helps' | 'inVain'>;

const { 'ports-of-the-address': OF_BIND, 'four-tuples': OF_CONNECT, 'udp-ports': OF_UDP } = CAUSES;

/** Of UDP there is nothing but open sockets. */
export const OPEN_DATAGRAMS: Advice = { check: OF_UDP.check, helps: OF_UDP.helps, inVain: OF_UDP.inVain };
/** More ports and shorter timers only put it off. */
const NO_LEAK_ENDS =
  'A wider ip_local_port_range, tcp_tw_reuse, more addresses: they put the end off, and none of them ends it.';

export const HELD = {
  'closed-by-bind': { check: OF_BIND.check, helps: OF_BIND.helps, inVain: OF_BIND.inVain },
  'closed-by-connect': { check: OF_CONNECT.check, helps: OF_CONNECT.helps, inVain: OF_CONNECT.inVain },
  /** Where the ports do not tell which of the two chose them. */
  'closed-by-either': {
    check: 'bindstorm watch --failures: EADDRINUSE comes from bind(), EADDRNOTAVAIL from connect().',
    helps:
      'For both: connections that are kept and reused, the peer closing first, a wider ip_local_port_range. Where the program binds: IP_BIND_ADDRESS_NO_PORT, more local addresses. Where it only connects: tcp_tw_reuse=1 if it is TIME_WAIT, more destinations.',
    inVain: 'tcp_fin_timeout, somaxconn, rmem and wmem; tcp_tw_reuse where the program binds.',
  },
  'close-wait': {
    check: "ss -Htnp state close-wait | grep -o 'users:.*' | sort | uniq -c.",
    helps:
      'The program must close what its peer has closed: read to the end and close the answer (the body of an HTTP answer too), and give a pool an idle time. Until then a restart of that program frees the ports.',
    inVain: NO_LEAK_ENDS,
  },
  idle: {
    check:
      "ss -Htnoi state established 'src ADDRESS': lastsnd and lastrcv are the milliseconds since something was sent and received.",
    helps:
      'A pool with fewer connections and an idle time, and one pool for the program instead of one a request. TCP keepalive ends only those whose peer is gone.',
    inVain: NO_LEAK_ENDS,
  },
  'bound-only': {
    check: `ss -B -tnp (iproute2 6.5 and newer, Linux 6.8), or ${STRACE} -e trace=bind,connect,close -p PID (${STRACE_SLOWS}).`,
    helps: 'The program binds sockets and neither connects nor closes them: mend it; a restart frees the ports.',
    inVain: NO_LEAK_ENDS,
  },
  'no-answer-yet': {
    check:
      "ss -Htnoi state established 'dst ADDRESS': lastrcv far above lastsnd. Then the load and the log of that server.",
    helps:
      'A server that answers sooner; until it does, a shorter timeout of the client and a limit on requests at once, for each request that waits holds a port.',
    inVain: 'Everything about TIME_WAIT: these connections are open.',
  },
  unanswered: {
    check: 'ss -Htn state syn-sent; at the destination nstat -az TcpExtListenDrops, on the way conntrack -S.',
    helps:
      'Find who drops the SYN. A shorter connect timeout of the client: without one an attempt holds its port for up to 130 s (net.ipv4.tcp_syn_retries = 6).',
    inVain: 'Everything about TIME_WAIT: these attempts have not come so far.',
  },
  'one-destination': {
    check: "ss -Htn 'dst ADDRESS' | wc -l, against the size of ip_local_port_range.",
    helps:
      'Spread it: more addresses or ports of the destination, or more source addresses that the program binds with IP_BIND_ADDRESS_NO_PORT; fewer connections with more on each; a wider ip_local_port_range.',
    inVain: 'tcp_tw_reuse while the connections are open; more memory, somaxconn.',
  },
  barred: {
    check:
      "ss -Htanp 'src ADDRESS': the ports of the program that binds. connect() takes a port only where no bind() has it, on whatever address (__inet_hash_connect(), net/ipv4/inet_hashtables.c).",
    helps:
      'IP_BIND_ADDRESS_NO_PORT in the program that binds (a newer version of it often has it: bindstorm programs), a network namespace of its own for one of the two, or source ports outside of ip_local_port_range for the one that binds.',
    inVain: 'tcp_tw_reuse, more destinations, more addresses: the ports are barred on each of them.',
  },
  'slow-search': {
    check:
      'bindstorm capacity says where the slow wall of each way to bind is; perf top shows inet_csk_get_port or __inet_hash_connect.',
    helps:
      'Fewer ports in use: kept connections, more source addresses, a wider ip_local_port_range. IP_LOCAL_PORT_RANGE on the socket ends the preference of connect() since Linux 6.8.',
    inVain: 'More CPUs: the search holds a lock for each port it looks at.',
  },
} as const satisfies Readonly<Record<string, Advice>>;

export type HeldBy = keyof typeof HELD;
