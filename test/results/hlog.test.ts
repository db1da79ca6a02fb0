import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
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

  it('has the header that the format has, whose fields other readers obey', () => {
    const { histograms, text } = example();
    for (const line of text.trimEnd().split('\n').slice(5)) {
      const compressed = Buffer.from(line.split(',').at(-1)!, 'base64');
      // Big-endian (AbstractHistogram.java of HdrHistogram 2.2): cookie, length; then, inflated, cookie, length of the counts,
      // normalizingIndexOffset, significant digits, lowest and highest value, ratio of integers to doubles, counts.
      assert.equal(compressed.readInt32BE(0), 0x1c849314);
      assert.equal(compressed.readInt32BE(4), compressed.length - 8);
      const plain = inflateSync(compressed.subarray(8));
      assert.equal(plain.readInt32BE(0), 0x1c849313);
      assert.equal(plain.readInt32BE(4), plain.length - 40);
      assert.equal(plain.readInt32BE(8), 0, 'normalizingIndexOffset');
      assert.equal(plain.readInt32BE(12), 3, 'significant digits');
      assert.equal(plain.readBigInt64BE(16), 1n);
      assert.equal(plain.readBigInt64BE(24), BigInt(histograms.connect.highestTrackableValue));
      assert.equal(plain.readDoubleBE(32), 1, 'ratio');
    }
  });

  /** Where Debian's libhdrhistogram-java has it; another place can be named. */
  const jar = process.env.HDRHISTOGRAM_JAR ?? '/usr/share/java/hdrhistogram.jar';
  const noJava = !existsSync(jar) || spawnSync('java', ['-version']).status !== 0;
  const skip = noJava && `needs java and ${jar} (Debian: default-jre-headless and libhdrhistogram-java)`;
  it("is read by Java's HistogramLogProcessor with the options that docs/results.md names", { skip }, (t) => {
    const { histograms, text } = example();
    const dir = mkdtempSync(join(tmpdir(), 'bindstorm-hlog-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, 'x.hlog'), text);
    const processor = ['-cp', jar, 'org.HdrHistogram.HistogramLogProcessor', '-i', join(dir, 'x.hlog')];
    const { stdout, stderr } = spawnSync('java', [...processor, '-tag', 'connect', '-outputValueUnitRatio', '1000'], {
      encoding: 'utf8',
    });
    // Value in ms, percentile, count up to it, …
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    const at = (share: number) => rows.find(([, percentile]) => percentile === share)?.[0];
    for (const percentile of [0, 50, 75, 90, 100])
      assert.equal(
        at(percentile / 100)?.toFixed(3),
        (histograms.connect.getValueAtPercentile(percentile) / 1000).toFixed(3),
        `p${percentile} ${stdout.slice(0, 400)} ${stderr}`,
      );
    assert.match(stdout, /Total count\s*=\s*5000\]/);
  });
});
