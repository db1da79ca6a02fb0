/**
 * The script of the live page, which runs in a browser: it keeps what the server tells, and draws it with the builders of the report.
 * Texts of a profile are set as text, never as markup.
 */

import type { ChartOption } from '../charts/axes.js';
import { type Curve, outcomeScale, outcomesChart, percentileChart, portsChart, timeEnd } from '../charts/charts.js';
import { init } from '../charts/echarts.js';
import { effectChart, effectHeight } from '../charts/effect.js';
import { heatChart } from '../charts/heat.js';
import { CSS_PALETTE, DASHES, outcomeColours } from '../charts/palette.js';
import { formatDifference, formatInterval, formatNumber, formatValue, metricLabel, plural } from '../format.js';
import { addressSlices, heatOf } from '../rows/addresses.js';
import { medianPercentiles, medianSlices } from '../rows/medians.js';
import type { LiveArm, LiveEffect, LiveMessage, LiveSecond, LiveState } from './messages.js';

/** What of a browser is used here: the package is compiled for Node, whose types know no document. */
interface Page {
  getElementById(id: string): PageElement | null;
  createElement(tag: string): PageElement;
}
interface PageElement {
  textContent: string;
  className: string;
  value: number;
  max: number;
  readonly style: { background: string; height: string };
  append(...children: (PageElement | string)[]): void;
  replaceChildren(...children: PageElement[]): void;
  setAttribute(name: string, value: string): void;
}
interface Browser {
  readonly document: Page;
  readonly location: { replace(path: string): void };
  readonly EventSource: new (path: string) => { onmessage: (event: { data: string }) => void; close(): void };
  addEventListener(name: 'resize', listener: () => void): void;
  requestAnimationFrame(draw: () => void): void;
}
const { document, location, EventSource, addEventListener, requestAnimationFrame } = globalThis as unknown as Browser;

const element = (id: string): PageElement => document.getElementById(id)!;
const CHARTS = ['outcomes', 'ports', 'heat', 'latency', 'effect'] as const;
const charts = Object.fromEntries(
  CHARTS.map((id) => [id, init(element(id) as unknown as null, null, { renderer: 'svg' })]),
) as Record<(typeof CHARTS)[number], ReturnType<typeof init>>;

let state: LiveState | null = null;
let timeline: LiveSecond[] = [];
let drawing = false;
let shownEffect: LiveEffect | null = null;

const source = new EventSource('/events');
source.onmessage = ({ data }) => {
  const message = JSON.parse(data) as LiveMessage;
  if (message.type === 'end') {
    source.close();
    if (message.report === null) element('phase').textContent = 'ended without a report';
    else location.replace(message.report);
    return;
  }
  if (message.type === 'state') {
    state = message.state;
    // Between two runs the last one stays in sight.
    if (state.current) timeline = [...state.current.timeline];
  } else {
    timeline.push(message.second);
    element('left').textContent = `${message.left} left`;
  }
  drawSoon();
};
addEventListener('resize', () => {
  for (const id of CHARTS) charts[id].resize();
});

/** At most once a frame, and not at all while the page is hidden. */
function drawSoon(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (state) draw(state);
  });
}

function draw(now: LiveState): void {
  const arm = now.arms.find(({ name }) => name === now.current?.arm) ?? latestArm(now);
  element('description').textContent = now.description ?? '';
  element('phase').textContent = now.phase;
  element('counts').textContent = `${now.done} of ${now.total} runs done`;
  element('progress').max = now.total;
  element('progress').value = now.done;
  drawTiles(arm);
  drawOutcomes(now, arm);
  if (arm) drawPorts(arm);
  drawLatency(now);
  drawEffect(now.effect);
  element('arms').replaceChildren(...now.arms.map((each) => armRow(each, now.effect)));
}

function latestArm({ arms }: LiveState): LiveArm | undefined {
  return arms.find(({ last }) => last !== null);
}

function drawTiles(arm: LiveArm | undefined): void {
  const second = timeline.at(-1);
  if (!second) return;
  const length = Math.max(0.02, second.t - (timeline.at(-2)?.t ?? 0));
  const ok = second.outcomes.ok ?? 0;
  const share = (count: number) => (second.attempts > 0 ? formatValue('share', count / second.attempts) : '–');
  element('rate').textContent = formatNumber(Math.round(second.attempts / length));
  element('ok').textContent = share(ok);
  element('failed').textContent = share(second.attempts - ok);
  const fullest = second.portsPerAddress === null ? null : Math.max(0, ...second.portsPerAddress);
  const hard = arm?.walls.hard ?? null;
  element('fullest').textContent =
    fullest === null ? '–' : `${formatNumber(fullest)}${hard === null ? '' : ` of ${formatNumber(hard)} ports`}`;
}

function drawOutcomes({ arms }: LiveState, arm: LiveArm | undefined): void {
  const before = arms[0]?.last?.timeline ?? [];
  const slices = [medianSlices([timeline]), medianSlices([before])];
  const names = [...new Set(slices.flat().flatMap(({ rates }) => Object.keys(rates)))].sort(
    (a, b) => Number(b === 'ok') - Number(a === 'ok') || (a < b ? -1 : 1),
  );
  const colours = outcomeColours(names, CSS_PALETTE);
  const frame = { end: Math.max(1, timeEnd(slices)), scale: outcomeScale(slices) };
  const shown = arm === arms[0] ? [] : slices[1]!;
  show('outcomes', outcomesChart(slices[0]!, colours, frame, CSS_PALETTE, shown));
  element('outcome-keys').replaceChildren(
    ...[...colours].map(([name, colour]) => {
      const item = document.createElement('li');
      const swatch = document.createElement('span');
      swatch.className = 'swatch';
      swatch.style.background = colour;
      item.append(swatch, name);
      return item;
    }),
  );
}

function drawPorts(arm: LiveArm): void {
  const end = Math.max(1, timeline.at(-1)?.t ?? 1);
  show('ports', portsChart(addressSlices([timeline]), arm.walls, end, CSS_PALETTE));
  const heat = heatOf('now', timeline, arm.addresses);
  if (heat && arm.walls.hard) show('heat', heatChart(heat, arm.walls.hard, end, CSS_PALETTE));
  else charts.heat.clear();
}

function drawLatency({ arms }: LiveState): void {
  const curves = arms.flatMap(({ last }, i): Curve[] => {
    const points = last?.total ? medianPercentiles([last.total]) : [];
    if (points.length === 0) return [];
    if (i === 0) return [{ points, colour: CSS_PALETTE.baseline, dash: [], width: 3 }];
    const style = (i - 1) % CSS_PALETTE.variants.length;
    return [{ points, colour: CSS_PALETTE.variants[style]!, dash: DASHES[style]!, width: 1.75 }];
  });
  if (curves.length > 0) show('latency', percentileChart(curves, CSS_PALETTE));
}

/** One colour for all: a green diamond would read as a verdict. */
function drawEffect(effect: LiveEffect): void {
  if (effect === shownEffect) return;
  shownEffect = effect;
  const { metric, rows } = effect;
  element('effect-metric').textContent = metricLabel(metric);
  const pairs = rows.map((row) => row.pairs);
  element('effect-words').textContent =
    rows.length === 0
      ? 'A variant is shown here as soon as it and the baseline have each finished a run of the same block.'
      : `By ${plural(Math.max(...pairs), 'block')} so far. Intervals move as runs complete, so nothing is decided before the last: the report gives the verdicts, after guardrails too.`;
  const first = rows[0];
  element('effect').style.height = `${first ? effectHeight(rows.length) : 0}px`;
  if (first === undefined) return charts.effect.clear();
  charts.effect.resize();
  const drawn = rows.map(({ name, difference, ci }) => ({
    name,
    difference,
    ci,
    verdict: 'not enough evidence' as const,
  }));
  const margin = Math.min(...rows.map((row) => row.margin));
  show('effect', effectChart(drawn, { unit: first.unit, margin, names: true }, CSS_PALETTE));
}

function effectText(name: string, { rows }: LiveEffect): string {
  const row = rows.find((each) => each.name === name);
  if (!row || row.difference === null) return '–';
  const interval = formatInterval(row.unit, row.ci) ?? (row.kind === 'exact' ? 'exact' : 'no interval');
  return `${formatDifference(row.unit, row.difference)} (${interval}), ${plural(row.pairs, 'pair')}`;
}

function show(id: (typeof CHARTS)[number], option: ChartOption): void {
  charts[id].setOption(option, { notMerge: true });
}

function armRow({ name, done, last }: LiveArm, effect: LiveEffect): PageElement {
  const row = document.createElement('tr');
  const cell = (tag: string, text: string) => {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  };
  const head = cell('th', name);
  head.setAttribute('scope', 'row');
  const count = cell('td', String(done));
  count.className = 'number';
  const outcomes = Object.entries(last?.outcomes ?? {}).map(([outcome, n]) => `${formatNumber(n)} ${outcome}`);
  row.append(
    head,
    count,
    cell('td', effectText(name, effect)),
    cell('td', last === null ? '–' : last.status === 'ok' ? outcomes.join(', ') : last.status),
  );
  return row;
}
