/**
 * What the charts share: the option type, scales, axes and the frame around them. Pure, and without imports that a browser would have
 * to resolve but those of plain arithmetic, since the live page runs the same builders.
 */

import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts';
import type { GridComponentOption, MarkAreaComponentOption, MarkLineComponentOption } from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { grouped } from '../../domain/grouped.js';
import { formatNumber } from '../format.js';
import type { Palette } from './palette.js';

export type ChartOption = ComposeOption<
  | LineSeriesOption
  | ScatterSeriesOption
  | CustomSeriesOption
  | GridComponentOption
  | MarkLineComponentOption
  | MarkAreaComponentOption
>;

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

export interface TimeFrame {
  /** Seconds shown. */
  readonly end: number;
  readonly scale: Scale;
}

export const LINE = {
  type: 'line',
  symbol: 'none',
  silent: true,
  emphasis: { disabled: true },
} as const satisfies LineSeriesOption;

export const FRAME = {
  animation: false,
  textStyle: { fontFamily: 'inherit' },
  // The room for labels is fixed: measuring it took a fifth of the time of a chart.
  grid: { left: 58, right: 24, top: 30, bottom: 42, outerBoundsMode: 'none' },
} as const satisfies ChartOption;

export const VERTICAL = { nameLocation: 'end', nameGap: 12 } as const;

/** An axis of values from 0, with its name. */
export function axis(palette: Palette, name: string) {
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

/** The axis of time: a load that ended a few milliseconds late has no odd number at its end. */
export function timeAxis(end: number, palette: Palette) {
  const step = Math.min(1, 10 ** (Math.floor(Math.log10(Math.max(end, 0.01))) - 1));
  return {
    ...axis(palette, 'seconds of load'),
    max: Number((Math.ceil(end / step - 0.1) * step).toFixed(6)),
    axisLabel: { color: palette.text, hideOverlap: true, formatter: secondsLabel },
    splitLine: { show: false },
  };
}

/** A short load has ticks every 0.05 s, of which one decimal would make 0.1, 0.2, 0.2, 0.3. */
export function secondsLabel(t: number): string {
  return grouped(t);
}

/** The axes of a chart over the time of a run: seconds below, values from 0 at the left. */
export function timeAxes({ end, scale }: TimeFrame, name: string, palette: Palette): ChartOption {
  const left = { color: palette.text, align: 'left' as const, padding: [0, 0, 0, -50] };
  return {
    ...FRAME,
    xAxis: timeAxis(end, palette),
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
export function fromStart(points: [number, number][]): [number, number][] {
  const first = points[0];
  return first ? [[0, first[1]], ...points] : [];
}

/** A wall in a chart: one entry of a mark line. */
export function limitLine(value: number, colour: string, dash: readonly number[]) {
  return { yAxis: value, label: { show: false }, lineStyle: { color: colour, width: 1.5, type: [...dash] } };
}
