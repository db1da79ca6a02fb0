/** The NAT model: SYN times, the hash of addresses, the drop curve as measured, clouds on paper. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { natAddressFor } from '../../src/capacity/nat/address-hash.js';
import { dropCurve, holdAttempts } from '../../src/capacity/nat/drop-curve.js';
import { createPortPool } from '../../src/capacity/nat/port-search.js';
import { type NatQuestion, natCapacityOf } from '../../src/capacity/nat/question.js';
import { synSchedule } from '../../src/capacity/nat/syn-schedule.js';
import { randomStream } from '../../src/domain/random.js';

describe('when SYNs are sent', () => {
  it('is as measured on 6.18 and before 6.5', () => {
    assert.deepEqual(synSchedule(6, 4), { sent: [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], timeout: 131 });
    assert.deepEqual(synSchedule(6, 0), { sent: [0, 1, 3, 7, 15, 31, 63], timeout: 127 });
    for (const [retries, linear, syns, timeout] of [
      [1, 4, 3, 3],
      [2, 4, 6, 7],
      [3, 4, 8, 19],
      [2, 0, 3, 7],
      [3, 0, 4, 15],
    ] as const) {
      const schedule = synSchedule(retries, linear);
      assert.deepEqual([schedule.sent.length, schedule.timeout], [syns, timeout], `${retries} ${linear}`);
    }
  });
});

describe('the NAT address of a connection', () => {
  const two = { first: '10.2.0.1', count: 2, persistent: false };

  it('is one for a client and a destination, and with persistent one for a client', () => {
    const destinations = Array.from({ length: 64 }, (_, i) => `10.3.0.${i + 1}`);
    const of = (persistent: boolean) =>
      new Set(destinations.map((to) => natAddressFor('10.1.0.1', to, { ...two, persistent })));
    assert.deepEqual([...of(false)].sort(), ['10.2.0.1', '10.2.0.2']);
    assert.equal(of(true).size, 1);
  });

  it('has all of a range of IPv6 addresses, and none beside it', () => {
    const six = { first: 'fd00::fffe', count: 4, persistent: false };
    const used = new Set(
      Array.from({ length: 200 }, (_, i) => natAddressFor(`fd01::${i.toString(16)}`, 'fd02::1', six)),
    );
    assert.deepEqual([...used].sort(), ['fd00::1:0', 'fd00::1:1', 'fd00::fffe', 'fd00::ffff']);
  });
});

describe('the drop curve', () => {
  // oracle-nat.tsv, and the table of which its rows are a part: first drop, and the shares of 80–90 … 99.5–99.8 % of fill.
  const MEASURED = [
    [2000, 'sequential', 0.92, [0, 0.039, 0.15, 0.35, 0.66, 0.85]],
    [2000, 'random', 0.909, [0, 0.029, 0.063, 0.44, 0.41, 0.57]],
    [2000, 'random flag', 0.934, [0, 0.02, 0.12, 0.29, 0.5, 0.6]],
    [20_000, 'sequential', 0.805, [0.013, 0.052, 0.18, 0.41, 0.64, 0.77]],
    [20_000, 'random', 0.861, [0.004, 0.043, 0.21, 0.34, 0.52, 0.72]],
    [20_000, 'fully-random', 0.834, [0.007, 0.05, 0.19, 0.43, 0.6, 0.79]],
  ] as const;
  const curves = new Map([2000, 20_000].map((ports) => [ports, dropCurve(ports, ports === 2000 ? 400 : 60, 7)]));
  // Of client ports drawn from 1024 to 65535 so many lie inside the range.
  const drawn = new Map(
    [2000, 20_000].map((ports) => [ports, dropCurve(ports, ports === 2000 ? 400 : 60, 7, ports / 64_512)]),
  );

  for (const [ports, how, first, shares] of MEASURED)
    it(`covers what was measured: ${ports} ports, ${how}`, () => {
      const curve = (how === 'random' ? drawn : curves).get(ports)!;
      assert.ok(
        first * ports >= curve.first.low - 1 && first * ports <= curve.first.high + 1,
        JSON.stringify(curve.first),
      );
      for (const [i, share] of shares.entries()) {
        const { low, high, from } = curve.bands[i]!;
        // The table has two digits.
        assert.ok(share >= low - 0.006 && share <= high + 0.006, `${from}: ${share}, simulated ${low} to ${high}`);
      }
    });

  it('independent picks would be wrong by orders', () => {
    const at95 = curves.get(20_000)!.bands.find(({ from }) => from === 0.95)!;
    assert.ok(at95.mean > 1000 * 0.95 ** 248);
  });

  it('a range of up to 128 ports is searched whole, and a port that is kept is not searched', () => {
    assert.equal(dropCurve(128, 20, 1).first.low, 128);
    const pool = createPortPool(20_000, randomStream(1, 'kept'));
    for (let port = 0; port < 20_000; port++) assert.ok(pool.keep(port));
    assert.equal(pool.take(), -1);
    pool.release(7);
    assert.ok(pool.keep(7));
  });

  it('closed connections give way from 6.5 on, and not before', () => {
    const closed = { ports: 20, attempts: 20, closing: 20 };
    assert.deepEqual(new Set(holdAttempts({ ...closed, evicts: false }, 50, 1).ok), new Set([0]));
    const { ok } = holdAttempts({ ...closed, evicts: true }, 200, 1);
    assert.ok(ok.reduce((sum, count) => sum + count, 0) / ok.length > 18);
  });
});

describe('capacity --nat', () => {
  const question: NatQuestion = {
    kind: 'linux',
    protocol: 'tcp',
    kernel: parseKernelVersion('6.1'),
    addresses: 1,
    destinations: 1,
    hosts: 1,
    range: null,
    rate: 600,
    holdMs: 0,
    close: 'client',
  };

  it('Linux before 6.5: 64,512 ports in 120 s are 537 a second', () => {
    const { concurrent, sustained, atRate, drops } = natCapacityOf(question);
    assert.equal(concurrent, 64_512);
    assert.equal(Math.floor(sustained!), 537);
    assert.deepEqual(atRate, { holds: false, needed: 2 });
    assert.ok(drops!.first.median < 0.9 * 64_512);
    assert.equal(natCapacityOf({ ...question, kernel: parseKernelVersion('6.18') }).sustained, null);
  });

  it('clouds by what they publish', () => {
    const gcp = natCapacityOf({ ...question, kind: 'gcp', hosts: 20, rate: 100 });
    assert.deepEqual([gcp.concurrent, gcp.onPaper, gcp.atRate], [1280, true, { holds: false, needed: 188 }]);
    const aws = natCapacityOf({ ...question, kind: 'aws', addresses: 2 });
    assert.deepEqual([aws.concurrent, aws.sustained, aws.atRate], [110_000, null, null]);
    const azure = natCapacityOf({ ...question, kind: 'azure', close: 'reset' });
    assert.deepEqual([azure.concurrent, azure.after, azure.sustained], [50_000, 16, 3125]);
    for (const { source } of [gcp, aws, azure]) assert.match(source, /^https:.*on paper/);
    assert.deepEqual(
      [aws, gcp, azure].map(({ idle }) => idle),
      [350, 1200, 240],
    );
  });

  it('UDP keeps its port until it has been idle for long enough, on every kernel', () => {
    const udp = { ...question, protocol: 'udp', rate: 200 } as const;
    const on = (kernel: string) => natCapacityOf({ ...udp, kernel: parseKernelVersion(kernel) });
    for (const kernel of ['6.1', '6.18'])
      assert.deepEqual([on(kernel).after, Math.floor(on(kernel).sustained!)], [30, 2150], kernel);
    assert.match(on('6.18').rule, /^(?!.*TIME_WAIT).*30 s/s);
    const ofCloud = (kind: NatQuestion['kind']) => natCapacityOf({ ...udp, kind });
    assert.deepEqual(ofCloud('aws').atRate, { holds: false, needed: 2 }, '55,000 in 350 s are 157 a second');
    assert.deepEqual([ofCloud('gcp').after, ofCloud('azure').after], [30, 240]);
  });
});
