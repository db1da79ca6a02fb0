/**
 * Options to SVG, by Apache ECharts without a browser. It is imported only when a chart is drawn.
 */
import type { ChartOption } from './axes.js';

/** Draws one chart. `id` must be unique in the page: it prefixes the ids inside the SVG. */
export type DrawSvg = (option: ChartOption, id: string, width: number, height: number) => string;

interface Drawing {
  /** For a page, whose style sheet it then follows. */
  readonly inline: DrawSvg;
  /** A file of its own, on a white ground; the option must have plain colours. */
  readonly file: DrawSvg;
}

/** Loads ECharts, and returns the functions that draw. */
export async function loadDrawing(): Promise<Drawing> {
  const core = await import('./echarts.js');
  const drawn = (option: ChartOption, width: number, height: number): string => {
    const chart = core.init(null, null, { renderer: 'svg', ssr: true, width, height });
    try {
      chart.setOption(option);
      return chart.renderToSVGString();
    } finally {
      chart.dispose();
    }
  };
  return {
    inline: (option, id, width, height) => embeddable(drawn(option, width, height), id),
    file: (option, id, width, height) =>
      lean(drawn({ ...option, backgroundColor: '#fff' }, width, height), id)
        .replaceAll('font-family:inherit', 'font-family:system-ui,sans-serif')
        .concat('\n'),
  };
}

/**
 * ECharts numbers its ids by a counter of the process, and adds hover styles and metadata for its own client script. Without
 * a script they are dead weight, and with the counter equal results would give different pages.
 */
function lean(svg: string, id: string): string {
  return svg
    .replace(/<style\s*>[\s\S]*?<\/style>/g, '')
    .replace(/<defs\s*>\s*<\/defs>/g, '')
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/><\/(path|rect)>/g, '/>')
    .replace(/<path d=""[^>]*\/>/g, '')
    .replace(/\n+/g, '');
}

/** Without what the page gives: size, font, background. */
function embeddable(svg: string, id: string): string {
  return lean(svg, id)
    .replace(/ style="font-size:12px;font-family:inherit;"/g, '')
    .replace(/ dominant-baseline="central"/g, '')
    .replace(
      /^<svg width="[^"]*" height="[^"]*" xmlns="[^"]*" xmlns:xlink="[^"]*" version="1.1" baseProfile="full"/,
      '<svg aria-hidden="true" focusable="false"',
    )
    .replace(/<rect [^>]*fill="none"\/>/, '');
}
