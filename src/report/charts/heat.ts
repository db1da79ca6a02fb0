/** The heat strip: addresses from top to bottom, time from left to right, and how full each was. Pure. */
import type { CustomSeriesOption } from 'echarts/charts';
import type { AddressHeat } from '../rows/addresses.js';
import { axis, type ChartOption, FRAME, timeAxis } from './axes.js';
import type { Palette } from './palette.js';

/** Shares of the capacity from which each colour on holds; below the first nothing is drawn. */
export const HEAT_LEVELS = [0.1, 0.25, 0.5, 0.75, 0.99] as const;
export const HEAT_WORDS = ['10 to 25 %', '25 to 50 %', '50 to 75 %', '75 to 99 %', 'full'] as const;

/** @returns the height in pixels that so many addresses take */
export function heatHeight(rows: number): number {
  return FRAME.grid.bottom + 10 + Math.round(rows * Math.min(18, Math.max(2, 200 / rows)));
}

interface Cell {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** @param capacity ports of one address */
export function heatChart(heat: AddressHeat, capacity: number, end: number, palette: Palette): ChartOption {
  const cells = cellsByLevel(heat, capacity);
  const rows = heat.rows.length;
  const time = timeAxis(end, palette);
  return {
    ...FRAME,
    xAxis: { ...time, axisLine: { ...time.axisLine, onZero: false } },
    grid: { ...FRAME.grid, top: 10 },
    yAxis: {
      ...axis(palette, 'address'),
      inverse: true,
      nameGap: 34,
      max: rows,
      interval: rows,
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: {
        color: palette.text,
        customValues: rows === 1 ? [0.5] : [0.5, rows - 0.5],
        formatter: (value: number) => String(value < 1 ? 1 : heat.addresses),
      },
    },
    series: HEAT_LEVELS.map((_, level) => levelSeries(cells[level]!, palette.heat[level]!)),
  };
}

/** One path for all cells of a level: a rectangle each would make the page several times as large. */
function levelSeries(cells: readonly Cell[], colour: string): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    data: cells.length > 0 ? [[0, 0]] : [],
    renderItem: (_, api) => {
      // Both axes are linear, so two points tell all others.
      const [x, y] = api.coord([0, 0]) as [number, number];
      const [second, row] = api.coord([1, 1]) as [number, number];
      const across = (t: number) => tenth(x + t * (second - x));
      const down = (index: number) => tenth(y + index * (row - y));
      const pathData = cells
        .map(
          (cell) =>
            `M${across(cell.from)} ${down(cell.row)}H${across(cell.to)}V${down(cell.row + 1)}H${across(cell.from)}Z`,
        )
        .join('');
      return { type: 'path', silent: true, shape: { pathData }, style: { fill: colour } };
    },
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Neighbours in time of one level are one cell. */
function cellsByLevel({ ends, rows }: AddressHeat, capacity: number): Cell[][] {
  const cells: Cell[][] = HEAT_LEVELS.map(() => []);
  for (const [row, { ports }] of rows.entries()) {
    let start = 0;
    for (let i = 0; i < ends.length; i++) {
      const level = levelOf(ports[i]!, capacity);
      if (i + 1 < ends.length && levelOf(ports[i + 1]!, capacity) === level) continue;
      if (level >= 0) cells[level]!.push({ row, from: start, to: ends[i]! });
      start = ends[i]!;
    }
  }
  return cells;
}

/** @returns the index of the colour; −1 below the first */
export function levelOf(ports: number, capacity: number): number {
  return HEAT_LEVELS.findLastIndex((from) => ports >= from * capacity && ports > 0);
}
