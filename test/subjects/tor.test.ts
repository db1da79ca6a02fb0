/**
 * The private Tor network on paper, what its logs and control ports say, and how streams come to their exits.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STRATEGY_NAMES } from '../../src/domain/strategy.js';
import type { ProxySetup } from '../../src/subjects/subject.js';
import { portsBesideClients, torLayout, torrcOf, votingTimes } from '../../src/subjects/tor/layout.js';
import { bootstrapPhase, parseCircuit, parseStream, readTorLine } from '../../src/subjects/tor/log.js';
import { foreignRoutes } from '../../src/subjects/tor/network.js';
import { createAttacher } from '../../src/subjects/tor/streams.js';
import { tor } from '../../src/subjects/tor/tor.js';
import { TOR } from '../support/proxies.js';

const SETUP: ProxySetup = {
  directory: '/lab',
  listen: [{ address: '198.18.1.1', port: 3128 }],
  destinations: [{ address: '198.19.0.1', port: 9000 }],
  outgoing: ['10.50.0.1', '10.50.0.2'],
  clients: [['198.18.128.1'], ['198.18.128.2']],
  descriptors: 1000,
};
const LAYOUT = torLayout(SETUP, '198.18.1.2');
const KNOWN = { v3ident: 'V3', fingerprints: { auth1: 'A', mid1: 'M', exit1: 'E', exit2: 'F' } };

describe('the private network', () => {
  it('has an exit for each outgoing address, and only its own authority', () => {
    assert.deepEqual(
      LAYOUT.nodes.map(({ name, orPort = null }) => [name, orPort]),
      [
        ['auth1', '198.18.1.1:5000'],
        ['mid1', '198.18.1.1:5001'],
        ['exit1', '198.18.1.2:5010'],
        ['exit2', '198.18.1.2:5011'],
        ['client', null],
      ],
    );
    for (const node of LAYOUT.nodes) {
      const lines = torrcOf(node, LAYOUT, KNOWN, { interval: 5, offset: 3 }, ['Log [net]info stdout']).split('\n');
      assert.ok(lines.includes('TestingTorNetwork 1'), node.name);
      assert.deepEqual(
        lines.filter((line) => line.startsWith('DirAuthority ')),
        ['DirAuthority auth1 orport=5000 no-v2 v3ident=V3 198.18.1.1:7000 A'],
      );
      assert.equal(lines.includes('Log [net]info stdout'), node.kind === 'exit', 'lines of the profile are for exits');
    }
    const exit = torrcOf(LAYOUT.exits[1]!, LAYOUT, KNOWN, { interval: 5, offset: 3 }, []);
    assert.match(exit, /^OutboundBindAddressExit 10\.50\.0\.2$/m);
    assert.match(
      torrcOf(LAYOUT.client, LAYOUT, KNOWN, { interval: 5, offset: 3 }, []),
      /^SocksPort 198\.18\.1\.1:3128 /m,
    );
  });

  it('keeps its ports in the clients’ namespace from the clients', () => {
    assert.deepEqual(portsBesideClients(SETUP.listen[0]), [3128, 5000, 5001, 7000]);
  });

  it('votes when every relay has had the time to upload its descriptor', () => {
    for (const attempt of [0, 1, 2]) {
      for (const now of [1000.0, 1003.7, 1004.2, 1799.9]) {
        const { interval, offset } = votingTimes(now, attempt);
        assert.equal(1800 % interval, 0, 'Tor wants that');
        assert.ok(offset >= 0 && offset < interval);
        // To the first vote that lies ahead.
        const wait = interval - ((((now - offset) % interval) + interval) % interval);
        assert.ok(wait >= interval - 1, `${wait} s of ${interval} s from ${now} on`);
      }
    }
  });

  it('binds as its version does', () => {
    const strategy = (version: string | null) => tor.strategy(TOR, version);
    assert.equal(strategy('0.4.5.16'), 'bind-reuseaddr');
    assert.equal(strategy('0.4.7.12'), 'bind-reuseaddr');
    assert.equal(strategy('0.4.7.13'), 'bind-no-port-reuseaddr');
    assert.equal(strategy('0.4.9.11'), 'bind-no-port-reuseaddr');
    assert.equal(strategy('0.5.0.1'), 'bind-no-port-reuseaddr');
    assert.equal(strategy(null), 'bind-no-port-reuseaddr');
    assert.ok(STRATEGY_NAMES.includes(strategy('0.2.2.35')));
    assert.equal(tor.version!.pattern.exec('[warn] x\nTor version 0.4.9.11.\nThis build')?.[1], '0.4.9.11');
    assert.equal(tor.version!.pattern.exec('Tor version 0.4.5.16.')?.[1], '0.4.5.16');
  });

  it('is not started where a route leads out', () => {
    const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
    const lab =
      'bs-client\t000013C6\t020012C6\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0\nbs-client\t000012C6\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0\n';
    assert.deepEqual(foreignRoutes(head + lab), []);
    const out = 'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0';
    assert.deepEqual(foreignRoutes(`${head}${lab}${out}\n`), [out]);
    assert.equal(foreignRoutes(`${head}eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`).length, 1);
  });
});

describe('what Tor says', () => {
  it('lines of an exit', () => {
    const failure = (call: string, errno: string | null) => ({ kind: 'failure', call, errno });
    assert.deepEqual(
      readTorLine('Jan 09 00:12:59.000 [warn] Error binding network socket: Address already in use'),
      failure('bind', 'EADDRINUSE'),
    );
    assert.deepEqual(
      readTorLine(
        'Nov 21 10:00:00.001 [info] connection_connect_sockaddr(): connect() to socket failed: Cannot assign requested address',
      ),
      failure('connect', 'EADDRNOTAVAIL'),
    );
    assert.deepEqual(
      readTorLine(
        'Nov 21 10:00:00.001 [warn] Failing because we have 70 connections already. Please read doc/TUNING for guidance.',
      ),
      failure('bind', 'EADDRINUSE'),
    );
    assert.deepEqual(readTorLine('Nov 21 10:00:00.001 [err] Reading config failed--see warnings above.'), {
      kind: 'trouble',
      what: 'it gave up: Reading config failed--see warnings above.',
    });
    assert.equal(readTorLine('Nov 21 10:00:00.001 [notice] Bootstrapped 0% (starting): Starting'), null);
  });

  it('events of streams and circuits, and phases', () => {
    assert.deepEqual(parseStream('STREAM 12 DETACHED 4 198.19.0.1:9000 REASON=END REMOTE_REASON=RESOURCELIMIT'), {
      id: '12',
      status: 'DETACHED',
      target: '198.19.0.1:9000',
      source: null,
      reason: 'END',
      remoteReason: 'RESOURCELIMIT',
    });
    assert.equal(
      parseStream('STREAM 5 NEW 0 198.19.0.1:9000 SOURCE_ADDR=198.18.128.2:4567 PURPOSE=USER')?.source,
      '198.18.128.2',
    );
    assert.equal(parseStream('STREAM 5 NEW 0 198.18.1.2:7 SOURCE_ADDR=(Tor_internal):0 PURPOSE=USER')?.source, null);
    assert.equal(parseStream('CIRC 5 BUILT'), null);
    assert.deepEqual(parseCircuit('CIRC 5 FAILED $A~auth1 PURPOSE=GENERAL REASON=TIMEOUT'), {
      id: '5',
      status: 'FAILED',
      reason: 'TIMEOUT',
    });
    assert.deepEqual(
      bootstrapPhase(
        'status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="Handshaking with a relay"',
      ),
      { percent: 14, text: '14% (handshake): Handshaking with a relay' },
    );
    assert.equal(bootstrapPhase('nonsense'), null);
  });
});

describe('streams on circuits', () => {
  /** A client's control port that gives circuits numbers from 1 on, and says nothing by itself. */
  function scene() {
    const asked: string[] = [];
    const noted: string[] = [];
    let circuits = 0;
    const attacher = createAttacher({
      async ask(command) {
        asked.push(command);
        if (command.startsWith('EXTENDCIRCUIT')) return [`EXTENDED ${++circuits}`];
        return ['OK'];
      },
      paths: [
        ['A', 'M', 'E'],
        ['A', 'M', 'F'],
      ],
      exitOf: (source) => (source === '198.18.128.2' ? 1 : 0),
      note: (result) => noted.push(result),
    });
    return { attacher, asked, noted };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const stream = (id: number, source: string) =>
    `STREAM ${id} NEW 0 198.19.0.1:9000 SOURCE_ADDR=${source}:4000 PURPOSE=USER`;

  it('go to the exit of their client’s address, once its circuit is built', async () => {
    const { attacher, asked } = scene();
    attacher.event(stream(7, '198.18.128.2'));
    await turn();
    assert.deepEqual(asked, ['EXTENDCIRCUIT 0 $A,$M,$F']);
    attacher.event('CIRC 1 BUILT $A,$M,$F');
    await turn();
    attacher.event(stream(8, '198.18.128.2'));
    await turn();
    assert.deepEqual(asked.slice(1), ['ATTACHSTREAM 7 1', 'ATTACHSTREAM 8 1']);
  });

  it('are counted once by how they end, and closed in the words of the exit', async () => {
    const { attacher, asked, noted } = scene();
    const built = attacher.build(0);
    await turn();
    attacher.event('CIRC 1 BUILT $A,$M,$E');
    assert.equal(await built, null);
    for (const id of [1, 2]) attacher.event(stream(id, '198.18.128.1'));
    attacher.event('STREAM 1 SUCCEEDED 1 198.19.0.1:9000');
    attacher.event('STREAM 2 DETACHED 1 198.19.0.1:9000 REASON=END REMOTE_REASON=RESOURCELIMIT');
    attacher.event('STREAM 2 FAILED 0 198.19.0.1:9000 REASON=RESOURCELIMIT');
    attacher.event('STREAM 2 CLOSED 0 198.19.0.1:9000 REASON=RESOURCELIMIT');
    await turn();
    assert.deepEqual(noted, ['SUCCEEDED', 'END RESOURCELIMIT']);
    assert.ok(asked.includes('CLOSESTREAM 2 11'), asked.join('\n'));
  });

  it('get a new circuit when theirs is gone, and are refused when there is none', async () => {
    const { attacher, asked, noted } = scene();
    const built = attacher.build(0);
    await turn();
    attacher.event('CIRC 1 BUILT $A,$M,$E');
    await built;
    attacher.event('CIRC 1 CLOSED $A,$M,$E REASON=DESTROYED');
    attacher.event(stream(3, '198.18.128.1'));
    await turn();
    assert.equal(asked.filter((command) => command.startsWith('EXTENDCIRCUIT')).length, 2);
    attacher.event('CIRC 2 FAILED $A,$M,$E REASON=TIMEOUT');
    await turn();
    await turn();
    assert.deepEqual(noted, ['circuit not built']);
    assert.ok(asked.includes('CLOSESTREAM 3 1'));
  });

  it('on trial are not counted', async () => {
    const { attacher, noted } = scene();
    attacher.tryOut('198.18.1.2:7', 1);
    attacher.event('STREAM 1 NEW 0 198.18.1.2:7 SOURCE_ADDR=(Tor_internal):0 PURPOSE=USER');
    await turn();
    attacher.event('CIRC 1 BUILT $A,$M,$F');
    await turn();
    attacher.event('STREAM 1 SUCCEEDED 1 198.18.1.2:7');
    attacher.event('STREAM 1 CLOSED 1 198.18.1.2:7 REASON=DONE');
    assert.deepEqual(noted, []);
  });
});
