import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomStream } from '../../src/domain/random.js';
import {
  createHistograms,
  decodeHistogram,
  encodeHistograms,
  type Histogram,
  mergeHistograms,
  record,
  summarise,
} from '../../src/load/histogram.js';

const TEN_MINUTES = 600e6;

function histogramOf(values: Iterable<number>): Histogram {
  const { total } = createHistograms();
  for (const value of values) record(total, value);
  return total;
}

/** Three significant digits. */
function assertNear(actual: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= expected / 1000 + 0.5,
    `${what}: ${actual}, and the samples say ${expected}`,
  );
}

/** Skewed like latencies: from about 20 µs to seconds. */
function skewed(count: number, seed: number): number[] {
  const random = randomStream(seed, 'latency');
  return Array.from({ length: count }, () => Math.round(20 * Math.exp(3 * random() + 9 * random() ** 8)));
}

/** The value that the given share of the samples does not exceed. */
function rank(values: readonly number[], percentile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil((percentile / 100) * sorted.length - 1e-9), 1) - 1]!;
}

describe('recording', () => {
  it('rounds to whole microseconds', () => {
    const { count, min, max, mean } = summarise(histogramOf([10.4, 10.6]))!;
    assert.deepEqual([count, min, max, mean], [2, 10, 11, 10.5]);
  });

  it('clamps what a clock may give and a histogram cannot hold', () => {
    const { min, max, count } = summarise(histogramOf([-3, TEN_MINUTES, 1e12, Number.POSITIVE_INFINITY]))!;
    assert.equal(count, 4);
    assert.equal(min, 0);
    assertNear(max, TEN_MINUTES, 'max');
  });
});

describe('the summary', () => {
  it('of nothing is nothing', () => {
    assert.equal(summarise(histogramOf([])), undefined);
  });

  it('of one value is that value, and its only percentiles are the ends and what one sample can say', () => {
    const latency = summarise(histogramOf([42]))!;
    assert.deepEqual(latency, {
      count: 1,
      min: 42,
      mean: 42,
      p50: 42,
      p90: 42,
      p99: 42,
      p999: 42,
      max: 42,
      percentiles: [
        [0, 42],
        [100, 42],
      ],
    });
  });

  it('of zeros is zero', () => {
    const { min, max, mean } = summarise(histogramOf([0, 0, 0]))!;
    assert.deepEqual([min, max, mean], [0, 0, 0]);
    assert.equal(summarise(histogramOf([0, 7]))!.min, 0);
  });

  for (const count of [2, 10, 999, 20_000]) {
    it(`agrees with ${count} sorted samples to three digits`, () => {
      const values = skewed(count, count);
      const latency = summarise(histogramOf(values))!;
      assert.equal(latency.count, count);
      assertNear(latency.min, Math.min(...values), 'min');
      assertNear(latency.max, Math.max(...values), 'max');
      assertNear(latency.mean, values.reduce((sum, value) => sum + value, 0) / count, 'mean');
      for (const [name, percentile] of [
        ['p50', 50],
        ['p90', 90],
        ['p99', 99],
        ['p999', 99.9],
      ] as const) {
        assertNear(latency[name], rank(values, percentile), name);
      }
      for (const [percentile, value] of latency.percentiles) {
        assertNear(value, percentile === 0 ? Math.min(...values) : rank(values, percentile), `${percentile} %`);
      }
    });
  }

  it('the curve has a percentile as soon as one sample lies beyond it, and not before', () => {
    const highest = (count: number) =>
      summarise(histogramOf(Array(count).fill(5)))!
        .percentiles.map(([percentile]) => percentile)
        .at(-2);
    for (const [percentile, needed] of [
      [50, 2],
      [75, 4],
      [90, 10],
      [95, 20],
      [99, 100],
      [99.5, 200],
      [99.9, 1000],
      [99.95, 2000],
      [99.99, 10_000],
      [99.999, 100_000],
    ] as const) {
      assert.equal(highest(needed), percentile, `${needed} samples`);
      assert.ok(highest(needed - 1)! < percentile, `${needed - 1} samples`);
    }
  });

  it('rises along the curve, from the minimum to the maximum', () => {
    const { percentiles, min, max } = summarise(histogramOf(skewed(5000, 3)))!;
    assert.deepEqual(percentiles[0], [0, min]);
    assert.deepEqual(percentiles.at(-1), [100, max]);
    percentiles.slice(1).forEach(([percentile, value], i) => {
      assert.ok(percentile > percentiles[i]![0] && value >= percentiles[i]![1]);
    });
  });
});

describe('over the wire', () => {
  it('an encoded histogram is decoded to the same figures', () => {
    const histograms = createHistograms();
    for (const value of skewed(3000, 1)) record(histograms.connect, value);
    const { connect, ...others } = encodeHistograms(histograms);
    assert.deepEqual(others, {}, 'empty histograms are left out');
    assert.deepEqual(summarise(decodeHistogram(connect!)), summarise(histograms.connect));
  });

  it('the merge of several workers’ parts is the histogram of all their values', () => {
    const parts = [skewed(500, 1), [], skewed(2000, 2), [TEN_MINUTES]].map((values) => {
      const histograms = createHistograms();
      for (const value of values) record(histograms.total, value);
      if (values.length > 1000) record(histograms.bind, 3);
      return encodeHistograms(histograms);
    });
    const merged = mergeHistograms(parts);
    const all = histogramOf([...skewed(500, 1), ...skewed(2000, 2), TEN_MINUTES]);
    assert.deepEqual(summarise(merged.total), summarise(all));
    assert.equal(summarise(merged.bind)!.count, 1);
    assert.equal(summarise(merged.lag), undefined);
    assert.equal(summarise(mergeHistograms([]).total), undefined);
  });
});
