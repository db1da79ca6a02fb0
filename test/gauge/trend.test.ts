import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf, readAddresses, type Wall } from '../../src/gauge/reading.js';
import { createTrend } from '../../src/gauge/trend.js';
import { ALARMS, countOf } from '../support/looks.js';

const capacity = capacityOf({ range: { low: 40_000, high: 40_999 }, reserved: [] });
const readings = (ports: Readonly<Record<string, number>>, wall: Wall = 'ports') =>
  readAddresses(
    Object.entries(ports).map(([address, count]) => countOf(address, count)),
    capacity,
    ALARMS,
    wall,
  );

test('the first look has no growth; the second has the difference over the time', () => {
  const trend = createTrend();
  assert.deepEqual([...trend.note(100, readings({ a: 100, b: 50 }), 1000)], []);
  const growth = trend.note(110, readings({ a: 200, b: 50, c: 7 }), 1000);
  assert.deepEqual(growth.get('a'), { perSecond: 10, secondsLeft: 80 });
  assert.deepEqual(growth.get('b'), { perSecond: 0, secondsLeft: null });
  assert.equal(growth.get('c'), undefined, 'seen for the first time');
});

test('ports that come back have no time left to tell, and none is left at the wall', () => {
  const trend = createTrend();
  trend.note(0, readings({ a: 300, b: 900 }), 1000);
  const growth = trend.note(10, readings({ a: 200, b: 1000 }), 1000);
  assert.deepEqual(growth.get('a'), { perSecond: -10, secondsLeft: null });
  assert.deepEqual(growth.get('b'), { perSecond: 10, secondsLeft: 0 });
});

test('growth is that of the last window, not of the whole past', () => {
  const trend = createTrend(60);
  // 10 a second for 100 s, then nothing.
  for (let at = 0; at <= 200; at++) {
    const growth = trend.note(at, readings({ a: Math.min(at, 100) * 5 }), 1000).get('a');
    if (at === 60) assert.equal(growth?.perSecond, 5);
    if (at === 130) assert.equal(growth?.perSecond, 2.5, 'half of the window');
    if (at === 160) assert.equal(growth?.perSecond, 0);
  }
});

test('two looks that are further apart than the window are compared all the same', () => {
  const trend = createTrend(60);
  trend.note(0, readings({ a: 0 }), 1000);
  assert.equal(trend.note(600, readings({ a: 600 }), 1000).get('a')?.perSecond, 1);
  assert.equal(trend.note(1200, readings({ a: 600 }), 1000).get('a')?.perSecond, 0);
});

test('an address that had no socket for a look begins anew, and so does one whose wall has changed', () => {
  const trend = createTrend();
  trend.note(0, readings({ a: 100, b: 100 }), 1000);
  trend.note(1, readings({ b: 100 }), 1000);
  assert.equal(trend.note(2, readings({ a: 500, b: 100 }), 1000).get('a'), undefined);
  assert.equal(trend.note(3, readings({ b: 400 }, 'destination'), 1000).get('b'), undefined);
  assert.equal(trend.note(4, readings({ b: 410 }, 'destination'), 1000).get('b')?.perSecond, 10);
});

test('a clock that stands still divides nothing by nothing', () => {
  const trend = createTrend();
  trend.note(5, readings({ a: 1 }), 1000);
  assert.equal(trend.note(5, readings({ a: 2 }), 1000).get('a'), undefined);
});
