/**
 * The league table of fixes as one page: fixes down, strategies and proxies, and in them kernels, across. Pure.
 */
import {
  acrossKernels,
  byHowMuch,
  type FixCell,
  type FixReport,
  inWords,
  league,
  series,
  tablesOf,
} from '../analysis/fixes.js';
import { METHOD, rowsOf, SUBJECT_METHOD, short } from './fixes.js';
import { html, type Markup, trusted } from './markup.js';
import { STYLE } from './style.js';

const OWN = `
body{max-width:118rem}
.league{width:100%}
.league th,.league td{padding:.3rem .45rem}
.league td{text-align:center;white-space:nowrap;font-size:.8125rem}
.league td a{color:inherit;text-decoration:none;display:block}
.league .first{border-left:2px solid var(--border)}
.league thead th{text-align:center}
.league thead th:first-child{text-align:left}
.league .works{background:var(--good-bg);color:var(--good);font-weight:600}
.league .harms{background:var(--bad-bg);color:var(--bad);font-weight:600}
.league .nothing{color:var(--muted)}
.league .gone{color:var(--muted);font-style:italic}
.league .base{background:var(--card)}`;

export function renderFixesHtml(report: FixReport): string {
  const rows = rowsOf(report);
  const groups = rows.map((row) => ({ row, tables: tablesOf(report, row) }));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Which fix works: bindstorm</title>
<style>${trusted(STYLE + OWN)}</style>
</head>
<body>
<header>
<p class="kicker">bindstorm fixes</p>
<h1>Which fix works</h1>
<p class="lead">What each does to a program that runs out of local ports, by how it binds and by its kernel.</p>
</header>
<main>
<div class="scroll"><table class="league">
<thead>
<tr><th scope="col"></th>${groups.map(({ row, tables }) => html`<th scope="colgroup" class="first" colspan="${tables.length}"><code>${row}</code></th>`)}</tr>
<tr><th scope="col">fix, alone</th>${groups.map(({ tables }) => tables.map(({ kernel }, i) => html`<th scope="col" class="${i === 0 ? 'first' : ''}">${series(kernel.release)}</th>`))}</tr>
</thead>
<tbody>
<tr class="base"><th scope="row">none: ok of 400 in two waves</th>${groups.map(({ tables }) => tables.map(({ baseline }, i) => cellOf(baseline, i === 0, baseline.kind === 'measured' ? baseline.waves.join('+') : short(baseline))))}</tr>
${league(report).map(
  ({ name, title }) =>
    html`<tr><th scope="row"><a href="#${name}">${title}</a></th>${groups.map(({ tables }) => tables.map(({ cells }, i) => cellOf(cells[name], i === 0, mark(cells[name]))))}</tr>
`,
)}</tbody>
</table></div>
<p class="note"><strong>×2</strong>: twice as many were ok. <strong>all</strong>: every one, without limit. <strong>·</strong>: it does nothing. <strong>=</strong>: the program does that already. <strong>n/a</strong>: the kernel, or the machine, has no such thing.${report.tables.some(({ subject }) => subject) ? html` <strong>–</strong>: the program cannot be told so.` : null} Each cell is linked to its run.</p>
<p class="note">${METHOD}${report.tables.some(({ subject }) => subject) ? ` ${SUBJECT_METHOD}` : ''}</p>
${league(report).map(
  (fix) => html`<section id="${fix.name}"><h2>${fix.title}</h2>
<dl><dt><strong>Claim</strong></dt><dd>${fix.claim} <small>${fix.source}</small></dd>
<dt><strong>Found</strong></dt><dd>${rows.map((row) => html`<code>${row}</code>: ${acrossKernels(fix.name, row, report)}<br>`)}</dd>
<dt><strong>Rule</strong></dt><dd>${fix.rule} <small>${fix.kernelSource}</small></dd>
${fix.sideEffect ? html`<dt><strong>Side effect</strong></dt><dd>${fix.sideEffect}</dd>` : null}</dl></section>
`,
)}
<section id="kernels"><h2>Kernels</h2><ul>${[...new Map(report.tables.map(({ kernel }) => [kernel.name, kernel])).values()].map(({ name, release, lab }) => html`<li>${release}: ${name}, ${lab}</li>`)}</ul>
<p><code>${report.command}</code>, ${report.startedAt.slice(0, 10)}, bindstorm ${report.tool}</p></section>
</main>
</body>
</html>
`;
  return page.html;
}

/** As short as can be: a table of fifteen columns must be seen whole. */
function mark(cell: FixCell | undefined): string {
  switch (cell?.kind) {
    case 'same':
      return '=';
    case 'cannot':
      return '–';
    case 'absent':
      return 'n/a';
    case 'measured':
      if (cell.effect === 'does nothing') return '·';
      return byHowMuch(cell) === 'without limit' ? 'all' : byHowMuch(cell);
    default:
      return short(cell);
  }
}

function cellOf(cell: FixCell | undefined, first: boolean, words: string): Markup {
  const border = first ? ' first' : '';
  if (cell === undefined) return html`<td class="gone${border}">–</td>`;
  if (cell.kind !== 'measured') return html`<td class="gone${border}" title="${inWords(cell)}">${words}</td>`;
  const kind = cell.effect === 'does nothing' ? 'nothing' : cell.effect;
  return html`<td class="${kind}${border}" title="${inWords(cell)}: ${cell.waves.join(' + ')} of ${cell.attempts}"><a href="${cell.run}" aria-label="${inWords(cell)}">${words}</a></td>`;
}
