/**
 * The charts as ECharts options, built from medians: no renderer, no page. Strings of the results stay out of them (names
 * stand in captions), so an option holds numbers, fixed words and colours only.
 */
import type { LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption, MarkLineComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { formatNumber, formatValue } from './format.js';
import type { CurvePoint, Slice } from './medians.js';
import type { Palette } from './palette.js';

export type ChartOption = ComposeOption<LineSeriesOption | GridComponentOption | MarkLineComponentOption>;

/** The end of an axis and the distance of its ticks. */
export interface Scale {
  readonly max: number;
  readonly interval: number;
}

/** The smallest round scale with 3 to 6 steps that holds `value`. */
export function niceScale(value: number): Scale {
  if (!(value > 0)) return { max: 1, interval: 1 };
  const rough = value / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999)! * power;
  return { max: Math.ceil((value / step) * 0.999) * step, interval: step };
}

/** Ticks of a logarithmic axis at 1, 2 and 5 of each decade, from the last one not above `low` to the first not below `high`. */
export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); ; power *= 10) {
    for (const factor of [1, 2, 5]) {
      const tick = factor * power;
      if (tick <= low) ticks.length = 0;
      ticks.push(tick);
      if (tick >= high && ticks.length > 1) return ticks;
    }
  }
}

/** Attempts per second at most, over all the arms: one scale for all the outcome charts. */
export function outcomeScale(timelines: readonly (readonly Slice[])[]): Scale {
  const totals = timelines.flat().map((slice) => Object.values(slice.rates).reduce((sum, rate) => sum + rate, 0));
  return niceScale(Math.max(0, ...totals));
}

/** Seconds at most, over all the arms. */
export function timeEnd(timelines: readonly (readonly Slice[])[]): number {
  return Math.max(0, ...timelines.map((timeline) => timeline.at(-1)?.t ?? 0));
}

export interface TimeFrame {
  /** Seconds shown. */
  readonly end: number;
  readonly scale: Scale;
}

/** Attempts per second by outcome, stacked: `outcomes` from the bottom up. */
export function outcomesChart(
  timeline: readonly Slice[],
  colours: ReadonlyMap<string, string>,
  frame: TimeFrame,
  palette: Palette,
): ChartOption {
  const present = [...colours].filter(([name]) => timeline.some((slice) => (slice.rates[name] ?? 0) > 0));
  return {
    ...timeAxes(frame, 'attempts per second', palette),
    series: present.map(([name, colour]) => ({
      ...LINE,
      stack: 'outcomes',
      step: 'start' as const,
      lineStyle: { width: name === 'ok' ? 1.5 : 0, color: name === 'ok' ? palette.okLine : colour },
      areaStyle: { color: colour, opacity: 1 },
      data: fromStart(timeline.map((slice) => [slice.t, slice.rates[name] ?? 0])),
    })),
  };
}

/** Ports in use, with a dashed line at the number that there are. */
export function portsChart(
  timeline: readonly Slice[],
  available: number | null,
  end: number,
  palette: Palette,
): ChartOption {
  const points = timeline.flatMap(({ t, ports }): [number, number][] => (ports === null ? [] : [[t, ports]]));
  const top = Math.max(available ?? 0, ...points.map(([, ports]) => ports));
  return {
    ...timeAxes({ end, scale: niceScale(top * 1.08) }, 'ports in use', palette),
    series: [
      {
        ...LINE,
        lineStyle: { width: 2, color: palette.portsLine },
        areaStyle: { color: palette.portsArea, opacity: 1 },
        data: [[0, 0], ...points],
        ...(available === null ? {} : { markLine: limitLine(available, palette) }),
      },
    ],
  };
}

export interface Curve {
  readonly points: readonly CurvePoint[];
  readonly colour: string;
  readonly dash: readonly number[];
  readonly width: number;
}

/** Latency by percentile in the manner of HdrHistogram: each step to the right is one more nine, time is logarithmic. */
export function percentileChart(curves: readonly Curve[], palette: Palette): ChartOption {
  const values = curves.flatMap((curve) => curve.points.map((point) => Math.max(1, point.value)));
  const nines = Math.max(1, ...curves.map((curve) => curve.points.at(-1)?.nines ?? 0));
  const ticks = logTicks(Math.min(...values), Math.max(...values));
  return {
    ...FRAME,
    xAxis: {
      ...axis(palette, 'percentile'),
      max: nines,
      interval: 1,
      axisLabel: { color: palette.text, showMaxLabel: Number.isInteger(nines), formatter: percentileLabel },
    },
    yAxis: {
      ...axis(palette, 'time, logarithmic'),
      ...VERTICAL,
      type: 'log',
      min: ticks[0]!,
      max: ticks.at(-1)!,
      axisTick: { length: 4, lineStyle: { color: palette.axis }, customValues: ticks },
      splitLine: { show: true, lineStyle: { color: palette.grid } },
      axisLabel: {
        color: palette.text,
        customValues: ticks,
        formatter: (value: number) => formatValue('microseconds', value),
      },
    },
    series: curves.map((curve) => ({
      ...LINE,
      lineStyle: { width: curve.width, color: curve.colour, type: curve.dash.length > 0 ? [...curve.dash] : 'solid' },
      data: curve.points.map((point) => [point.nines, Math.max(1, point.value)]),
    })),
  };
}

const LINE = {
  type: 'line',
  symbol: 'none',
  silent: true,
  emphasis: { disabled: true },
} as const satisfies LineSeriesOption;

const FRAME = {
  animation: false,
  textStyle: { fontFamily: 'inherit' },
  grid: { left: 58, right: 24, top: 30, bottom: 42 },
} as const satisfies ChartOption;

const VERTICAL = { nameLocation: 'end', nameGap: 12 } as const;

function axis(palette: Palette, name: string) {
  return {
    type: 'value' as const,
    min: 0,
    name,
    nameLocation: 'middle' as const,
    nameGap: 26,
    nameTextStyle: { color: palette.text, align: 'center' as const },
    axisLabel: { color: palette.text },
    axisLine: { show: true, lineStyle: { color: palette.axis } },
    axisTick: { show: true, length: 4, lineStyle: { color: palette.axis } },
    splitLine: { lineStyle: { color: palette.grid } },
  };
}

function timeAxes({ end, scale }: TimeFrame, name: string, palette: Palette): ChartOption {
  const left = { color: palette.text, align: 'left' as const, padding: [0, 0, 0, -50] };
  return {
    ...FRAME,
    xAxis: { ...axis(palette, 'seconds of load'), max: end, splitLine: { show: false } },
    yAxis: {
      ...axis(palette, name),
      ...VERTICAL,
      nameTextStyle: left,
      max: scale.max,
      interval: scale.interval,
      axisLabel: { color: palette.text, formatter: formatNumber },
    },
  };
}

/** An interval is drawn up to its end, so the first one needs a point at 0. */
function fromStart(points: [number, number][]): [number, number][] {
  const first = points[0];
  return first ? [[0, first[1]], ...points] : [];
}

function limitLine(value: number, palette: Palette): MarkLineComponentOption {
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: palette.limit, width: 1.5, type: [6, 4] },
    data: [{ yAxis: value }],
  };
}

function percentileLabel(nines: number): string {
  if (!Number.isInteger(nines)) return '';
  if (nines === 0) return '0 %';
  return `${nines === 1 ? '90' : nines === 2 ? '99' : `99.${'9'.repeat(nines - 2)}`} %`;
}
