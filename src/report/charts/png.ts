/**
 * SVG files to PNG, by resvg and with a font of its own: a bare server has none. For where pictures are pasted that shows no SVG.
 * It is imported only when pictures are written.
 */
import { fileURLToPath } from 'node:url';
import type { ResvgRenderOptions } from '@resvg/resvg-js';

/** @returns the file; several are drawn at the same time, beside the calling thread */
type DrawPng = (svg: string) => Promise<Uint8Array>;

/** Pixels of the file for one of the SVG, so that text stays sharp on fine screens. */
const ZOOM = 2;
const FAMILY = 'PT Sans';
/** scripts/bundle.mjs puts them there. */
const FONTS = ['400Regular/PTSans_400Regular.ttf', '700Bold/PTSans_700Bold.ttf'];

/** @returns null where there is none: resvg has no build for riscv64, and may have been left out of an installation */
export async function loadPng(): Promise<DrawPng | null> {
  const resvg = await import('@resvg/resvg-js').catch(() => null);
  if (resvg === null) return null;
  const options: ResvgRenderOptions = {
    font: {
      fontFiles: FONTS.map((file) => fileURLToPath(new URL(`../../../bundle/fonts/${file}`, import.meta.url))),
      loadSystemFonts: false,
      defaultFontFamily: FAMILY,
      sansSerifFamily: FAMILY,
    },
    fitTo: { mode: 'zoom', value: ZOOM },
  };
  // One after the other: each takes some 10 MB for its pixels, and the memory of all at once would be the most that a report takes.
  let last: Promise<unknown> = Promise.resolve();
  return (svg) => {
    const drawn = last.then(async () => (await resvg.renderAsync(svg, options)).asPng());
    last = drawn.catch(() => {});
    return drawn;
  };
}
