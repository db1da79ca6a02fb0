import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  countersMoved,
  parseMachineCpu,
  parseNetCounters,
  parseSockstat,
  readLoad1,
  readMachineCpu,
  readNetCounters,
} from '../../src/kernel/counters.js';

/** /proc/net/snmp of Linux 6.1, shortened. MaxConn is -1, and IcmpMsg lists only the types that were seen. */
const SNMP = `Ip: Forwarding DefaultTTL InReceives
Ip: 2 64 8518
Icmp: InMsgs InErrors InCsumErrors
Icmp: 1 0 0
IcmpMsg: InType3 OutType3
IcmpMsg: 1 2
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens
Tcp: 1 200 120000 -1 61 2
UdpLite: InDatagrams NoPorts
UdpLite: 0 0
`;

/** /proc/net/netstat: long lines; octets go beyond 32 bits. */
const NETSTAT = `TcpExt: SyncookiesSent TW TWRecycled TWKilled TCPTimeWaitOverflow
TcpExt: 0 1200 17 0 3
IpExt: InNoRoutes InOctets
IpExt: 0 276472447389
MPTcpExt: MPCapableSYNRX
MPTcpExt: 0
`;

describe('counters of /proc/net/snmp and netstat', () => {
  it('are named by group and name', () => {
    assert.deepEqual(parseNetCounters(SNMP), {
      'Ip.Forwarding': 2,
      'Ip.DefaultTTL': 64,
      'Ip.InReceives': 8518,
      'Icmp.InMsgs': 1,
      'Icmp.InErrors': 0,
      'Icmp.InCsumErrors': 0,
      'IcmpMsg.InType3': 1,
      'IcmpMsg.OutType3': 2,
      'Tcp.RtoAlgorithm': 1,
      'Tcp.RtoMin': 200,
      'Tcp.RtoMax': 120_000,
      'Tcp.MaxConn': -1,
      'Tcp.ActiveOpens': 61,
      'Tcp.PassiveOpens': 2,
      'UdpLite.InDatagrams': 0,
      'UdpLite.NoPorts': 0,
    });
    const netstat = parseNetCounters(NETSTAT);
    assert.equal(netstat['TcpExt.TWRecycled'], 17);
    assert.equal(netstat['IpExt.InOctets'], 276_472_447_389);
    assert.equal(Object.keys(netstat).length, 8);
  });

  it('a line of names without its values is left out', () => {
    assert.deepEqual(parseNetCounters('Ip: Forwarding\nTcp: 1 200\nUdp: InDatagrams\nUdp: 7\n'), {
      'Udp.InDatagrams': 7,
    });
    assert.deepEqual(parseNetCounters('Ip: Forwarding'), {});
    assert.deepEqual(parseNetCounters(''), {});
  });
});

describe('sockets of /proc/net/sockstat', () => {
  it('are named by protocol and state', () => {
    const text =
      'sockets: used 12\nTCP: inuse 1 orphan 15 tw 120 alloc 16 mem 0\nUDPLITE: inuse 0\nFRAG: inuse 0 memory 4\n';
    assert.deepEqual(parseSockstat(text), {
      'sockstat.sockets.used': 12,
      'sockstat.TCP.inuse': 1,
      'sockstat.TCP.orphan': 15,
      'sockstat.TCP.tw': 120,
      'sockstat.TCP.alloc': 16,
      'sockstat.TCP.mem': 0,
      'sockstat.UDPLITE.inuse': 0,
      'sockstat.FRAG.inuse': 0,
      'sockstat.FRAG.memory': 4,
    });
    assert.deepEqual(parseSockstat('TCP6: inuse 3\n'), { 'sockstat.TCP6.inuse': 3 });
    assert.deepEqual(parseSockstat(''), {});
  });
});

describe('what moved', () => {
  it('is later less earlier, without what stood still', () => {
    assert.deepEqual(countersMoved({ a: 5, b: 2, tw: 1 }, { a: 3, b: 2, tw: 4 }), { a: 2, tw: -3 });
  });

  it('a counter that was not there began at zero, and one that is gone has not moved', () => {
    assert.deepEqual(countersMoved({ 'IcmpMsg.InType3': 2 }, { 'conntrack.count': 8 }), { 'IcmpMsg.InType3': 2 });
  });

  it('what is no number is left out', () => {
    const cut = parseNetCounters('Tcp: ActiveOpens PassiveOpens\nTcp: 4\n');
    assert.deepEqual(countersMoved(cut, {}), { 'Tcp.ActiveOpens': 4 });
  });
});

describe('the CPU of the machine', () => {
  it('in seconds: nice counts as user, irq as system, iowait as idle', () => {
    const text = 'cpu  121012 778 33096 740725 1196 4 3966 59 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    assert.deepEqual(parseMachineCpu(text), { user: 1217.9, system: 331, softirq: 39.66, idle: 7419.21, steal: 0.59 });
  });

  it('what has no such line, or one of an ancient kernel, gives nothing', () => {
    assert.equal(parseMachineCpu(''), undefined);
    assert.equal(parseMachineCpu('cpu0 1 2 3 4 5 6 7\nintr 1\n'), undefined);
    assert.equal(parseMachineCpu('cpu  1 2 3 4\n'), undefined);
  });
});

describe('this machine', () => {
  it('has counters, a load and CPU times that go up', () => {
    const counters = readNetCounters();
    for (const name of ['Tcp.ActiveOpens', 'TcpExt.TWRecycled', 'sockstat.TCP.tw'])
      assert.ok(counters[name]! >= 0, name);
    assert.ok(readLoad1()! >= 0);
    const before = readMachineCpu()!;
    assert.ok(before.idle > 0);
    assert.ok(readMachineCpu()!.user >= before.user);
  });
});
