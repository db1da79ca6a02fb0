import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bpfProgram, countBpf, countStrace } from '../../src/subjects/running/syscalls.js';

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
    });
  });
});

describe('the maps of bpftrace', () => {
  it('count the same', () => {
    const count = countBpf();
    for (const line of [
      '{"type": "attached_probes", "data": {"probes": 5}}',
      '',
      // Asked twice: each answer has the whole.
      '{"type": "map", "data": {"@calls": {"bind": 700, "connect": 500}}}',
      '{"type": "map", "data": {"@failed": {"bind,13098,98": 699}}}',
      '{"type": "printf", "data": "bindstorm-counted\\n"}',
      '{"type": "map", "data": {"@calls": {"bind": 702, "connect": 500}}}',
      '{"type": "map", "data": {"@failed": {"bind,13098,98": 700, "connect,13134,99": 1}}}',
    ])
      count.add(line);
    assert.deepEqual(count.result(), {
      by: 'ebpf',
      calls: { bind: 702, connect: 500 },
      failures: [
        { pid: 13098, call: 'bind', errno: 'EADDRINUSE', count: 700 },
        { pid: 13134, call: 'connect', errno: 'EADDRNOTAVAIL', count: 1 },
      ],
    });
  });

  it('are of one network namespace', () => {
    assert.equal(bpfProgram(4026531840).split('ns.inum == 4026531840').length, 3);
  });
});
