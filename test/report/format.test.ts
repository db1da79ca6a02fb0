import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatChange,
  formatDifference,
  formatDuration,
  formatInstant,
  formatInterval,
  formatNumber,
  formatP,
  formatValue,
  listed,
  metricLabel,
  plural,
  type Unit,
  unitOf,
  verdictText,
} from '../../src/report/format.js';

test('values carry their unit', () => {
  const cases: [Unit, number | null, string][] = [
    ['share', 0.5, '50.0 %'],
    ['share', 0.024, '2.4 %'],
    ['share', 0, '0 %'],
    ['share', 1, '100 %'],
    ['share', 0.000123, '0.012 %'],
    ['share', 0.9996, '99.96 %'],
    ['share', 1e-9, '< 0.0001 %'],
    ['microseconds', 85, '85 µs'],
    ['microseconds', 3.21, '3.21 µs'],
    ['microseconds', 999.7, '1 ms'],
    ['microseconds', 1234, '1.23 ms'],
    ['microseconds', 123_456, '123 ms'],
    ['microseconds', 999_700, '1 s'],
    ['microseconds', 2_345_678, '2.35 s'],
    ['perSecond', 1234, '1,234/s'],
    ['perSecond', 8.333, '8.33/s'],
    ['bytes', 84_512_000, '80.6 MiB'],
    ['bytes', 512, '512 B'],
    ['bytes', 1_048_576, '1 MiB'],
    ['count', 1234, '1,234'],
    ['count', 0.5, '0.5'],
    ['count', null, '–'],
  ];
  for (const [unit, value, text] of cases) assert.equal(formatValue(unit, value), text, `${unit} ${value}`);
});

test('a share that is not zero never reads as zero, and one below all never as all', () => {
  for (let exponent = -9; exponent < 0; exponent += 0.25) {
    const share = 10 ** exponent;
    assert.doesNotMatch(formatValue('share', share), /^0(?:\.0+)? %$/);
    assert.doesNotMatch(formatValue('share', 1 - share), /^100(?:\.0+)? %$/);
  }
});

test('differences carry their sign, and shares differ by points', () => {
  assert.equal(formatDifference('share', -0.5), '−50.0 points');
  assert.equal(formatDifference('share', 1e-17), '0 points');
  assert.equal(formatDifference('microseconds', 300), '+300 µs');
  assert.equal(formatDifference('perSecond', -1234), '−1,234/s');
  assert.equal(formatDifference('count', 0), '0');
  assert.equal(formatDifference('count', null), '–');
  assert.equal(formatInterval('share', [-0.502, -0.498]), '−50.2 to −49.8');
  assert.equal(formatInterval('microseconds', [-20, 1500]), '−20 µs to +1.5 ms');
  assert.equal(formatInterval('count', null), null);
  assert.equal(formatChange('share', 0.5, 0), '50.0 % → 0 %');
  assert.equal(formatChange('share', null, null), '–');
});

test('numbers, times and words', () => {
  assert.equal(formatNumber(-1234.5), '−1,235');
  assert.equal(formatNumber(12.34), '12.3');
  assert.equal(formatP(0.03125), 'p = 0.031');
  assert.equal(formatP(0.0002), 'p < 0.001');
  assert.equal(formatDuration(12_000), '12 s');
  assert.equal(formatDuration(125_000), '2 min 5 s');
  assert.equal(formatDuration(7_260_000), '2 h 1 min');
  assert.equal(formatInstant('2026-03-02T09:14:07.120Z'), '2026-03-02 09:14 UTC');
  assert.equal(formatInstant('soon'), 'soon');
  assert.equal(plural(1, 'run'), '1 run');
  assert.equal(plural(2000, 'run'), '2,000 runs');
  assert.equal(listed(['a', 'b', 'c']), 'a, b and c');
  assert.equal(verdictText('not enough evidence'), '? not enough evidence');
});

test('a duration never shows sixty seconds', () => {
  for (let ms = 0; ms < 8_000_000; ms += 499) assert.doesNotMatch(formatDuration(ms), /\b60 (?:s|min)\b/, `${ms} ms`);
});

test('metrics have a name that people say, and a unit', () => {
  assert.equal(metricLabel('failures.share'), 'failures');
  assert.equal(metricLabel('outcomes["bind:EADDRINUSE"].share'), 'bind:EADDRINUSE');
  assert.equal(metricLabel('latency.total.p999'), 'total time, p99.9');
  assert.equal(metricLabel('something.new'), 'something.new');
  assert.equal(unitOf('latency.total.p99'), 'microseconds');
  assert.equal(unitOf('something.new'), 'count');
});
