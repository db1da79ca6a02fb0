/**
 * Options to inline SVG, by Apache ECharts without a browser. ECharts takes a third of a second to load, so it is imported
 * only when a chart is drawn.
 */
import type { ChartOption } from './charts.js';

/** Draws one chart. `id` must be unique in the page: it prefixes the ids inside the SVG. */
export type DrawSvg = (option: ChartOption, id: string, width: number, height: number) => string;

/** Loads ECharts with the parts that the charts need, and returns the function that draws. */
export async function loadDrawSvg(): Promise<DrawSvg> {
  const [core, { LineChart }, { GridComponent, MarkLineComponent }, { SVGRenderer }] = await Promise.all([
    import('echarts/core'),
    import('echarts/charts'),
    import('echarts/components'),
    import('echarts/renderers'),
  ]);
  core.use([LineChart, GridComponent, MarkLineComponent, SVGRenderer]);
  return (option, id, width, height) => {
    const chart = core.init(null, null, { renderer: 'svg', ssr: true, width, height });
    try {
      chart.setOption(option);
      return embeddable(chart.renderToSVGString(), id);
    } finally {
      chart.dispose();
    }
  };
}

/**
 * ECharts numbers its ids by a counter of the process, and adds hover styles and metadata for its own client script. Without
 * a script they are dead weight, and with the counter equal results would give different pages.
 */
function embeddable(svg: string, id: string): string {
  return svg
    .replace(/<style\s*>[\s\S]*?<\/style>/g, '')
    .replace(/<defs\s*>\s*<\/defs>/g, '')
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/ style="font-size:12px;font-family:inherit;"/g, '')
    .replace(/ dominant-baseline="central"/g, '')
    .replace(
      /^<svg width="[^"]*" height="[^"]*" xmlns="[^"]*" xmlns:xlink="[^"]*" version="1.1" baseProfile="full"/,
      '<svg aria-hidden="true" focusable="false"',
    )
    .replace(/<rect [^>]*fill="none"><\/rect>/, '')
    .replace(/><\/(path|rect)>/g, '/>')
    .replace(/\n+/g, '');
}
