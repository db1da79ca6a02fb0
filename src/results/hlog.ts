/**
 * HdrHistogram logs (V2, version 1.3 of the log format): one file a run, one tagged line a phase, in microseconds. Any
 * HdrHistogram log analyser reads them. Pure: text out.
 */
import * as hdr from 'hdr-histogram-js';

/**
 * @param encoded phase → HdrHistogram V2, compressed, base64
 * @param startedAt ISO 8601
 */
export function renderHlog(
  encoded: Readonly<Record<string, string>>,
  startedAt: string,
  durationMs: number,
  comment: string,
): string {
  const start = Date.parse(startedAt);
  let text = '';
  const writer = new hdr.HistogramLogWriter((content) => {
    text += content;
  });
  const seconds = (start / 1000).toFixed(3);
  writer.baseTime = start;
  writer.outputComment(`[${comment}; values in microseconds, Interval_Max in milliseconds]`);
  writer.outputLogFormatVersion();
  // Not outputStartTime(): it writes an empty line behind, which other readers of the format do not expect.
  writer.outputComment(`[BaseTime: ${seconds} (seconds since epoch)]`);
  writer.outputComment(`[StartTime: ${seconds} (seconds since epoch), ${startedAt}]`);
  writer.outputLegend();
  for (const [phase, base64] of Object.entries(encoded)) {
    const histogram = hdr.decodeFromCompressedBase64(base64, 32, false);
    histogram.tag = phase;
    histogram.startTimeStampMsec = start;
    histogram.endTimeStampMsec = start + durationMs;
    writer.outputIntervalHistogram(histogram);
  }
  return text;
}
