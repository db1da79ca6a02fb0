/**
 * The charts as ECharts options, built from medians: no renderer, no page. Strings of the results stay out of them (names
 * stand in captions), so an option holds numbers, fixed words and colours only.
 */

import { formatValue } from '../format.js';
import type { AddressSlice, AddressWalls } from '../rows/addresses.js';
import type { CurvePoint, Slice } from '../rows/medians.js';
import {
  axis,
  type ChartOption,
  FRAME,
  fromStart,
  LINE,
  limitLine,
  niceScale,
  type Scale,
  type TimeFrame,
  timeAxes,
  VERTICAL,
} from './axes.js';
import type { Palette } from './palette.js';

/** Ticks of a logarithmic axis at 1, 2 and 5 of each decade, of many decades at 1 only, from the last one not above `low` to the first not below `high`. */
export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  // On a few hundred pixels more than ten labels overlap.
  const factors = Math.log10(high / low) > 2 ? [1] : [1, 2, 5];
  for (let power = 10 ** Math.floor(Math.log10(low)); ; power *= 10) {
    for (const factor of factors) {
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

/**
 * Attempts per second by outcome, stacked: those of `colours` from the bottom up. With the timeline of the baseline, its ok attempts are
 * a dashed line over that, so that before and after stand on one axis.
 */
export function outcomesChart(
  timeline: readonly Slice[],
  colours: ReadonlyMap<string, string>,
  frame: TimeFrame,
  palette: Palette,
  before: readonly Slice[] = [],
): ChartOption {
  const present = [...colours].filter(([name]) => timeline.some((slice) => (slice.rates[name] ?? 0) > 0));
  return {
    ...timeAxes(frame, 'attempts per second', palette),
    series: [
      ...present.map(([name, colour]) => ({
        ...LINE,
        stack: 'outcomes',
        step: 'start' as const,
        lineStyle: { width: name === 'ok' ? 1.5 : 0, color: name === 'ok' ? palette.okLine : colour },
        areaStyle: { color: colour, opacity: 1 },
        data: fromStart(timeline.map((slice) => [slice.t, slice.rates[name] ?? 0])),
      })),
      ...(before.length === 0
        ? []
        : [
            {
              ...LINE,
              step: 'start' as const,
              lineStyle: { width: 2, color: palette.baseline, type: [...BEFORE_DASH] },
              data: fromStart(before.map((slice) => [slice.t, slice.rates.ok ?? 0])),
            },
          ]),
    ],
  };
}

/** Ports in use on one address: a line for the fullest, a band down to the emptiest, and both walls. */
export function portsChart(
  timeline: readonly AddressSlice[],
  { slow, hard }: AddressWalls,
  end: number,
  palette: Palette,
): ChartOption {
  const top = Math.max(hard ?? 0, ...timeline.map(({ fullest }) => fullest));
  const band = { ...LINE, stack: 'band', lineStyle: { width: 0, color: palette.portsArea } };
  const walls = [
    ...(slow === null ? [] : [limitLine(slow, palette.slow, [2, 3])]),
    ...(hard === null ? [] : [limitLine(hard, palette.limit, [6, 4])]),
  ];
  return {
    ...timeAxes({ end, scale: niceScale(top * 1.08) }, 'ports of one address', palette),
    series: [
      { ...band, data: [[0, 0], ...timeline.map(({ t, least }) => [t, least])] },
      {
        ...band,
        areaStyle: { color: palette.portsArea, opacity: 1 },
        data: [[0, 0], ...timeline.map(({ t, least, fullest }) => [t, fullest - least])],
      },
      {
        ...LINE,
        lineStyle: { width: 2, color: palette.portsLine },
        data: [[0, 0], ...timeline.map(({ t, fullest }) => [t, fullest])],
        ...(walls.length === 0 ? {} : { markLine: { silent: true, symbol: 'none', data: walls } }),
      },
    ],
  };
}

/** The dashes of what is shown of the baseline in a chart of a variant. */
export const BEFORE_DASH: readonly number[] = [3, 3];

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

function percentileLabel(nines: number): string {
  if (!Number.isInteger(nines)) return '';
  if (nines === 0) return '0 %';
  return `${nines === 1 ? '90' : nines === 2 ? '99' : `99.${'9'.repeat(nines - 2)}`} %`;
}
