/** The live page: an empty frame in the style of the report; its script (client.ts) fills it from server-sent events. */
import { html, trusted } from '../markup.js';
import { STYLE } from '../style.js';

/** Where the page finds what it needs; all of it is served beside it. */
export const LIVE_PATHS = {
  events: '/events',
  report: '/report',
  metrics: '/metrics',
  script: '/client.js',
} as const;

const LIVE_STYLE = `
progress{width:100%;max-width:60rem;height:.75rem;accent-color:var(--link)}
.live-head{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;align-items:baseline;margin:.75rem 0}
.live-head strong{font-size:1.125rem}
.live .chart{height:260px}
.live .chart svg{height:100%}
.live figure{max-width:none}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem 2.5rem;margin:.75rem 0;font-variant-numeric:tabular-nums}
.tiles div{min-width:7rem}
.tiles dt{font-size:.8125rem;font-weight:600;color:var(--muted);margin:0}
.tiles dd{font-size:1.375rem}
.live .legend{margin:.25rem 0}
.legend .swatch{display:inline-block;width:28px;height:10px}`;

/** @param experiment its name; @returns a complete HTML document */
export function livePage(experiment: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${experiment}: bindstorm is running</title>
<style>${trusted(STYLE)}${trusted(LIVE_STYLE)}</style>
</head>
<body class="live">
<header>
<p class="kicker">bindstorm, live</p>
<h1 id="experiment">${experiment}</h1>
<p class="lead" id="description"></p>
</header>
<main>
<div class="live-head" role="status"><strong id="phase">connecting</strong><span id="counts"></span><span id="left"></span></div>
<progress id="progress" value="0" max="1" aria-label="Runs done"></progress>
<dl class="tiles">
<div><dt>attempts per second</dt><dd id="rate">–</dd></div>
<div><dt>ok</dt><dd id="ok">–</dd></div>
<div><dt>failed</dt><dd id="failed">–</dd></div>
<div><dt>fullest address</dt><dd id="fullest">–</dd></div>
</dl>
<section aria-labelledby="now-title">
<h2 id="now-title">The run in progress</h2>
<ul class="legend" id="outcome-keys"></ul>
<div class="wide panels">
<figure><div class="chart" id="outcomes" role="img" aria-label="Outcomes over time"></div>
<figcaption><strong>Outcomes</strong>: attempts that ended in each second, stacked; the dashed line is what was ok in the latest run of the baseline</figcaption></figure>
<figure><div class="chart" id="ports" role="img" aria-label="Ports in use per local address"></div>
<figcaption><strong>Ports of one address</strong>: the fullest, and a band down to the emptiest; dotted: slow from here; dashed: full</figcaption></figure>
<figure><div class="chart" id="heat" role="img" aria-label="How full each address is"></div>
<figcaption><strong>Addresses</strong>: one row each, the darker and the redder the fuller</figcaption></figure>
<figure><div class="chart" id="latency" role="img" aria-label="Latency by percentile"></div>
<figcaption><strong>Latency by percentile</strong>: total time of ok attempts, the latest run of each arm; the baseline is the thick line</figcaption><ul class="legend" id="arm-keys"></ul></figure>
</div>
</section>
<section aria-labelledby="effect-title">
<h2 id="effect-title">Differences so far</h2>
<p id="effect-words"></p>
<figure id="effect-figure" hidden><div class="chart" id="effect" role="img" aria-label="Difference of each variant from the baseline so far"></div>
<figcaption><strong id="effect-metric"></strong>, variant minus baseline: the diamond is the estimate, the line its 95 % interval; the numbers are in the table below</figcaption></figure>
</section>
<section aria-labelledby="arms-title">
<h2 id="arms-title">Arms</h2>
<div class="scroll" role="region" aria-label="Table of arms" tabindex="0"><table>
<thead><tr><th scope="col">Arm</th><th scope="col" class="number">Runs done</th><th scope="col">Difference so far (95 % CI)</th><th scope="col">Latest run</th></tr></thead>
<tbody id="arms"></tbody>
</table></div>
</section>
<section aria-labelledby="machines-title" id="machines-section" hidden>
<h2 id="machines-title">Machines</h2>
<div class="scroll" role="region" aria-label="Table of machines" tabindex="0"><table>
<thead><tr><th scope="col">Machine</th><th scope="col">Run</th><th scope="col" class="number">Runs done</th><th scope="col" class="number">Attempts per second</th><th scope="col">Attempts so far</th></tr></thead>
<tbody id="machines"></tbody>
</table></div>
</section>
<p class="note">When the experiment is over, this page becomes its report. Metrics for Prometheus are at <a href="${LIVE_PATHS.metrics}">${LIVE_PATHS.metrics}</a>.</p>
</main>
<script type="module" src="${LIVE_PATHS.script}"></script>
</body>
</html>
`.html;
}
