/**
 * Real lines: where each was seen stands above it. «Here» is a run in a network namespace with four ports, on Linux 6.18; the
 * rest is quoted from public reports, by project and issue, and was held against them. «…» stands where the quotation was cut; what a
 * report itself left out is left out here, and a line that it broke is whole again.
 */
import type { CauseName } from '../../src/explain/causes.js';

type Expected = readonly [
  program: string | null,
  call: string,
  errno: string | null,
  cause: CauseName,
  strategy: string | null,
];

export const EXPLAINED_LINES: readonly (readonly [source: string, text: string, ...expected: Expected])[] = [
  [
    'Squid, a report of May 2014 (wiki.jokeru.ro)',
    '2014/05/22 20:12:40| commBind: Cannot bind socket FD 482 to (98) Address already in use',
    ...(['Squid', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Squid 5.7, here',
    'commBind Cannot bind socket FD 13 to 10.9.1.1: (98) Address already in use',
    ...(['Squid', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Squid, the page of the same report',
    'Socket Failure The system returned: (98) Address already in use Squid is unable to create a TCP socket, presumably due to excessive load. Please retry your request.',
    ...(['Squid', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Squid 5.7, the header of its 503, here',
    'X-Squid-Error: ERR_CONNECT_FAIL 0',
    ...(['Squid', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Squid 6.13, the header of its 503, here',
    'X-Squid-Error: ERR_CONNECT_FAIL 99',
    ...(['Squid', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port'] as const),
  ],
  [
    'Squid with too few descriptors, here',
    'WARNING! Your cache is running out of filedescriptors',
    ...(['Squid', 'socket', 'EMFILE', 'descriptors', null] as const),
  ],
  [
    'Squid 3.5 with an address that its container lacks (sameersbn/docker-squid #75)',
    'commBind: Cannot bind socket FD 13 to [::1]: (99) Cannot assign requested address',
    ...(['Squid', 'bind', 'EADDRNOTAVAIL', 'address-not-here', null] as const),
  ],
  [
    'Squid, from the change that mended it (squid-cache/squid #1115)',
    'commBind: Cannot bind socket ... : (98) Address already in use',
    ...(['Squid', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Tor, January 2012 (noisebridge tor list)',
    'Jan 09 00:12:59.000 [warn] Error binding network socket: Address already in use',
    ...(['Tor', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-reuseaddr'] as const),
  ],
  [
    'Tor 0.4.9.11 at level info, here',
    'connect() to socket failed: Cannot assign requested address',
    ...(['Tor', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port-reuseaddr'] as const),
  ],
  [
    'Tor 0.4.9.11 without IP_BIND_ADDRESS_NO_PORT, here',
    '[warn] Failing because we have 70 connections already. Please read doc/TUNING for guidance.',
    ...(['Tor', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-reuseaddr'] as const),
  ],
  [
    'Tor with an OutboundBindAddress that is not on the host, here',
    'Error binding network socket: Cannot assign requested address',
    ...(['Tor', 'bind', 'EADDRNOTAVAIL', 'address-not-here', null] as const),
  ],
  [
    'a Tor client after the exit ran out, here',
    '[notice] No Tor server allows exit to 10.77.0.80:8080. Rejecting.',
    ...(['Tor', 'none', null, 'client-gave-up', null] as const),
  ],
  [
    "a Tor client's control port, here; its numbers are left out",
    '650 STREAM n DETACHED c host:port REASON=END REMOTE_REASON=RESOURCELIMIT',
    ...(['Tor', 'none', null, 'client-gave-up', null] as const),
  ],
  [
    'HAProxy 2.6 with source, here',
    'Connect() failed for backend b: no free ports.',
    ...(['HAProxy', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port-reuseaddr'] as const),
  ],
  [
    'HAProxy 2.6 with a port range, here',
    'Cannot bind to source address before connect() for backend b.',
    ...(['HAProxy', 'none', null, 'own-port-list', 'bind-explicit-port'] as const),
  ],
  [
    'HAProxy that cannot listen (apache/cloudstack #10733)',
    'Apr 16 09:25:29 systemvm haproxy[2066]: [ALERT]    (2066) : Binding [/etc/haproxy/haproxy.cfg:34] for proxy 10_0_53_2-53: cannot bind socket (Address already in use) for [10.0.53.2:53]',
    ...(['HAProxy', 'listen', 'EADDRINUSE', 'listening-port', null] as const),
  ],
  [
    'HAProxy that cannot listen, before 2.4 (haproxy/haproxy #206)',
    '[ALERT] 213/135403 (26245) : Starting proxy socks5_speed_check: cannot bind socket [0.0.0.0:8889]',
    ...(['HAProxy', 'listen', 'EADDRINUSE', 'listening-port', null] as const),
  ],
  [
    'nginx 1.22 with proxy_bind, here',
    '[crit] … connect() to 10.9.255.1:8080 failed (99: Cannot assign requested address) while connecting to upstream',
    ...(['nginx', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port'] as const),
  ],
  [
    'nginx with a fixed port, here',
    '[crit] … bind(10.9.1.1:50001) failed (98: Address already in use) while connecting to upstream',
    ...(['nginx', 'bind', 'EADDRINUSE', 'named-port', 'bind-explicit-port-exclusive'] as const),
  ],
  [
    'nginx before the Apache of cPanel (engintron/engintron #938)',
    '2018/09/29 23:34:57 [crit] 4793#4793: *210641 connect() to Xx.XX.XX.XXX:80 failed (99: Cannot assign requested address) while connecting to upstream, client: Xx.XX.XX.XXX, server: localhost, request: "GET /?sitemap84.xml HTTP/1.1"',
    ...(['nginx', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port'] as const),
  ],
  [
    'nginx on Alpine, to ::1 (sourcegraph/sourcegraph-public-snapshot #1890): no shortage, and another C library’s words',
    '23:55:50              nginx | 2019/01/14 23:55:50 [crit] 88#88: *1 connect() to [::1]:8080 failed (99: Address not available) while connecting to upstream, client: 172.17.0.1',
    ...(['nginx', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-ipv6', 'bind-no-port'] as const),
  ],
  [
    'nginx that cannot listen (engintron/engintron #1333)',
    '2021/06/18 14:49:02 [emerg] 1379408#1379408: bind() to [::]:80 failed (98: Address already in use)',
    ...(['nginx', 'listen', 'EADDRINUSE', 'listening-port', null] as const),
  ],
  [
    'nginx after max_fails (mr-canoehead/vpn_client_gateway #60)',
    '> 2020/09/08 17:58:59 [error] 3089#3089: *3 no live upstreams while connecting to$',
    ...(['nginx', 'none', null, 'marked-down', null] as const),
  ],
  [
    'Envoy with upstream_bind_config and a port (envoyproxy/envoy #9595)',
    'Bind failure. Failed to bind to 10.10.0.14:56122: Address already in use',
    ...(['Envoy', 'bind', 'EADDRINUSE', 'named-port', 'bind'] as const),
  ],
  [
    'Envoy in a service mesh under load (cilium/cilium #25613)',
    '[2025-05-22 12:27:12.809][30][debug][connection] [external/envoy/source/common/network/connection_impl.cc:1043] [Tags: "ConnectionId":"11496"] immediate connect error: Cannot assign requested address|remote address:10.42.3.176:8080',
    ...(['Envoy', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'the body of Envoy’s 503 (envoyproxy/envoy #31178)',
    'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: immediate connect error: Cannot assign requested address',
    ...(['Envoy', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect'] as const),
  ],
  [
    'Dante 1.4.2, here',
    'bindexternaladdr(): could not bind tcp port 0 of IPv4 address 10.9.1.1: this probably means we have run out of free ports',
    ...(['Dante', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'tinyproxy 1.11.1, here',
    'opensock: Could not establish a connection to 10.9.255.1:443',
    ...(['tinyproxy', 'none', null, 'either', null] as const),
  ],
  [
    'microsocks 1.0.3, here',
    'socket/connect: Address already in use',
    ...(['microsocks', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'what a client of Traffic Server 9.2 sees, here',
    '502 Tunnel Connection Failed',
    ...(['Apache Traffic Server', 'none', null, 'either', 'bind-reuseaddr'] as const),
  ],
  [
    '3proxy with addresses that are not there (3proxy/3proxy #332)',
    '192.168.0.1 - - [21/Oct/2019:05:22:54 +0100] "bind(): Cannot assign requested address" 00000 0 0 PROXY/192.168.2.100:0',
    ...(['3proxy', 'listen', 'EADDRNOTAVAIL', 'address-not-here', null] as const),
  ],
  [
    'hitch before Varnish (varnish/hitch #213)',
    'Oct  9 10:01:35 cache1-vm hitch[18741]: 20171009T100135.652141 [18774] {backend-connect}: Cannot assign requested address',
    ...(['hitch', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect'] as const),
  ],
  [
    'Node.js 20 with localAddress, here: libuv keeps the errno of bind() until connect()',
    "Error: connect EADDRINUSE 10.9.0.9:8080\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {\n  errno: -98,\n  code: 'EADDRINUSE',\n  syscall: 'connect',",
    ...(['Node.js (libuv)', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-reuseaddr'] as const),
  ],
  [
    'Node.js 20, here',
    'Error: connect EADDRNOTAVAIL 10.9.0.9:8080 - Local (0.0.0.0:0)',
    ...(['Node.js (libuv)', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'Node.js to an IPv6 address (elastic/kibana #163281): no shortage',
    'Error: connect EADDRNOTAVAIL :::34291 - Local (:::0)',
    ...(['Node.js (libuv)', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-ipv6', 'connect'] as const),
  ],
  [
    'Node.js that cannot listen (pinheadmz/handout #16)',
    '(node:1564) UnhandledPromiseRejectionWarning: Error: listen EADDRNOTAVAIL: address not available 82.65.165.5:53',
    ...(['Node.js (libuv)', 'listen', 'EADDRNOTAVAIL', 'address-not-here', null] as const),
  ],
  [
    'Go (markhpc/hsbench #8)',
    'caused by: Put http://127.0.0.1:80/tests3a1000000000010/000000123540: dial tcp 127.0.0.1:80: connect: cannot assign requested address)',
    ...(['Go (net package)', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'Go before 1.4 (probelabs/goreplay #110)',
    '2014/09/04 16:20:20 Request error: Get http://....: dial tcp x.x.x.x:8080: cannot assign requested address',
    ...(['Go (net package)', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'Go to an IPv6 address without IPv6 (anaganisk/digitalocean-dynamic-dns-ip #17)',
    'Get https://ipv6bot.whatismyipaddress.com: dial tcp [2606:6e00:c000:1000::501]:443: connect: cannot assign requested address',
    ...(['Go (net package)', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-ipv6', 'connect'] as const),
  ],
  [
    'Go with a local port of its own (golang/go #21404)',
    'dial tcp :20->:8081: bind: address already in use',
    ...(['Go (net package)', 'bind', 'EADDRINUSE', 'named-port', 'bind-explicit-port-exclusive'] as const),
  ],
  [
    'Go that cannot listen (ARwMq9b6/dnsproxy #8)',
    'E0811 09:56:00.630759   39164 main.go:26] listen tcp :53: bind: address already in use',
    ...(['Go (net package)', 'listen', 'EADDRINUSE', 'listening-port', null] as const),
  ],
  [
    'Java 17, a Socket bound to an address, here',
    'java.net.BindException: Address already in use\n\tat java.base/sun.nio.ch.Net.bind0(Native Method)\n\tat java.base/sun.nio.ch.NioSocketImpl.bind(NioSocketImpl.java:648)\n\tat java.base/java.net.Socket.bind(Socket.java:682)',
    ...(['Java', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Java 17, a Socket that is not bound, here: a BindException from connect()',
    'java.net.BindException: Cannot assign requested address\n\tat java.base/sun.nio.ch.Net.connect0(Native Method)\n\tat java.base/java.net.Socket.connect(Socket.java:633)',
    ...(['Java', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect'] as const),
  ],
  [
    'Netty, bound with SO_REUSEADDR (vert-x3/vertx-stomp #43: «only half of the ports», era C2)',
    'io.netty.channel.AbstractChannel$AnnotatedSocketException: Cannot assign requested address: /192.168.0.84:61613\n    at sun.nio.ch.Net.connect0(Native Method)',
    ...(['Java', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'Java, a server (OpenHFT/Chronicle-Wire #787)',
    'java.net.BindException: Address already in use\n  at java.base/sun.nio.ch.Net.bind0(Native Method)\n  at java.base/sun.nio.ch.Net.bind(Net.java:459)\n  at java.base/sun.nio.ch.ServerSocketChannelImpl.bind(ServerSocketChannelImpl.java:227)',
    ...(['Java', 'listen', 'EADDRINUSE', 'listening-port', null] as const),
  ],
  [
    'Python 3.11 with source_address, here',
    'Traceback (most recent call last):\n  File "socket.py", line 835, in create_connection\n    sock.bind(source_address)\nOSError: [Errno 98] Address already in use',
    ...(['Python', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Python 3.11, here',
    'OSError: [Errno 99] Cannot assign requested address',
    ...(['Python', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect'] as const),
  ],
  [
    'Python, httpx (snowby666/poe-api-wrapper #8)',
    'ConnectError: [Errno 99] Cannot assign requested address',
    ...(['Python', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect'] as const),
  ],
  [
    'Ruby 3.1 with a local host, here',
    '-e:1:in `initialize\': Address already in use - bind(2) for "10.9.0.1" port 0 (Errno::EADDRINUSE)',
    ...(['Ruby', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-reuseaddr'] as const),
  ],
  [
    'Perl 5.36, here',
    'IO::Socket::INET: connect: Cannot assign requested address at -e line 1.',
    ...(['Perl (IO::Socket)', 'connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect'] as const),
  ],
  [
    'curl 7.88 -v --interface, here',
    '* Immediate connect fail for 10.9.0.9: Cannot assign requested address',
    ...(['curl', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port'] as const),
  ],
  [
    'curl 7.88 --interface with an address that is not there, here',
    'curl: (45) bind failed with errno 99: Cannot assign requested address',
    ...(['curl', 'bind', 'EADDRNOTAVAIL', 'address-not-here', null] as const),
  ],
  [
    'Wget 1.21 --bind-address, here',
    'Connecting to 10.9.0.9:8080... failed: Address already in use.',
    ...(['Wget', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'Wget 1.21, here',
    'Connecting to 10.9.0.9:8080... failed: Cannot assign requested address.',
    ...(['Wget', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'OpenSSH 9.2 -b, here',
    'bind 10.9.0.1: Address already in use',
    ...(['OpenSSH', 'bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'] as const),
  ],
  [
    'psql 15, here',
    'psql: error: connection to server at "10.9.0.9", port 8080 failed: Cannot assign requested address',
    ...(['PostgreSQL client (libpq)', 'connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'] as const),
  ],
  [
    'the kernel’s log (wballard/starphleet #352)',
    'Feb 23 16:44:36 jobs kernel: [38775494.393661] nf_conntrack: table full, dropping packet',
    ...(['Linux kernel', 'none', null, 'conntrack', null] as const),
  ],
  [
    'netstat -s during a load test (adobe-platform/porter #124)',
    '    TCPTimeWaitOverflow: 27360',
    ...(['Linux kernel', 'none', null, 'time-wait-table', null] as const),
  ],
];
