import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { counted, formatDifference, formatValue, listed } from '../../src/analysis/format.js';
import type { MetricUnit } from '../../src/domain/metric.js';

describe('formatValue', () => {
  const cases: [MetricUnit, number, string][] = [
    ['share', 0, '0 %'],
    ['share', 1, '100 %'],
    ['share', 0.5, '50.0 %'],
    ['share', 0.0534, '5.3 %'],
    ['share', 0.0042, '0.42 %'],
    ['share', 0.000042, '0.0042 %'],
    ['share', 0.99996, '99.996 %'],
    ['share', 1e-9, '< 0.0001 %'],
    ['count', 28232, '28,232'],
    ['count', 1234567, '1,234,567'],
    ['count', 28232.5, '28,232.5'],
    ['count', 0, '0'],
    ['perSecond', 0, '0/s'],
    ['perSecond', 0.5, '0.5/s'],
    ['perSecond', 12.34, '12.3/s'],
    ['perSecond', 1450.4, '1,450/s'],
    ['microseconds', 0, '0 µs'],
    ['microseconds', 4.23, '4.23 µs'],
    ['microseconds', 120.4, '120 µs'],
    ['microseconds', 999.7, '1 ms'],
    ['microseconds', 1204, '1.2 ms'],
    ['microseconds', 999_700, '1 s'],
    ['microseconds', 61_000_000, '61 s'],
    ['bytes', 512, '512 B'],
    ['bytes', 12_900_000, '12.3 MiB'],
    ['bytes', 1_073_741_824, '1 GiB'],
  ];
  for (const [unit, value, text] of cases)
    it(`${value} ${unit} is ${text}`, () => assert.equal(formatValue(unit, value), text));
});

it('differences have a sign, and shares differ by points', () => {
  assert.equal(formatDifference('share', -0.5), '−50.0 points');
  assert.equal(formatDifference('microseconds', 30), '+30 µs');
  assert.equal(formatDifference('count', 0), '0');
  assert.equal(formatDifference('microseconds', -0.001), '0 µs');
  assert.equal(formatDifference('share', -1.2), '−120.0 points');
});

it('lists and counts read as English', () => {
  assert.equal(listed([]), '');
  assert.equal(listed(['a']), 'a');
  assert.equal(listed(['a', 'b', 'c']), 'a, b and c');
  assert.equal(counted(1, 'pair'), '1 pair');
  assert.equal(counted(1200, 'run'), '1,200 runs');
});
