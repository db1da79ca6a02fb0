/** The few charts that are files beside the report, for where no page can be shown: a pull request, a ticket. */
import { recommend } from '../analysis/recommendation.js';
import { remembered } from '../domain/remembered.js';
import type { Results, Variant } from '../results/schema.js';
import { CSS_PALETTE, resolvePalette } from './charts/palette.js';
import type { Block, Figure } from './document.js';
import { metricLabel } from './format.js';
import { effectsOf, isMeasured } from './rows/effects.js';
import { betterVariants } from './rows/sysctls.js';
import { latencyBeforeAfter, outcomeFigures } from './sections/charts.js';
import { effectFigure } from './sections/effect.js';
import { kernelFigures } from './sections/kernels.js';
import { heatFigures, portFigures } from './sections/ports.js';
import { LIGHT_COLOURS } from './style.js';

/** The folder beside the reports. */
export const PICTURES_FOLDER = 'charts';

interface Picture {
  /** Relative to the result folder. */
  readonly path: string;
  readonly alt: string;
  readonly chart: NonNullable<Figure['chart']>;
}

/** Wider than on the page, where several stand beside each other. */
const SIZE = { width: 560, height: 260 };
const PALETTE = resolvePalette(CSS_PALETTE, LIGHT_COLOURS);

/** Which files a report has. */
export type PictureKind = 'png' | 'svg';

/** The pictures as a ticket shows them: the goal in sight, the others in a fold. @param kind PNG is shown by every tracker, and links to its SVG */
export function pictureBlocks(results: Results, kind: PictureKind): Block[] {
  const blocks = picturesOf(results).map(
    ({ path, alt }): Block => ({
      kind: 'picture',
      path,
      preview: kind === 'png' ? pngOf(path) : path,
      alt,
      only: ['ticket'],
    }),
  );
  if (results.kernels !== undefined || blocks.length < 2) return blocks;
  return [blocks[0]!, { kind: 'fold', summary: 'Before and after', blocks: blocks.slice(1), only: ['ticket'] }];
}

/** `charts/effect.png` of `charts/effect.svg`. */
function pngOf(path: string): string {
  return path.replace(/\.svg$/, '.png');
}

interface DrawnPictures {
  /** What the Markdown shows: PNG, where it can be drawn. */
  readonly shown: PictureKind;
  /** Both kinds; the drawing of PNG goes on beside the calling thread. */
  readonly files: Promise<readonly { readonly path: string; readonly content: string | Uint8Array }[]>;
}

/** Draws the files of `pictureBlocks`. */
export async function drawPictures(results: Results): Promise<DrawnPictures> {
  const pictures = picturesOf(results);
  if (pictures.length === 0) return { shown: 'svg', files: Promise.resolve([]) };
  const { file } = await (await import('./charts/svg.js')).loadDrawing();
  const png = await (await import('./charts/png.js')).loadPng();
  const files = Promise.all(
    pictures.flatMap(({ path, chart: { option, width, height } }, i) => {
      const svg = file(option(PALETTE), `f${i}`, width, height);
      const own = { path, content: svg };
      return png === null ? [own] : [own, png(svg).then((content) => ({ path: pngOf(path), content }))];
    }),
  );
  // Whoever waits for them is told; nobody does where a report before them fails.
  files.catch(() => {});
  return { shown: png === null ? 'svg' : 'png', files };
}

/** The most telling first. */
export const picturesOf = remembered((results: Results): Picture[] => {
  const [baseline] = results.variants;
  if (!baseline) return [];
  if (results.kernels !== undefined) return kernelPictures(results);
  const after = afterOf(results);
  const goal = effectsOf(results)[0];
  const effect = `${metricLabel(results.experiment.goal)}: difference of each variant from the baseline, with its 95 % interval`;
  return [
    ...(goal && isMeasured(goal) ? picture('effect', effectFigure(goal, 0), effect) : []),
    ...armPictures(results, baseline, 'before'),
    ...(after ? armPictures(results, after, 'after') : []),
    ...latencyPicture(after ? [baseline, after] : [baseline]),
  ];
});

/** Where the kernel is a factor: all of them in two pictures. The page has the plots of each. */
function kernelPictures(results: Results): Picture[] {
  const [grid, forest] = kernelFigures(results);
  const metric = metricLabel(results.experiment.goal);
  return [
    ...picture('kernels', grid, `${metric}: the verdict on each variant on each kernel`),
    ...picture(
      'effect',
      forest,
      `${metric}: difference of each variant from the baseline of the same kernel, with its 95 % interval`,
    ),
  ];
}

/** The variant beside the baseline: the one to apply, else the first better one, else the first. */
function afterOf(results: Results): Variant | undefined {
  const recommended = recommend(results);
  return recommended.kind === 'sysctls' ? recommended.variant : (betterVariants(results)[0] ?? results.variants[1]);
}

function armPictures(results: Results, arm: Variant, when: 'before' | 'after'): Picture[] {
  const i = results.variants.indexOf(arm);
  return [
    ...picture(`outcomes-${when}`, outcomeFigures(results)[i]),
    ...picture(`ports-${when}`, portFigures(results)[i]),
    ...picture(`addresses-${when}`, heatFigures(results)[i]),
  ];
}

function latencyPicture(arms: readonly Variant[]): Picture[] {
  const figure = latencyBeforeAfter(arms);
  return picture('latency', figure, `Latency: ${figure?.label}`);
}

/** The figure as a file; none where there is nothing to draw. */
function picture(name: string, figure: Figure | null | undefined, alt = figure?.label ?? ''): Picture[] {
  if (!figure?.chart) return [];
  const { option, height } = figure.chart;
  const own = /^(?:effect|kernels|addresses)/.test(name) ? height : SIZE.height;
  return [{ path: `${PICTURES_FOLDER}/${name}.svg`, alt, chart: { option, width: SIZE.width, height: own } }];
}
