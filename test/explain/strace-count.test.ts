import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countStrace } from '../../src/explain/strace-count.js';

/** Of strace 6.1 with -f -e trace=bind,connect, and Squid 5.7 among others. */
const STRACE = `10832 bind(13, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.50.0.1")}, 16) = 0
10832 connect(13, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("198.18.2.2")}, 16) = -1 EINPROGRESS (Operation now in progress)
10832 bind(14, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.50.0.1")}, 16) = -1 EADDRINUSE (Address already in use)
10832 bind(14, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.50.0.1")}, 16) = -1 EADDRINUSE (Address already in use)
10833 connect(15, {sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = -1 EADDRNOTAVAIL (Cannot assign requested address)
10833 connect(16, {sa_family=AF_UNIX, sun_path="/nowhere"}, 11) = -1 ENOENT (No such file or directory)
10833 bind(17, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = -1 EADDRINUSE (Address already in use)
10832 connect(18, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("198.18.2.2")}, 16 <unfinished ...>
10833 connect(16, {sa_family=AF_UNIX, sun_path="/nowhere"}, 11 <unfinished ...>
10833 <... connect resumed>)            = -1 ENOENT (No such file or directory)
10832 <... connect resumed>)            = -1 EADDRNOTAVAIL (Cannot assign requested address)
10832 +++ killed by SIGKILL +++
`;

describe('the lines of strace', () => {
  it('count per pid, call and errno, those for IP only, and EINPROGRESS as no failure', () => {
    const count = countStrace();
    for (const line of STRACE.split('\n')) count.add(line);
    assert.deepEqual(count.result(), {
      by: 'strace',
      calls: { bind: 3, connect: 3 },
      failures: [
        { pid: 10832, call: 'bind', errno: 'EADDRINUSE', count: 2 },
        { pid: 10832, call: 'connect', errno: 'EADDRNOTAVAIL', count: 1 },
        { pid: 10833, call: 'connect', errno: 'EADDRNOTAVAIL', count: 1 },
      ],
      connections: { begun: 1, peak: 1, open: 1, openAtFirstFailure: 1, begunBeforeFirstFailure: 1 },
      ways: [{ strategy: 'bind', to: '198.18.2.2:8080', connections: 1 }],
    });
    assert.deepEqual([count.hasEnded(10832), count.hasEnded(10833)], [true, false]);
  });
});

/** Of strace 6.1 with the calls of observe.ts, and a program of two threads: kept connections, a name server, TCP Fast Open. */
const WHOLE = `7 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 5
7 setsockopt(5, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
7 bind(5, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.50.0.1")}, 16) = 0
7 connect(5, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.7")}, 16) = -1 EINPROGRESS (Operation now in progress)
8 connect(5, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.7")}, 16) = 0
8 socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 6
8 connect(6, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::7", &sin6_addr), sin6_scope_id=0}, 28) = 0
7 close(6)                                 = 0
8 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 6
8 connect(6, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.53")}, 16) = 0
8 sendto(6, ""..., 29, MSG_NOSIGNAL, NULL, 0) = -1 EAGAIN (Resource temporarily unavailable)
8 close(6)                                 = 0
8 socket(AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 6
8 connect(6, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::53", &sin6_addr), sin6_scope_id=0}, 28) = -1 ENETUNREACH (Network is unreachable)
8 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 9
8 sendto(9, ""..., 29, MSG_FASTOPEN, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.7")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)
8 sendto(5, ""..., 29, 0, NULL, 0) = -1 EAGAIN (Resource temporarily unavailable)
7 exit_group(0) = ?
8 +++ exited with 0 +++
7 +++ exited with 0 +++
`;

describe('the trace of a whole program', () => {
  it('has its connections by strategy and destination, and refusals for want of a port alone', () => {
    const count = countStrace();
    for (const line of WHOLE.split('\n')) count.add(line);
    const { calls, failures, connections, ways, datagrams } = count.result();
    assert.deepEqual(calls, { bind: 1, connect: 5 });
    // The EAGAIN of a socket that has its port is a full buffer.
    assert.deepEqual(failures, [{ pid: 8, call: 'sendto', errno: 'EADDRNOTAVAIL', count: 1 }]);
    assert.deepEqual(datagrams, { sockets: 1, peak: 1, strategies: { connect: 1 } });
    assert.deepEqual(connections, {
      begun: 2,
      peak: 2,
      open: 1,
      openAtFirstFailure: null,
      begunBeforeFirstFailure: null,
    });
    assert.deepEqual(ways, [
      { strategy: 'bind-reuseaddr', to: '203.0.113.7:80', connections: 1 },
      { strategy: 'connect', to: '[2001:db8::7]:443', connections: 1 },
    ]);
  });

  it('tells what the first of its connections and refusals were', () => {
    const count = countStrace(3);
    for (const line of WHOLE.split('\n')) count.add(line);
    assert.deepEqual(count.result().upTo, {
      begun: 2,
      failures: [{ pid: 8, call: 'sendto', errno: 'EADDRNOTAVAIL', count: 1 }],
    });
  });

  it('has its UDP sockets by the ports that the kernel chose', () => {
    const count = countStrace();
    const to = '{sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.53")}, 16';
    const any = (port: number) => `{sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("0.0.0.0")}, 16`;
    for (const line of [
      ...[5, 6, 7, 8].map((fd) => `7 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = ${fd}`),
      `7 connect(5, ${to}) = 0`,
      `7 sendto(5, ""..., 29, MSG_NOSIGNAL, NULL, 0) = 29`,
      `7 sendto(6, ""..., 29, MSG_NOSIGNAL, ${to}) = 29`,
      `7 sendto(6, ""..., 29, MSG_NOSIGNAL, ${to}) = 29`,
      `7 bind(7, ${any(0)}) = 0`,
      `7 bind(8, ${any(5353)}) = 0`,
      '7 close(5)                                 = 0',
      '7 close(6)                                 = 0',
      '7 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 5',
      `7 sendto(5, ""..., 29, MSG_NOSIGNAL, ${to}) = -1 EAGAIN (Resource temporarily unavailable)`,
      `7 connect(5, ${to}) = -1 EAGAIN (Resource temporarily unavailable)`,
    ])
      count.add(line);
    const { datagrams, failures } = count.result();
    // A port that the program names is its own affair.
    assert.deepEqual(datagrams, { sockets: 3, peak: 3, strategies: { connect: 1, sendto: 1, 'bind-any': 1 } });
    assert.deepEqual(failures.map(({ call, errno }) => `${call} ${errno}`).sort(), ['connect EAGAIN', 'sendto EAGAIN']);
  });
});
