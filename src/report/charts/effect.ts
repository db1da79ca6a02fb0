/** The forest plot: each variant's difference from the baseline and its interval. Pure. */
import type { LineSeriesOption } from 'echarts/charts';
import type { VerdictWord } from '../../results/schema.js';
import { formatDifference, type Unit } from '../format.js';
import { axis, type ChartOption, FRAME, LINE } from './axes.js';
import type { Palette } from './palette.js';

export interface EffectRow {
  /** Stands in the chart itself, so the renderer must escape it. */
  readonly name: string;
  /** Null: nothing could be compared. */
  readonly difference: number | null;
  /** Null: nothing varied. */
  readonly ci: readonly [number, number] | null;
  readonly verdict: VerdictWord;
  /** A name for the rows below it, with nothing of its own. */
  readonly heading?: boolean;
}

interface EffectFrame {
  readonly unit: Unit;
  /** Differences within ± this count as none. */
  readonly margin: number;
  /** Whether names stand at the rows; without them there is more room. */
  readonly names: boolean;
}

/** Pixels of one row. */
const ROW = 26;
const NAMES = 154;
/** Characters of a name: how wide they are is only known to the reader's browser. */
const LONGEST = 20;

/** @returns the height in pixels that so many rows take */
export function effectHeight(rows: number): number {
  return FRAME.grid.bottom + 12 + ROW * Math.max(rows, 1);
}

/** One row a variant, the first on top; a diamond at the estimate, a line for the interval, and a band for what counts as none. */
export function effectChart(
  rows: readonly EffectRow[],
  { unit, margin, names }: EffectFrame,
  palette: Palette,
): ChartOption {
  const ends = rows.flatMap(({ difference, ci }) => [...(difference === null ? [] : [difference]), ...(ci ?? [])]);
  const { low, high, step } = around([...ends, -margin, margin, 0]);
  return {
    ...FRAME,
    grid: { ...FRAME.grid, left: names ? NAMES : 14, top: 8 },
    xAxis: {
      ...axis(palette, 'difference from the baseline'),
      min: low,
      max: high,
      interval: step,
      axisLabel: {
        color: palette.text,
        hideOverlap: true,
        formatter: (value: number) =>
          formatDifference(unit, Math.abs(value) < step / 1e6 ? 0 : value).replace(/ points$/, ''),
      },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(({ name, heading = false }) => {
        const value = name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
        return heading ? { value: `${value}:`, textStyle: { fontWeight: 'bold', color: palette.baseline } } : value;
      }),
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: true, lineStyle: { color: palette.grid } },
      axisLabel: { show: names, color: palette.text, interval: 0 },
    },
    series: [
      {
        ...LINE,
        lineStyle: { color: palette.axis },
        data: [],
        markArea: {
          silent: true,
          itemStyle: { color: palette.grid, opacity: 0.7 },
          data: margin > 0 ? [[{ xAxis: -margin }, { xAxis: margin }]] : [],
        },
        markLine: {
          silent: true,
          symbol: 'none',
          label: { show: false },
          lineStyle: { color: palette.axis, width: 1, type: 'solid' },
          data: [{ xAxis: 0 }],
        },
      },
      ...rows.flatMap(({ ci, verdict }, i): LineSeriesOption[] =>
        ci === null
          ? []
          : [
              {
                ...LINE,
                symbol: 'rect',
                symbolSize: [2, 10],
                itemStyle: { color: palette.verdicts[verdict] },
                lineStyle: { color: palette.verdicts[verdict], width: 2 },
                data: ci.map((end) => [end, i]),
              },
            ],
      ),
      {
        type: 'scatter' as const,
        silent: true,
        symbol: 'diamond',
        symbolSize: 11,
        data: rows.flatMap(({ difference, verdict }, i) =>
          difference === null ? [] : [{ value: [difference, i], itemStyle: { color: palette.verdicts[verdict] } }],
        ),
      },
    ],
  };
}

/** Round ends around all values, with two to six steps. */
function around(values: readonly number[]): { low: number; high: number; step: number } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => span / size <= 4)!;
  const room = span * 0.04;
  return { low: Math.floor((low - room) / step) * step, high: Math.ceil((high + room) / step) * step, step };
}
