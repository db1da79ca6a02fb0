import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as hdr from 'hdr-histogram-js';
import { randomStream } from '../../src/domain/random.js';
import { createHistograms, encodeHistograms, record } from '../../src/load/histogram.js';
import { renderHlog } from '../../src/results/hlog.js';

const STARTED_AT = '2026-01-02T03:04:05.678Z';
const START = Date.parse(STARTED_AT);

/** Phases with 5000, 1 and no values. */
function example() {
  const histograms = createHistograms();
  const random = randomStream(1, 'hlog');
  for (let i = 0; i < 5000; i++) record(histograms.connect, 20 * Math.exp(10 * random()));
  record(histograms.failed, 5e6);
  const encoded = encodeHistograms(histograms) as Record<string, string>;
  return { histograms, encoded, text: renderHlog(encoded, STARTED_AT, 10_250.4, 'bindstorm quickstart b00-baseline') };
}

function intervals(text: string): hdr.Histogram[] {
  const reader = new hdr.HistogramLogReader(text);
  const found: hdr.Histogram[] = [];
  for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram())
    found.push(next);
  return found;
}

describe('the HdrHistogram log', () => {
  it('is read back by another reader: tags, counts and percentiles', () => {
    const { histograms, text } = example();
    const found = intervals(text);
    assert.deepEqual(
      found.map(({ tag, totalCount }) => [tag, totalCount]),
      [
        ['connect', 5000],
        ['failed', 1],
      ],
    );
    assert.deepEqual(hdr.listTags(text), ['connect', 'failed']);
    for (const percentile of [0, 1, 50, 90, 99, 99.9, 99.99, 100]) {
      assert.equal(found[0]!.getValueAtPercentile(percentile), histograms.connect.getValueAtPercentile(percentile));
    }
    assert.equal(found[0]!.mean, histograms.connect.mean);
    assert.equal(found[1]!.getValueAtPercentile(50), histograms.failed.getValueAtPercentile(50));
  });

  it('says when the load was, to the millisecond', () => {
    for (const histogram of intervals(example().text)) {
      assert.ok(Math.abs(histogram.startTimeStampMsec - START) < 1);
      assert.ok(Math.abs(histogram.endTimeStampMsec - (START + 10_250)) < 1.5);
    }
  });

  it('has the lines of format 1.3: comments, legend, intervals, nothing else', () => {
    const { encoded, text } = example();
    assert.ok(text.endsWith('\n'));
    const lines = text.slice(0, -1).split('\n');
    assert.deepEqual(lines.slice(0, 5), [
      '#[bindstorm quickstart b00-baseline; values in microseconds, Interval_Max in milliseconds]',
      '#[Histogram log format version 1.3]',
      `#[BaseTime: ${START / 1000} (seconds since epoch)]`,
      `#[StartTime: ${START / 1000} (seconds since epoch), ${STARTED_AT}]`,
      '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]);
    // Tag, start relative to BaseTime and length in seconds, maximum in ms, and V2 in base64, which begins with its cookie.
    assert.equal(lines.length, 7);
    const [connect, failed] = lines.slice(5);
    assert.match(connect!, /^Tag=connect,0\.000,10\.250,\d+\.\d{3},HISTFAAA[A-Za-z0-9+/]+=*$/);
    assert.match(failed!, /^Tag=failed,0\.000,10\.250,500\d\.\d{3},HISTFAAA/);
    assert.equal(encoded.connect!.slice(0, 8), 'HISTFAAA');
  });

  it('of a run without times has no interval', () => {
    const text = renderHlog({}, STARTED_AT, 0, 'x');
    assert.deepEqual(intervals(text), []);
    assert.equal(text.trimEnd().split('\n').length, 5);
  });
});
