import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STRATEGY_NAMES } from '../../src/domain/strategy.js';
import { CAUSES } from '../../src/explain/causes.js';
import { errnoOf } from '../../src/explain/errno.js';
import { explain } from '../../src/explain/explain.js';
import { HELD } from '../../src/explain/held.js';
import { PROGRAMS } from '../../src/explain/programs/index.js';
import { profileFor } from '../../src/explain/reproduce.js';
import { loadProfile } from '../../src/profile/load.js';
import { renderExplanation } from '../../src/report/explain.js';

test('one FD of Squid is a lower bound: the answer says so, and what counts them', () => {
  const [finding] = explain('commBind Cannot bind socket FD 4312 to 10.0.0.17: (98) Address already in use').findings;
  assert.match(
    finding!.note!,
    /at least as many are open in that process, and it may be far more:.* \/proc\/PID\/fd \| wc -l/,
  );
  assert.doesNotMatch(finding!.note!, /far fewer than ports/);
  const text = renderExplanation(explain(finding!.line), 1000);
  // Clients of the proxy are connected to the same address, on the port where it listens.
  assert.match(text, /ss -Htan 'src 10\.0\.0\.17 and sport >= 32768' \|/);
  assert.match(
    text,
    /squid-2014 .*Where one address is full and others are not, my-proxy\.yaml of docs\/tutorial\.md is nearer/,
  );
});

test('whoever is told to attach strace is told for how long, and what it costs', () => {
  const checks = [...Object.values(CAUSES), ...Object.values(HELD)].map(({ check }) => check);
  const unknown = renderExplanation(explain('nothing'), 1000);
  const traced = [...checks, unknown].filter((text) => text.includes('strace'));
  assert.ok(traced.length >= 6);
  for (const text of traced) assert.match(text, /timeout 10 strace -f .*slows every system call/, text);
});

test('what is none of it: nothing is known, and nothing is made up', () => {
  for (const text of [
    '',
    'GET / HTTP/1.1',
    '1763769600.123    12 10.8.0.2 TCP_TUNNEL/200 39 CONNECT 10.9.255.1:443 - HIER_DIRECT/10.9.255.1 -',
    'Nov 21 21:14:52.000 [notice] Bootstrapped 100% (done): Done',
    '2026/11/21 23:01:10 [notice] 812#812: start worker processes',
    "Error: Cannot find module 'express'",
    'OSError: [Errno 2] No such file or directory',
    'Everybody agrees that you have run out of free ports',
    '[ALERT]    (91760) : Binding [/usr/local/etc/haproxy.conf:43] for frontend test_frontend: cannot bind socket (Permission denied) for [172.168.0.11:443]',
    'commBind: Cannot bind socket FD 10 to [::]:3128: (1) Operation not permitted',
    'setsockopt(19, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0',
    'connect(19, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("10.77.0.80")}, 16) = -1 EINPROGRESS (Operation now in progress)',
    'bind(3, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0',
    'connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)',
    'the use of IP_BIND_ADDRESS_NO_PORT and SO_REUSEADDR is described in ip(7)',
  ]) {
    const { findings } = explain(text);
    assert.deepEqual(findings, [], text);
  }
});

test('an errno alone: what it may be, by the call', () => {
  for (const text of ['EADDRINUSE', '98', 'errno 98', 'errno: -98', 'Address already in use', 'address in use']) {
    const [finding] = explain(text).findings;
    assert.deepEqual([finding?.errno, finding?.cause, finding?.program], ['EADDRINUSE', 'either', null], text);
  }
  assert.equal(explain('99').findings[0]?.errno, 'EADDRNOTAVAIL');
  assert.equal(explain('EMFILE').findings[0]?.cause, 'descriptors');
  assert.equal(errnoOf('No such file'), undefined);
});

test('common words of a program that is not known: the call and the errno, and no more', () => {
  const one = (text: string) => explain(text).findings[0];
  assert.deepEqual(
    [one('myproxy: connect failed: Cannot assign requested address')?.cause, one('x: connect: EADDRNOTAVAIL')?.program],
    ['four-tuples-or-address', null],
  );
  assert.equal(one('myproxy: bind: Address already in use')?.cause, 'either', 'it may have wanted to listen');
  assert.equal(one('[warning] socket() failed: Too many open files')?.cause, 'descriptors');
});

test('equal lines are counted, different ones are not lost', () => {
  const line = '2014/05/22 20:12:40| commBind: Cannot bind socket FD 482 to 10.1.1.1: (98) Address already in use';
  const other = 'Nov 21 21:14:52.101 [info] connect() to socket failed: Cannot assign requested address';
  const { findings, lines, unknown } = explain(`${line}\nnothing\n${line.replace('482', '483')}\n\n${other}\n`);
  assert.deepEqual(
    findings.map(({ program, count }) => [program, count]),
    [
      ['Squid', 2],
      ['Tor', 1],
    ],
  );
  assert.deepEqual([lines, unknown], [4, 1]);
  assert.equal(findings[0]!.line, line);
});

test('each strategy has a profile that can be run, and each shortage leads to one', () => {
  for (const strategy of STRATEGY_NAMES) {
    const { experiment } = loadProfile(profileFor(strategy), 'reproduce.yaml');
    assert.equal(experiment.arms[0]!.load.strategy, strategy);
    assert.equal(experiment.arms.length, 5);
  }
  const line = (name: string) => explain(name).findings[0]!.reproduce;
  assert.match(line('socket/connect: Address already in use')!.yaml, /strategy: bind\n/);
  assert.equal(
    line('Jan 09 00:12:59.000 [warn] Error binding network socket: Address already in use')!.shipped,
    'tor-2012',
  );
});

test('no pattern is out of reach of a long line, and every program and cause has its words', () => {
  const long = `${'a '.repeat(20_000)}bind connect dial tcp Address already in u`;
  const begun = process.cpuUsage().user;
  assert.deepEqual(explain(`${long}\n${long}`).findings, []);
  assert.ok(process.cpuUsage().user - begun < 10_000_000, 'no pattern takes more than linear time for long');
  for (const { name, patterns } of PROGRAMS) assert.ok(name.length > 1 && patterns.length > 0, name);
  for (const [name, { resource, check, helps }] of Object.entries(CAUSES)) {
    for (const text of [resource, check, helps]) assert.match(text, /[.]$/, name);
  }
});
