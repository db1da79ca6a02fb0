import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistograms, encodeHistograms, record } from '../../src/load/histogram.js';
import { count, createTally, settle } from '../../src/load/tally.js';

test('a tally gives the very histogram that recording each value would', () => {
  const edges = [
    -1,
    0,
    0.4,
    0.5,
    1,
    2,
    1023,
    1024,
    2046.5,
    2047,
    2047.4,
    2047.5,
    2048,
    2049,
    4095,
    4096,
    4097,
    2 ** 20,
    2 ** 26 - 1,
    2 ** 26,
    600e6,
    601e6,
  ];
  const values = [
    ...edges,
    ...Array.from({ length: 5000 }, (_, i) => i * 1.7),
    ...Array.from({ length: 3000 }, (_, i) => 1.006 ** i),
  ];
  const expected = createHistograms();
  const actual = createHistograms();
  const tally = createTally(actual.total);
  values.forEach((value, i) => {
    record(expected.total, value);
    count(tally, value);
    // Settled in the middle and at the end: nothing is lost and nothing counts twice.
    if (i === 1000) settle(tally);
  });
  settle(tally);
  settle(tally);
  assert.deepEqual(encodeHistograms(actual), encodeHistograms(expected));
  const { totalCount, minNonZeroValue, maxValue } = expected.total;
  assert.equal(actual.total.totalCount, totalCount);
  assert.equal(actual.total.minNonZeroValue, minNonZeroValue);
  assert.equal(actual.total.maxValue, maxValue);
});

test('the shortest and the longest of long times alone are kept as they were', () => {
  for (const values of [[5001], [5001, 5002, 5003], [5001, 70_003], [70_003, 70_001, 9_000_001]]) {
    const expected = createHistograms().total;
    const actual = createHistograms().total;
    const tally = createTally(actual);
    for (const value of values) {
      record(expected, value);
      count(tally, value);
    }
    settle(tally);
    const of = ({ totalCount, minNonZeroValue, maxValue, mean }: typeof actual) => [
      totalCount,
      minNonZeroValue,
      maxValue,
      mean,
    ];
    assert.deepEqual(of(actual), of(expected), String(values));
  }
});
