/**
 * Latency histograms: HdrHistogram, in microseconds, three significant digits, up to ten minutes.
 */
import type { Histogram } from 'hdr-histogram-js';
// Not the package's index: with its writer of logs comes an Intl.NumberFormat, which takes each thread 11 ms to make.
import { decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js/dist/encoding.js';
import { build } from 'hdr-histogram-js/dist/HistogramBuilder.js';
import { LATENCY_PHASES, type LatencyPhase } from '../domain/metric.js';
import type { Latency } from '../results/schema.js';

export type { Histogram };

const TEN_MINUTES = 600e6;
const PARAMETERS = {
  bitBucketSize: 32,
  autoResize: false,
  lowestDiscernibleValue: 1,
  highestTrackableValue: TEN_MINUTES,
  numberOfSignificantValueDigits: 3,
} as const;

export type Histograms = Record<LatencyPhase, Histogram>;

/** One empty histogram a phase. */
export function createHistograms(): Histograms {
  return Object.fromEntries(LATENCY_PHASES.map((phase) => [phase, build(PARAMETERS)])) as Histograms;
}

/** Record a time in microseconds: rounded, and clamped to what the histogram can hold. */
export function record(histogram: Histogram, micros: number): void {
  histogram.recordValue(micros < 0 ? 0 : micros > TEN_MINUTES ? TEN_MINUTES : Math.round(micros));
}

/** The HdrHistogram V2 compressed encoding, base64: what crosses from worker to agent to controller, and into the log. */
export type EncodedHistograms = Partial<Record<LatencyPhase, string>>;

/** Empty histograms are left out. */
export function encodeHistograms(histograms: Histograms): EncodedHistograms {
  const encoded: EncodedHistograms = {};
  for (const phase of LATENCY_PHASES) {
    if (histograms[phase].totalCount > 0) encoded[phase] = encodeIntoCompressedBase64(histograms[phase]);
  }
  return encoded;
}

/** The inverse of the encoding. */
export function decodeHistogram(base64: string): Histogram {
  return decodeFromCompressedBase64(base64, 32, false);
}

/** The sum over workers. */
export function mergeHistograms(parts: readonly EncodedHistograms[]): Histograms {
  const merged = createHistograms();
  for (const part of parts) {
    for (const phase of LATENCY_PHASES) {
      const base64 = part[phase];
      if (base64) merged[phase].add(decodeHistogram(base64));
    }
  }
  return merged;
}

const CURVE = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100];

/** The figures of one phase; undefined when nothing was recorded. Percentiles that the sample is too small for are left out. */
export function summarise(histogram: Histogram): Latency | undefined {
  const count = histogram.totalCount;
  if (count === 0) return undefined;
  // The ends too are asked as percentiles: minNonZeroValue and maxValue are exact before an encoding and not after it, and a
  // p99 could lie above the maximum.
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile);
  return {
    count,
    min: at(0),
    mean: histogram.mean,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: at(100),
    percentiles: CURVE.filter((p) => isReached(p, count)).map((p) => [p, at(p)]),
  };
}

/** Whether one sample in `count` lies beyond a percentile; in floating point 10,000 · (1 − 0.9999) is a little less than 1. */
function isReached(percentile: number, count: number): boolean {
  return percentile === 100 || count * (100 - percentile) > 100 - 1e-6;
}
