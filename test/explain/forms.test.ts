/** A trace in all the forms in which people paste one: made here with strace 6.1 and perf 6.1 of one program, and the forms of older ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/explain/explain.js';

function seen(trace: string) {
  return explain(trace).findings.map(({ call, errno, cause, strategy }) => [
    call,
    errno,
    cause,
    strategy?.name ?? null,
  ]);
}

const SOCKET = 'socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3';
const OPTION = 'setsockopt(3, SOL_IP, IP_BIND_ADDRESS_NO_PORT, [1], 4) = 0';
const BIND = 'bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("192.0.2.1")}, 16) = 0';
const CONNECT =
  'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.7")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)';
const NO_PORT = [['connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port']];

test('prefixes of strace and of logs', () => {
  for (const prefix of [
    '',
    '     0.000253 ',
    '[  41] ',
    '[00007f3508046dc7] ',
    '[pid 12<python3>] ',
    '12<python3> 18:43:22.774260 ',
    '1795977806.024259 ',
    '2026-11-29T18:43:22.123456+00:00 host strace[12]: ',
    'Nov 29 18:43:22 host strace[12]: [pid 12] ',
    'app-1  | ',
  ])
    assert.deepEqual(seen([SOCKET, OPTION, BIND, CONNECT].map((line) => prefix + line).join('\n')), NO_PORT, prefix);
});

test('paths of descriptors, the time that a call took, and numbers instead of names', () => {
  assert.deepEqual(
    seen(`socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3<TCP:[8284508]> <0.000051>
setsockopt(3<TCP:[8284508]>, SOL_IP, 0x18 /* IP_??? */, [1], 4) = 0 <0.000018>
bind(3<TCP:[8284508]>, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("192.0.2.1")}, 16) = 0
connect(3<TCP:[192.0.2.1:0]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.7")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address) <0.000065>`),
    NO_PORT,
  );
  assert.deepEqual(
    seen(String.raw`socket(0x2, 0x1|0x80000, 0)             = 3
setsockopt(3, 0, 0x18, [1], 4)          = 0
bind(3, {sa_family=0x2, sin_port="\x00\x00", sin_addr="\xc0\x00\x02\x01"}, 16) = 0
connect(3, {sa_family=0x2, sin_port="\x00\x50", sin_addr="\xc0\x00\x02\x07"}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)`),
    NO_PORT,
  );
  assert.deepEqual(seen([SOCKET, 'setsockopt(3, SOL_IP, 24, [1], 4) = 0', BIND, CONNECT].join('\n')), NO_PORT);
  assert.deepEqual(
    seen([SOCKET, 'setsockopt(3, SOL_IP, 0x33 /* IP_??? */, [3938230272], 4) = 0', OPTION, BIND, CONNECT].join('\n')),
    [['connect', 'EADDRNOTAVAIL', 'four-tuples', 'local-port-range']],
  );
});

test('a send with MSG_FASTOPEN is the call that connects', () => {
  for (const call of [
    'sendto(3, "GET /", 5, MSG_NOSIGNAL|MSG_FASTOPEN, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.7")}, 16)',
    'sendmsg(3, {msg_name={sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.7")}, msg_namelen=16, msg_iov=[], msg_iovlen=1}, MSG_FASTOPEN)',
  ])
    assert.deepEqual(seen(`${SOCKET}\n${call} = -1 EADDRNOTAVAIL (Cannot assign requested address)`), [
      ['connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect'],
    ]);
});

test('a refused bind() and then connect() on the same descriptor: it goes out unbound, or fails for the same want', () => {
  const refused = BIND.replace('= 0', '= -1 EADDRINUSE (Address already in use)');
  const under = CONNECT.replace(/= -1 .*/, '= -1 EINPROGRESS (Operation now in progress)');
  const { findings } = explain([SOCKET, refused, under].join('\n'));
  assert.deepEqual(
    findings.map(({ call, cause, note }) => [
      call,
      cause,
      note?.includes('leaves from another address than 192.0.2.1') ?? false,
    ]),
    [
      ['bind', 'ports-of-the-address', false],
      ['bind', 'ports-of-the-address', true],
    ],
  );
  assert.deepEqual(seen([SOCKET, refused, CONNECT].join('\n')), [
    ['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind'],
    ['connect', 'EADDRNOTAVAIL', 'after-refused-bind', null],
  ]);
});

test('the cause follows the strategy that the trace proves', () => {
  const named = BIND.replace('htons(0)', 'htons(49154)');
  const reuse = 'setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0';
  assert.deepEqual(seen([SOCKET, reuse, named, CONNECT].join('\n')), [
    ['connect', 'EADDRNOTAVAIL', 'named-tuple', 'bind-explicit-port'],
  ]);
  // bind() has given it a port already, so no 4-tuple can be wanting (cisco/exanic-software #74).
  assert.deepEqual(seen([SOCKET, BIND, CONNECT].join('\n')), [['connect', 'EADDRNOTAVAIL', 'not-ports', 'bind']]);
});

test('a trace in which all succeeds says how the program binds', () => {
  const { findings } = explain([SOCKET, OPTION, BIND, CONNECT.replace(/= -1 .*/, '= 0')].join('\n'));
  assert.deepEqual(
    findings.map(({ cause, strategy, sure }) => [cause, strategy?.name, sure]),
    [['succeeds', 'bind-no-port', 'certain']],
  );
});

test('SCTP is neither', () => {
  const sctp = 'socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) = 3';
  assert.deepEqual(seen(`${sctp}\n${CONNECT.replace(/EADDR.*/, 'EAGAIN (Resource temporarily unavailable)')}`), [
    ['connect', 'EAGAIN', 'sctp-ports', null],
  ]);
  assert.deepEqual(seen(`${sctp}\n${BIND.replace('= 0', '= -1 EADDRINUSE (Address already in use)')}`), [
    ['bind', 'EADDRINUSE', 'sctp-ports', null],
  ]);
});

test('UDP is not TCP', () => {
  const udp = 'socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3';
  assert.deepEqual(seen(`${udp}\n${CONNECT.replace(/EADDR.*/, 'EAGAIN (Resource temporarily unavailable)')}`), [
    ['connect', 'EAGAIN', 'udp-ports', null],
  ]);
  assert.deepEqual(seen(`${udp}\n${BIND.replace('= 0', '= -1 EADDRINUSE (Address already in use)')}`), [
    ['bind', 'EADDRINUSE', 'udp-ports', null],
  ]);
});

test('perf trace, with structures and with nothing but pointers; bindsnoop', () => {
  assert.deepEqual(
    seen(`     0.000 ( 0.050 ms): python3/7230 socket(family: INET, type: STREAM|CLOEXEC)                            = 3
    14.777 ( 0.031 ms): python3/7230 setsockopt(fd: 3, level: IP, optname: 24, optval: 0x7ffd1185280c, optlen: 4) = 0
    15.039 ( 0.015 ms): python3/7230 bind(fd: 3, umyaddr: { .family: INET, port: 0, addr: 192.0.2.1 }, addrlen: 16) = 0
    15.357 ( 0.016 ms): python3/7230 connect(fd: 3, uservaddr: { .family: INET, port: 80, addr: 192.0.2.7 }, addrlen: 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)`),
    NO_PORT,
  );
  assert.deepEqual(
    seen(`    15.309 ( 0.020 ms): python3/7230 socket(family: INET, type: STREAM|CLOEXEC)                            = 6
    15.357 ( 0.016 ms): python3/7230 bind(fd: 6, umyaddr: 0x7ffd11852840, addrlen: 16)                     = -1 EADDRINUSE (Address already in use)`),
    [['bind', 'EADDRINUSE', 'either', null]],
  );
  assert.deepEqual(
    seen(`    PID COMM           RET PROTO OPTS  IF   PORT ADDR
3941081 dig           -98 TCP   ...R. 0       0 192.0.2.1`),
    [['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-reuseaddr']],
  );
});

test('lines and maps of bpftrace and ftrace, in their own words', () => {
  const BOUND = [['bind', 'EADDRINUSE', 'either', null]];
  const CONNECTED = [['connect', 'EADDRNOTAVAIL', 'four-tuples-or-address', 'connect']];
  for (const [line, expected] of [
    // bpftrace 0.17 with one-liners, here: a program with eight ports.
    ['python3[18000] bind: -98', BOUND],
    ['00:22:18 python3          tracepoint:syscalls:sys_exit_bind ret=-98', BOUND],
    ['connect() by python3 returned -99', CONNECTED],
    ['@bind_failed[python3, -98]: 8', BOUND],
    ['@connects[python3, -99]: 10', CONNECTED],
    ['@[python3, 18000, -98]: 4', [['none', 'EADDRINUSE', 'either', null]]],
    // Refusals that are no shortage.
    ['@connects[python3, -111]: 14', []],
    ['@reads[python3, -11]: 14', []],
    ['@[python3, 1298, 98]: 4', []],
    // Forms that follow from the documents of bpftrace -f json, of kprobes and of ftrace.
    ['{"type": "map", "data": {"@": {"squid,1234,-98": 17}}}', [['none', 'EADDRINUSE', 'either', null]]],
    ['kretprobe:inet_csk_get_port ret=-98 comm=python3', BOUND],
    ['inet_csk_get_port returned -98 for squid', BOUND],
    ['kretprobe:__inet_hash_connect retval=-99 comm=java', CONNECTED],
    [' squid-1234    [001] ..... 5123.123456: sys_bind -> 0xffffffffffffff9e', BOUND],
    [' squid-1234    [001] ..... 5123.123456: sys_connect -> 0xffffffffffffff9d', CONNECTED],
    ['udp_v4_get_port ret=-98 comm=dig', [['bind', 'EADDRINUSE', 'udp-ports', null]]],
    [
      'bind failed: comm=squid pid=1234 err=-98 addr=10.0.0.5 port=0',
      [['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind']],
    ],
    ['12:00:01 haproxy 812 connect() = -99', CONNECTED],
  ] as const)
    assert.deepEqual(seen(line), expected, line);
});

test("a class that is called after sockets is no call: .NET's SocketException", () => {
  const line = 'System.Net.Sockets.SocketException (99): Cannot assign requested address 192.0.2.7:443';
  assert.deepEqual(seen(line), [['none', 'EADDRNOTAVAIL', 'either', null]]);
});
