import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LineSeriesOption } from 'echarts/charts';
import { type ChartOption, niceScale, secondsLabel } from '../../../src/report/charts/axes.js';
import {
  logTicks,
  outcomeScale,
  outcomesChart,
  percentileChart,
  portsChart,
} from '../../../src/report/charts/charts.js';
import { CSS_PALETTE, outcomeColours } from '../../../src/report/charts/palette.js';
import { loadDrawing } from '../../../src/report/charts/svg.js';
import { addressTimeline, addressWalls } from '../../../src/report/rows/addresses.js';
import { medianTimeline } from '../../../src/report/rows/medians.js';
import { quickstartResults } from '../../support/results.js';

const timelines = quickstartResults({ blocks: 2 }).variants.map(medianTimeline);
const colours = outcomeColours(['ok', 'bind:EADDRINUSE', 'connect:EADDRNOTAVAIL'], CSS_PALETTE);
const series = (option: ChartOption) => option.series as LineSeriesOption[];

test('scales are round and hold the value with few steps', () => {
  for (const value of [0.3, 1, 7, 99, 100, 101, 540, 2000, 28_231, 64_511]) {
    const { max, interval } = niceScale(value);
    assert.ok(max >= value * 0.999 && max <= value * 2, `${value} in ${max}`);
    const steps = max / interval;
    assert.ok(Math.abs(steps - Math.round(steps)) < 1e-9 && steps >= 2 && steps <= 6, `${value}: ${steps} steps`);
  }
  assert.deepEqual(niceScale(0), { max: 1, interval: 1 });
});

test('logarithmic ticks are 1, 2 and 5 of each decade and enclose the values', () => {
  assert.deepEqual(logTicks(3, 40), [2, 5, 10, 20, 50]);
  assert.deepEqual(logTicks(10, 10), [10, 20]);
  assert.deepEqual(logTicks(10, 100), [10, 20, 50, 100]);
  assert.deepEqual(logTicks(30, 1_500_000), [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]);
  for (const low of [0.4, 1, 9, 99, 12_345])
    for (const span of [70, 300, 400, 1e6]) {
      const ticks = logTicks(low, low * span);
      assert.ok(ticks[0]! <= low && ticks[1]! > low && ticks.at(-1)! >= low * span && ticks.length <= 9);
    }
});

test('ticks of time say where they are, however short the load', () => {
  const shown = [0, 0.05, 0.1, 0.15, 0.25, 0.125, 2, 60, 1500].map(secondsLabel);
  assert.deepEqual(shown, ['0', '0.05', '0.1', '0.15', '0.25', '0.125', '2', '60', '1,500']);
});

test('all outcome charts share one scale', () => {
  assert.deepEqual(outcomeScale(timelines), { max: 100, interval: 25 });
});

test('the outcome chart stacks what occurred, each interval drawn up to its end', () => {
  const option = outcomesChart(timelines[0]!, colours, { end: 10, scale: niceScale(100) }, CSS_PALETTE);
  assert.equal(series(option).length, 2);
  const [ok, failed] = series(option).map((line) => line.data as [number, number][]);
  assert.deepEqual(ok!.slice(0, 2), [
    [0, 100],
    [1, 100],
  ]);
  assert.deepEqual(ok!.at(-1), [10, 0]);
  assert.deepEqual(failed!.at(-1), [10, 100]);
  assert.ok(series(option).every((line) => line.stack === 'outcomes' && line.step === 'start'));
});

test('the port chart has both walls within its scale, and none where the range is unknown', () => {
  const timeline = addressTimeline(quickstartResults({ blocks: 2 }).variants[0]!);
  assert.equal(timeline.at(-1)!.fullest, 100);
  const option = portsChart(timeline, { slow: 50, hard: 100 }, 10, CSS_PALETTE);
  const walls = series(option).at(-1)!.markLine!.data as { yAxis: number }[];
  assert.deepEqual(
    walls.map(({ yAxis }) => yAxis),
    [50, 100],
  );
  assert.ok((option.yAxis as { max: number }).max > 100);
  assert.equal(series(portsChart(timeline, { slow: null, hard: null }, 10, CSS_PALETTE)).at(-1)!.markLine, undefined);
});

test('the walls of an address are those of its share of the ports', () => {
  const baseline = quickstartResults({ blocks: 2 }).variants[0]!;
  assert.deepEqual(addressWalls(baseline), { slow: null, hard: 100 });
  baseline.prediction.slowWall = { tuples: 250, rate: null, walked: 50, why: '' };
  assert.deepEqual(addressWalls(baseline), { slow: 50, hard: 100 });
});

test('a chart is drawn with the names of its axes and ids of its own', async () => {
  const { inline: draw } = await loadDrawing();
  const option = percentileChart(
    [
      {
        points: [0, 1, 2, 3, 4].map((nines) => ({ nines, value: 10 * 3 ** nines })),
        colour: 'var(--v1)',
        dash: [4, 2],
        width: 2,
      },
    ],
    CSS_PALETTE,
  );
  const svg = draw(option, 'here', 360, 280);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const label of ['percentile', '0 %', '90 %', '99.99 %', '10 µs', '1 ms'])
    assert.ok(texts.includes(label), label);
  assert.match(svg, /stroke="var\(--v1\)"[^>]*stroke-dasharray="4,2"/);
  assert.match(svg, /id="here-c0"/);
  assert.doesNotMatch(svg, /zr\d|<style|xmlns:xlink/);
});

test('colours of outcomes do not depend on which of them an arm has', () => {
  assert.equal(colours.get('ok'), CSS_PALETTE.okArea);
  assert.notEqual(colours.get('bind:EADDRINUSE'), colours.get('connect:EADDRNOTAVAIL'));
  assert.equal(outcomeColours(['shed'], CSS_PALETTE).get('shed'), CSS_PALETTE.shed);
});
