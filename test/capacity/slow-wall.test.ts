import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predict } from '../../src/capacity/predict.js';
import { input, LATEST } from './inputs.js';

const wall = (changes: Parameters<typeof input>[0]) => predict(input(changes)).slowWall!;
const FULL = { range: { low: 32_768, high: 60_999 }, maxTwBuckets: 1e9 };

test('half of the default range, for bind and for connect, as seen through Squid and Tor: 14,116 ports, at 228 a second for good', () => {
  const squid5 = wall({ strategy: 'bind', ...FULL });
  assert.deepEqual([squid5.tuples, Math.round(squid5.rate!)], [14_116, 228]);
  assert.match(squid5.why, /^bind\(\) walks one parity/);
  const squid6 = wall({ strategy: 'bind-no-port', ...FULL });
  assert.deepEqual([squid6.tuples, Math.round(squid6.rate!)], [14_116, 228]);
  const many = wall({ strategy: 'bind-no-port', addresses: 3, destinations: 4, twReuse: 1, ...FULL });
  assert.deepEqual([many.tuples, many.rate], [14_116 * 12, 14_116 * 12]);
  assert.equal(wall({ strategy: 'connect', addresses: 3, destinations: 4, ...FULL }).tuples, 14_116 * 4);
  assert.equal(wall({ strategy: 'bind', addresses: 3, destinations: 4, ...FULL }).tuples, 14_116 * 3);
});

test('SO_REUSEADDR: a quarter, since the lower half is searched first; a TIME_WAIT that is taken over is walked over all the same', () => {
  assert.equal(wall({ strategy: 'bind-reuseaddr' }).tuples, 25);
  const shared = wall({ strategy: 'bind-reuseaddr', autobindReuse: true });
  assert.deepEqual([shared.tuples, shared.rate], [25, 25 / LATEST]);
  assert.match(wall({ strategy: 'bind-reuseaddr', kernel: '4.9' }).why, /before it shares one/);
});

test('there is none before 4.6, for a program with a list of its own, and since 6.8 for a socket with a range of its own', () => {
  assert.equal(wall({ strategy: 'bind', kernel: '4.5' }), null);
  assert.equal(wall({ strategy: 'connect', kernel: '3.10' }), null);
  assert.equal(wall({ strategy: 'bind-explicit-port' }), null);
  assert.equal(wall({ strategy: 'local-port-range' }), null);
  assert.equal(wall({ strategy: 'local-port-range', kernel: '6.6' }).tuples, 50);
});

test('ports that others bind take the other parity first, then that of connect()', () => {
  const free = (heldElsewhere: number) => wall({ strategy: 'connect', heldElsewhere });
  assert.equal(free(50).tuples, 50);
  assert.equal(free(70).tuples, 30);
  assert.equal(free(100), null);
});

test('no rate leads there where nothing is left behind', () => {
  assert.equal(wall({ close: 'reset' }).rate, null);
  assert.equal(wall({ close: 'server' }).rate, null);
  assert.equal(wall({ close: 'server', holdMs: 5000 }).rate, 10);
  assert.equal(wall({ maxTwBuckets: 49 }).rate, null, 'no more than 49 in TIME_WAIT');
  assert.equal(wall({ maxTwBuckets: 50 }).rate, 50 / LATEST, 'the wall comes before the valve opens');
  assert.equal(wall({ maxTwBuckets: 40, holdMs: 2000 }).rate, 5);
});
