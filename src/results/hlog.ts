/**
 * HdrHistogram logs (V2, version 1.3 of the log format): one file a run, one tagged line a phase, in microseconds. Any
 * HdrHistogram log analyser reads them. Pure: text out.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js/dist/encoding.js';

const LEGEND = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"';

/**
 * @param encoded phase → HdrHistogram V2, compressed, base64, in microseconds
 * @param startedAt ISO 8601
 * @param durationMs of the load
 * @param comment the first line, without the brackets and the units
 */
export function renderHlog(
  encoded: Readonly<Record<string, string>>,
  startedAt: string,
  durationMs: number,
  comment: string,
): string {
  const seconds = (Date.parse(startedAt) / 1000).toFixed(3);
  const lines = [
    `#[${comment}; values in microseconds, Interval_Max in milliseconds]`,
    '#[Histogram log format version 1.3]',
    `#[BaseTime: ${seconds} (seconds since epoch)]`,
    `#[StartTime: ${seconds} (seconds since epoch), ${startedAt}]`,
    LEGEND,
    ...Object.entries(encoded).map(([phase, base64]) => {
      const largest = decodeFromCompressedBase64(base64, 32, false).maxValue / 1000;
      // The start is relative to BaseTime.
      return `Tag=${phase},0.000,${(durationMs / 1000).toFixed(3)},${largest.toFixed(3)},${withPlainHeader(base64)}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** Where the uncompressed V2 header has its two fields about values, in bytes (AbstractHistogram.encodeIntoByteBuffer of HdrHistogram for Java). */
const NORMALIZING_INDEX_OFFSET = 8;
const CONVERSION_RATIO = 32;
/** Cookie and length before the compressed bytes. */
const COMPRESSED_HEADER = 8;

/**
 * The same histogram with the header that HdrHistogram for Java writes: normalizingIndexOffset 0 and a ratio of 1.0 as a double.
 * hdr-histogram-js 3.0.1 writes 1 and the integer 1 and reads neither; HdrHistogram_c then finds each value one slot too high, and the
 * crate for Rust refuses the log.
 */
function withPlainHeader(base64: string): string {
  const compressed = Buffer.from(base64, 'base64');
  const length = compressed.readInt32BE(4);
  const plain = inflateSync(compressed.subarray(COMPRESSED_HEADER, COMPRESSED_HEADER + length));
  plain.writeInt32BE(0, NORMALIZING_INDEX_OFFSET);
  plain.writeDoubleBE(1, CONVERSION_RATIO);
  const deflated = deflateSync(plain);
  const header = Buffer.from(compressed.subarray(0, COMPRESSED_HEADER));
  header.writeInt32BE(deflated.length, 4);
  return Buffer.concat([header, deflated]).toString('base64');
}
