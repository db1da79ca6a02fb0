/**
 * The report as one self-contained page: no script, and nothing is loaded from anywhere (its own content security policy
 * forbids it), so that it can be attached to a change request and opened in ten years.
 */
import type { Results } from '../results/schema.js';
import { type DrawSvg, loadDrawing } from './charts/svg.js';
import { formatInstant, plural } from './format.js';
import { html, type Markup, trusted } from './markup.js';
import { releases, resultsOn, sideBySide } from './rows/kernels.js';
import { partialNotice, warnings } from './rows/notices.js';
import { proxyRows } from './rows/proxy.js';
import { latencySection, outcomesSection } from './sections/charts.js';
import { effectSection } from './sections/effect.js';
import { countersSection, predictionSection, sysctlSection } from './sections/evidence.js';
import { exitsSection } from './sections/exits.js';
import { kernelAnchor, kernelSection, sideBySideSection } from './sections/kernels.js';
import { environmentSection, methodSection, reproduceSection } from './sections/method.js';
import { neighboursSection } from './sections/neighbours.js';
import { bullets } from './sections/parts.js';
import { heatSection, portsSection } from './sections/ports.js';
import { proxySection } from './sections/proxy.js';
import { changeSection, thresholdsSection, variantsSection, whySection } from './sections/verdicts.js';
import { viewsSection } from './sections/views.js';
import { wallsSection } from './sections/walls.js';
import { STYLE } from './style.js';

/**
 * @returns a complete HTML document; equal results give equal text
 */
export async function renderHtml(results: Results): Promise<string> {
  const { inline: draw } = await loadDrawing();
  const { experiment, environment } = results;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="generator" content="bindstorm ${environment.tool}">
<link rel="icon" href="data:,">
<title>${experiment.name}: bindstorm report</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header>
<p class="kicker">bindstorm report</p>
<h1>${experiment.name}</h1>
${experiment.description ? html`<p class="lead">${experiment.description}</p>` : null}
<p class="note">${plural(experiment.runsDone, 'run')} on ${releases(results)}, ${formatInstant(experiment.startedAt)}</p>
</header>
<main>
<p class="summary">${results.summary}</p>
${banner(results)}
${body(results, draw)}
</main>
</body>
</html>
`;
  return page.html;
}

function banner(results: Results): Markup | null {
  const partial = partialNotice(results);
  const notes = warnings(results);
  if (!partial && notes.length === 0) return null;
  return html`<aside class="banner" aria-label="Warnings">${partial ? html`<p><strong>! ${partial}</strong></p>` : null}${bullets(notes.slice(0, SHOWN_NOTES))}${rest(notes.slice(SHOWN_NOTES))}</aside>`;
}

/** More than these push the answer off the first screen. */
const SHOWN_NOTES = 6;

function rest(notes: readonly string[]): Markup | null {
  return notes.length === 0
    ? null
    : html`<details><summary>and ${plural(notes.length, 'more warning')}</summary>${bullets(notes)}</details>`;
}

function body(results: Results, draw: DrawSvg): Markup {
  const columns = sideBySide(results);
  if (columns === null) {
    const sections = details(results, draw);
    return html`${navigation([...detailLinks(results, sections), ...LAST])}
${sections}
${environmentSection(results)}
${methodSection(results)}
${reproduceSection(results)}`;
  }
  return html`${navigation([['side-by-side', 'Side by side'], ...columns.kernels.map((kernel): Link => [kernelAnchor(kernel), kernel.name]), ...LAST.slice(1)])}
${sideBySideSection(results, columns, draw)}
${thresholdsSection(results)}
${columns.kernels.map((kernel) => {
  const part = resultsOn(results, kernel);
  // Where nothing could run there is nothing to show.
  const shown = part.variants.length > 0 ? details(part, draw) : [];
  return kernelSection(results, kernel, [...shown, environmentSection(part)]);
})}
${methodSection(results)}
${reproduceSection(results)}`;
}

/** The sections about one baseline and its variants. */
function details(results: Results, draw: DrawSvg): (Markup | null)[] {
  return [
    changeSection(results),
    variantsSection(results),
    effectSection(results, draw),
    thresholdsSection(results),
    whySection(results),
    neighboursSection(results),
    proxySection(results),
    viewsSection(results),
    exitsSection(results),
    wallsSection(results),
    outcomesSection(results, draw),
    portsSection(results, draw),
    heatSection(results, draw),
    latencySection(results, draw),
    predictionSection(results),
    sysctlSection(results),
    countersSection(results),
  ];
}

type Link = readonly [id: string, title: string];

const DETAILS: readonly Link[] = [
  ['change', 'What to change'],
  ['variants', 'Variants'],
  ['effect', 'Effect'],
  ['why', 'Why'],
  ['outcomes', 'Outcomes'],
  ['ports', 'Ports'],
  ['heat', 'Addresses'],
  ['latency', 'Latency'],
  ['prediction', 'Prediction'],
  ['sysctls', 'Sysctls'],
  ['counters', 'Counters'],
];

/** Of the sections that there are. */
function detailLinks(results: Results, sections: readonly (Markup | null)[]): readonly Link[] {
  const at = DETAILS.findIndex(([id]) => id === 'outcomes');
  const before: Link[] = [
    ['neighbours', 'Neighbours'],
    ...(proxyRows(results).length > 0 ? [['proxy', 'Proxy'] as const] : []),
  ];
  const links = DETAILS.toSpliced(at, 0, ...before);
  return links.filter(([id]) => sections.some((part) => part?.html.startsWith(`<section id="${id}"`)));
}

const LAST: readonly Link[] = [
  ['environment', 'Environment'],
  ['method', 'Method'],
  ['reproduce', 'Reproduce'],
];

function navigation(links: readonly Link[]): Markup {
  return html`<nav aria-label="Sections">${links.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav>`;
}
