/** Variants against kernels: a coloured cell for each verdict. Pure. */
import type { CustomSeriesOption } from 'echarts/charts';
import type { VerdictWord } from '../../results/schema.js';
import { type ChartOption, FRAME } from './axes.js';
import type { Palette } from './palette.js';

interface KernelCell {
  /** Null: not on this kernel. */
  readonly verdict: VerdictWord | null;
  /** The difference from the baseline of the kernel, in short; empty: none. */
  readonly text: string;
}

export interface KernelGrid {
  /** Stand in the chart itself, so the renderer must escape them. */
  readonly kernels: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly KernelCell[] }[];
}

/** Pixels. */
const ROW = 40;
const TOP = 28;
const NAMES = 154;
const GAP = 2;
/** From so many columns on there is room for the word only. */
const NARROW = 5;
/** Words that fit into a cell, and that every font has. */
const WORDS: Readonly<Record<VerdictWord, string>> = {
  better: 'better',
  worse: 'worse',
  'no difference': 'same',
  'not enough evidence': 'unsure',
};
const LONGEST = 20;
/** Characters of the names of kernels, beside each other; from NARROW on they are askew, and so may be as long as they fit above. */
const ACROSS = 38;
const ASKEW = { degrees: 35, longest: 12, top: 58 };

/** @returns the height in pixels that it takes */
export function kernelsHeight({ kernels, rows }: KernelGrid): number {
  return topOf(kernels) + 6 + ROW * Math.max(rows.length, 1);
}

function topOf(kernels: KernelGrid['kernels']): number {
  return kernels.length < NARROW ? TOP : ASKEW.top;
}

/** One row a variant, the first on top; one column a kernel, the first on the left. */
export function kernelsChart({ kernels, rows }: KernelGrid, palette: Palette): ChartOption {
  const narrow = kernels.length >= NARROW;
  const longest = narrow ? ASKEW.longest : Math.min(LONGEST, Math.floor(ACROSS / kernels.length));
  const plain = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } };
  return {
    ...FRAME,
    grid: { ...FRAME.grid, left: NAMES, right: 8, top: topOf(kernels), bottom: 6 },
    xAxis: {
      ...plain,
      type: 'category',
      position: 'top',
      data: kernels.map((name) => shortened(name, longest)),
      axisLabel: { color: palette.text, interval: 0, rotate: narrow ? ASKEW.degrees : 0 },
    },
    yAxis: {
      ...plain,
      type: 'category',
      inverse: true,
      data: rows.map(({ name }) => shortened(name, LONGEST)),
      axisLabel: { color: palette.text, interval: 0 },
    },
    series: [cellSeries(rows, narrow, palette)],
  };
}

function cellSeries(rows: KernelGrid['rows'], narrow: boolean, palette: Palette): CustomSeriesOption {
  const cells = rows.flatMap((row, y) => row.cells.map((cell, x) => ({ ...cell, x, y })));
  return {
    type: 'custom',
    silent: true,
    data: cells.map(({ x, y }) => [x, y]),
    renderItem: ({ dataIndex }, api) => {
      const { x, y, verdict, text } = cells[dataIndex]!;
      const [centreX, centreY] = api.coord([x, y]) as [number, number];
      const [width, height] = (api.size!([1, 1]) as [number, number]).map((side) => side - GAP) as [number, number];
      const word = verdict === null ? '–' : WORDS[verdict];
      return {
        type: 'group',
        children: [
          {
            type: 'rect',
            silent: true,
            shape: { x: centreX - width / 2, y: centreY - height / 2, width, height },
            style:
              verdict === null
                ? { fill: 'none', stroke: palette.grid, lineWidth: 1 }
                : { fill: palette.verdictGrounds[verdict] },
          },
          {
            type: 'text',
            silent: true,
            style: {
              x: centreX,
              y: centreY,
              text: narrow || text === '' ? word : `${word}\n${text}`,
              lineHeight: 15,
              fill: verdict === null ? palette.text : palette.verdicts[verdict],
              align: 'center',
              verticalAlign: 'middle',
              fontFamily: 'inherit',
              fontSize: narrow ? 11 : 12,
            },
          },
        ],
      };
    },
  };
}

function shortened(name: string, longest: number): string {
  return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
}
