/** The pictures beside the Markdown report: a few of the page's plots, as SVG files in plain colours and as PNG files. */
import { winnerOf } from '../../analysis/winner.js';
import type { Results, Variant } from '../../results/schema.js';
import { metricLabel } from '../format.js';
import { addressHeat, addressTimeline, addressWalls } from '../rows/addresses.js';
import { kernelEffectRows, kernelEffects, kernelFrame, kernelGrid } from '../rows/kernel-effects.js';
import { medianCurve, medianOutcomes, medianTimeline, type Slice } from '../rows/medians.js';
import { betterVariants } from '../rows/sysctls.js';
import { effectFrame, effectRows, effectsOf } from '../sections/effect.js';
import { LIGHT_COLOURS } from '../style.js';
import type { ChartOption } from './axes.js';
import { outcomeScale, outcomesChart, percentileChart, portsChart, timeEnd } from './charts.js';
import { effectChart, effectHeight } from './effect.js';
import { heatChart, heatHeight } from './heat.js';
import { kernelsChart, kernelsHeight } from './kernels.js';
import { CSS_PALETTE, outcomeColours, resolvePalette } from './palette.js';

export const PICTURES_FOLDER = 'charts';

export interface Picture {
  /** Relative to the result folder. */
  readonly path: string;
  readonly alt: string;
}

interface Plot extends Picture {
  readonly option: () => ChartOption;
  readonly width: number;
  readonly height: number;
}

const SIZE = { width: 560, height: 260 };
const PALETTE = resolvePalette(CSS_PALETTE, LIGHT_COLOURS);

/** Which pictures there are, the most telling first. */
export function picturesOf(results: Results): Picture[] {
  return plotsOf(results).map(({ path, alt }) => ({ path, alt }));
}

/** `charts/effect.png` of `charts/effect.svg`. */
export function pngOf({ path }: Pick<Picture, 'path'>): string {
  return path.replace(/\.svg$/, '.png');
}

export interface DrawnPictures {
  /** What the Markdown shows: PNG, where it can be drawn. */
  readonly shown: 'png' | 'svg';
  /** Both kinds; the drawing of PNG goes on beside the calling thread. */
  readonly files: Promise<readonly { readonly path: string; readonly content: string | Uint8Array }[]>;
}

export async function drawPictures(results: Results): Promise<DrawnPictures> {
  const plots = plotsOf(results);
  if (plots.length === 0) return { shown: 'svg', files: Promise.resolve([]) };
  const { file } = await (await import('./svg.js')).loadDrawing();
  const png = await (await import('./png.js')).loadPng();
  const files = Promise.all(
    plots.flatMap(({ path, option, width, height }, i) => {
      const svg = file(option(), `f${i}`, width, height);
      const own = { path, content: svg };
      return png === null ? [own] : [own, png(svg).then((content) => ({ path: pngOf({ path }), content }))];
    }),
  );
  // Whoever waits for them is told; nobody does where a report before them fails.
  files.catch(() => {});
  return { shown: png === null ? 'svg' : 'png', files };
}

function plotsOf(results: Results): Plot[] {
  const [baseline] = results.variants;
  if (!baseline) return [];
  if (results.kernels !== undefined) return kernelPlots(results);
  const after = afterOf(results);
  const arms: [Variant, 'before' | 'after'][] = [
    [baseline, 'before'],
    ...(after ? [[after, 'after'] as const] : []),
  ] as [Variant, 'before' | 'after'][];
  const timelines = results.variants.map(medianTimeline);
  return [
    ...effectPlot(results),
    ...arms.flatMap(([arm, when]) => armPlots(results, timelines, arm, when)),
    ...latencyPlot(arms),
  ];
}

/** The variant beside the baseline: the one to apply, else the first better one, else the first. */
function afterOf(results: Results): Variant | undefined {
  const winner = winnerOf(results);
  if (winner.kind === 'sysctls') return winner.variant;
  return betterVariants(results)[0] ?? results.variants[1];
}

/** Where the kernel is a factor: all of them in two pictures. The page has the plots of each. */
function kernelPlots(results: Results): Plot[] {
  const effects = kernelEffects(results);
  if (effects.length === 0) return [];
  const metric = metricLabel(results.experiment.goal);
  const rows = kernelEffectRows(effects);
  const grid = kernelGrid(effects, results);
  return [
    {
      path: `${PICTURES_FOLDER}/kernels.svg`,
      alt: `${metric}: the verdict on each variant on each kernel`,
      option: () => kernelsChart(grid, PALETTE),
      width: SIZE.width,
      height: kernelsHeight(grid),
    },
    {
      path: `${PICTURES_FOLDER}/effect.svg`,
      alt: `${metric}: difference of each variant from the baseline of the same kernel, with its 95 % interval`,
      option: () => effectChart(rows, { ...kernelFrame(effects), names: true }, PALETTE),
      width: SIZE.width,
      height: effectHeight(rows.length),
    },
  ];
}

function effectPlot(results: Results): Plot[] {
  const goal = effectsOf(results)[0];
  if (!goal?.comparisons.some(({ comparison }) => comparison.difference !== null)) return [];
  return [
    {
      path: `${PICTURES_FOLDER}/effect.svg`,
      alt: `${metricLabel(goal.metric)}: difference of each variant from the baseline, with its 95 % interval`,
      option: () => effectChart(effectRows(goal), { ...effectFrame(goal), names: true }, PALETTE),
      width: SIZE.width,
      height: effectHeight(goal.comparisons.length),
    },
  ];
}

function armPlots(
  results: Results,
  timelines: readonly (readonly Slice[])[],
  arm: Variant,
  when: 'before' | 'after',
): Plot[] {
  const end = timeEnd(timelines);
  const timeline = timelines[results.variants.indexOf(arm)]!;
  if (timeline.length === 0) return [];
  const outcomes = [...new Set(results.variants.flatMap((variant) => medianOutcomes(variant).map(([name]) => name)))];
  const colours = outcomeColours(outcomes, PALETTE);
  const ports = addressTimeline(arm);
  const heat = addressHeat(arm);
  const walls = addressWalls(arm);
  const plots: (Plot | null)[] = [
    {
      path: `${PICTURES_FOLDER}/outcomes-${when}.svg`,
      alt: `Outcomes over time, ${arm.name}: ${medianOutcomes(arm)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
      option: () =>
        outcomesChart(
          timeline,
          colours,
          { end, scale: outcomeScale(timelines) },
          PALETTE,
          arm.baseline ? [] : timelines[0],
        ),
      ...SIZE,
    },
    ports.length === 0
      ? null
      : {
          path: `${PICTURES_FOLDER}/ports-${when}.svg`,
          alt: `Ports in use per local address, ${arm.name}`,
          option: () => portsChart(ports, walls, end, PALETTE),
          ...SIZE,
        },
    heat === null || heat.rows.length < 2 || !walls.hard
      ? null
      : {
          path: `${PICTURES_FOLDER}/addresses-${when}.svg`,
          alt: `Which address filled up, and when, ${arm.name}`,
          option: () => heatChart(heat, walls.hard!, end, PALETTE),
          width: SIZE.width,
          height: heatHeight(heat.rows.length),
        },
  ];
  return plots.filter((plot) => plot !== null);
}

function latencyPlot(arms: readonly [Variant, 'before' | 'after'][]): Plot[] {
  const curves = arms.flatMap(([arm, when]) => {
    const points = medianCurve(arm, 'total');
    const before = when === 'before';
    return points.length === 0
      ? []
      : [
          {
            name: arm.name,
            points,
            colour: before ? PALETTE.baseline : PALETTE.variants[0]!,
            dash: before ? [] : [7, 3],
            width: before ? 3 : 2,
          },
        ];
  });
  if (curves.length === 0) return [];
  return [
    {
      path: `${PICTURES_FOLDER}/latency.svg`,
      alt: `Latency by percentile: ${curves.map(({ name, dash }) => `${name} ${dash.length === 0 ? '(solid)' : '(dashed)'}`).join(', ')}`,
      option: () => percentileChart(curves, PALETTE),
      ...SIZE,
    },
  ];
}
