import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capacityOf, type Level, readAddresses, wallOf, worstLevel } from '../../src/gauge/reading.js';
import { ALARMS, countOf } from '../support/looks.js';

const capacity = capacityOf({ range: { low: 40_000, high: 40_099 }, reserved: [] });
const levels = (ports: number, alarms: { slow: number; hard: number } = ALARMS): Level =>
  readAddresses([countOf('10.0.0.1', ports)], capacity, alarms)[0]!.level;

describe('the capacity of an address', () => {
  it('is the range, both ends included; the slow wall is half of it', () => {
    assert.deepEqual(capacityOf({ range: { low: 32_768, high: 60_999 }, reserved: [] }), {
      low: 32_768,
      high: 60_999,
      reserved: 0,
      ports: 28_232,
      slowWall: 14_116,
      hardWall: 28_232,
    });
  });

  it('is without the reserved ports of the range, each once', () => {
    const reserved = [
      { low: 39_000, high: 40_004 },
      { low: 40_003, high: 40_009 },
      { low: 40_099, high: 65_535 },
      { low: 80, high: 80 },
    ];
    const { ports, reserved: taken, slowWall } = capacityOf({ range: { low: 40_000, high: 40_099 }, reserved });
    assert.deepEqual([taken, ports, slowWall], [11, 89, 44]);
  });
});

describe('the levels', () => {
  it('change at the walls and not before', () => {
    assert.deepEqual(
      [0, 49, 50, 99, 100, 101].map((ports) => levels(ports)),
      ['ok', 'ok', 'slow', 'slow', 'hard', 'hard'],
    );
  });

  it('follow the shares that were asked for', () => {
    assert.deepEqual(
      [29, 30, 89, 90].map((ports) => levels(ports, { slow: 0.3, hard: 0.9 })),
      ['ok', 'slow', 'slow', 'hard'],
    );
  });

  it('of the whole is the worst, and ok where there is nothing', () => {
    assert.equal(worstLevel([]), 'ok');
    assert.equal(worstLevel([{ level: 'ok' }, { level: 'hard' }, { level: 'slow' }]), 'hard');
    assert.equal(worstLevel([{ level: 'slow' }, { level: 'ok' }]), 'slow');
  });

  it('is hard where every port is reserved', () => {
    const none = capacityOf({ range: { low: 40_000, high: 40_001 }, reserved: [{ low: 40_000, high: 40_001 }] });
    assert.equal(none.ports, 0);
    assert.equal(readAddresses([countOf('10.0.0.1', 0, { sockets: 1 })], none, ALARMS, 'ports')[0]!.level, 'hard');
  });
});

describe('the wall', () => {
  it('is the ports where each has one socket, or a few share', () => {
    assert.equal(wallOf({ ports: 1000, sockets: 1000 }), 'ports');
    assert.equal(wallOf({ ports: 1000, sockets: 1499 }), 'ports');
    assert.equal(wallOf({ ports: 1000, sockets: 1500 }), 'destination');
  });

  it('decides what counts: all ports in use are no alarm where destinations share them', () => {
    const shared = countOf('10.0.0.1', 100, {
      sockets: 400,
      largest: { address: '203.0.113.9', port: 443, sockets: 30 },
    });
    const read = (wall: 'auto' | 'ports' | 'destination') => {
      const { used, fill, level, wall: decided } = readAddresses([shared], capacity, ALARMS, wall)[0]!;
      return [decided, used, fill, level];
    };
    assert.deepEqual(read('auto'), ['destination', 30, 0.3, 'ok']);
    assert.deepEqual(read('destination'), ['destination', 30, 0.3, 'ok']);
    assert.deepEqual(read('ports'), ['ports', 100, 1, 'hard']);
  });

  it('counts nothing where no socket is connected to anything', () => {
    const bound = countOf('10.0.0.1', 10, { sockets: 20, largest: null });
    assert.equal(readAddresses([bound], capacity, ALARMS)[0]!.used, 0);
  });
});

it('the fullest address comes first, equal ones by their names', () => {
  const readings = readAddresses(
    [countOf('10.0.0.3', 10), countOf('10.0.0.2', 10), countOf('10.0.0.1', 5), countOf('10.0.0.4', 20)],
    capacity,
    ALARMS,
  );
  assert.deepEqual(
    readings.map(({ address }) => address),
    ['10.0.0.4', '10.0.0.2', '10.0.0.3', '10.0.0.1'],
  );
});
