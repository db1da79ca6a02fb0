/**
 * Traces. Those of a named program are real: two lines of public reports, and six traces of runs here (Linux 6.18, four ports). The others
 * are put together for what they show.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/explain/explain.js';

function seen(trace: string) {
  return explain(trace).findings.map(({ call, errno, cause, strategy, count }) => [
    call,
    errno,
    cause,
    strategy?.name ?? null,
    strategy?.sure ?? null,
    count,
  ]);
}

const SHORT = [['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind', false, 1]];

test('one line of a report: the call is certain, the options are not', () => {
  // Squid 2014 (wiki.jokeru.ro), its address cut out; Tor 2012 (noisebridge tor list), with pid and time.
  assert.deepEqual(
    seen(
      'bind(482, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("")}, 16) = -1 EADDRINUSE (Address already in use)',
    ),
    SHORT,
  );
  assert.deepEqual(
    seen(
      '15610 1326094578.702454 bind(3520, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("")}, 16) = -1 EADDRINUSE (Address already in use)',
    ),
    SHORT,
  );
});

test('Node.js with localAddress', () => {
  assert.deepEqual(
    seen(`[pid 19312] 04:59:18.344215 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 19
[pid 19312] 04:59:18.344345 setsockopt(19, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
[pid 19312] 04:59:18.344392 bind(19, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.9.0.1")}, 16) = -1 EADDRINUSE (Address already in use)`),
    [['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-reuseaddr', true, 1]],
  );
});

test('curl --interface', () => {
  assert.deepEqual(
    seen(`socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 5
setsockopt(5, SOL_IP, IP_BIND_ADDRESS_NO_PORT, [1], 4) = 0
bind(5, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.9.0.1")}, 16) = 0
getsockname(5, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.9.0.1")}, [128 => 16]) = 0
connect(5, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("10.9.0.9")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)
+++ exited with 7 +++`),
    [['connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port', true, 1]],
  );
});

test('Tor 0.4.9: both options, so the failure is in connect(); Python: none', () => {
  assert.deepEqual(
    seen(`socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_TCP) = 19
setsockopt(19, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
setsockopt(19, SOL_IP, IP_BIND_ADDRESS_NO_PORT, [1], 4) = 0
bind(19, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.77.0.121")}, 16) = 0
connect(19, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("10.77.0.80")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)`),
    [['connect', 'EADDRNOTAVAIL', 'four-tuples', 'bind-no-port-reuseaddr', true, 1]],
  );
  assert.deepEqual(
    seen(`socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 3
bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.9.0.1")}, 16) = -1 EADDRINUSE (Address already in use)`),
    [['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind', true, 1]],
  );
});

test('Java: an IPv4 address in an IPv6 socket, made by one thread and bound by another', () => {
  assert.deepEqual(
    seen(`[pid 23741] socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = 4
[pid 23742] bind(4, {sa_family=AF_INET6, sin6_port=htons(0), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::ffff:10.9.0.1", &sin6_addr), sin6_scope_id=0}, 28) = -1 EADDRINUSE (Address already in use)`),
    [['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind', true, 1]],
  );
});

test('psql: no bind, so the route chose the address', () => {
  assert.deepEqual(
    seen(`socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("10.9.0.9")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)`),
    [['connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect', true, 1]],
  );
});

test('SO_REUSEADDR after bind(), as Tor had it until 2012, does nothing, and is said', () => {
  const [finding] = explain(`socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 7
bind(7, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.0.0.1")}, 16) = 0
setsockopt(7, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
connect(7, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)`).findings;
  assert.equal(finding!.strategy!.name, 'bind');
  assert.match(finding!.note!, /SO_REUSEADDR was set after bind\(\)/);
});

test('named ports, the wildcard, other address families, and a descriptor that is used again', () => {
  const [finding] = explain(
    'bind(5, {sa_family=AF_INET, sin_port=htons(50001), sin_addr=inet_addr("10.9.1.1")}, 16) = -1 EADDRINUSE (Address already in use)',
  ).findings;
  assert.deepEqual([finding!.cause, finding!.strategy!.name], ['named-port', 'bind-explicit-port-exclusive']);
  assert.match(finding!.note!, /to listen, .* another listener/);
  assert.deepEqual(
    seen(`socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 9
setsockopt(9, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
bind(9, {sa_family=AF_INET6, sin6_port=htons(0), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::", &sin6_addr), sin6_scope_id=0}, 28) = -1 EADDRINUSE (Address already in use)
close(9) = 0
socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 9
connect(9, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT (No such file or directory)
socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 9
connect(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.9.0.9")}, 16) = -1 EADDRNOTAVAIL (Cannot assign requested address)
socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = -1 EMFILE (Too many open files)`),
    [
      ['bind', 'EADDRINUSE', 'ports-of-the-address', 'bind-any-reuseaddr', true, 1],
      ['connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect', true, 1],
      ['socket', 'EMFILE', 'descriptors', null, null, 1],
    ],
  );
});

test('calls that strace shows in two parts', () => {
  assert.deepEqual(
    seen(`[pid   812] socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 11
[pid   812] connect(11, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("10.9.0.9")}, 16 <unfinished ...>
[pid   813] epoll_wait(5, [], 1024, 0) = 0
[pid   812] <... connect resumed>) = -1 EADDRNOTAVAIL (Cannot assign requested address)`),
    [['connect', 'EADDRNOTAVAIL', 'four-tuples', 'connect', true, 1]],
  );
});

test('many failures are one finding, and the rest of a trace is not called unknown', () => {
  const line =
    'bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.9.0.1")}, 16) = -1 EADDRINUSE (Address already in use)';
  const { findings, unknown } = explain(
    `strace: Process 812 attached\n${`${line}\nwrite(2, "x", 1) = 1\n`.repeat(50)}--- SIGTERM {si_signo=SIGTERM} ---\n+++ exited with 1 +++`,
  );
  assert.equal(findings.length, 1);
  assert.deepEqual([findings[0]!.count, unknown], [50, 0]);
});
