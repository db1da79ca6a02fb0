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
import { formatDifference, formatInterval, formatNumber, formatValue, listed, metricLabel, plural } from '../format.js';
import { addressSlices, heatOf } from '../rows/addresses.js';
import { medianPercentiles, medianSlices } from '../rows/medians.js';
import type { LiveArm, LiveEffect, LiveMachine, LiveMessage, LiveRun, LiveSecond, LiveState } from './messages.js';

/** What of a browser is used here: the package is compiled for Node, whose types know no document. */
interface Page {
  getElementById(id: string): PageElement | null;
  querySelector(selector: string): PageElement | null;
  createElement(tag: string): PageElement;
  createElementNS(namespace: string, tag: string): PageElement;
  open(): void;
  write(markup: string): void;
  close(): void;
}
interface PageElement {
  textContent: string;
  className: string;
  hidden: boolean;
  value: number;
  max: number;
  readonly style: { background: string; height: string };
  append(...children: (PageElement | string)[]): void;
  replaceChildren(...children: PageElement[]): void;
  setAttribute(name: string, value: string): void;
}
interface Browser {
  readonly document: Page;
  readonly history: { replaceState(data: null, title: string, path: string): void };
  readonly EventSource: new (
    path: string,
  ) => {
    onmessage: (event: { data: string }) => void;
    onerror: () => void;
    close(): void;
  };
  addEventListener(name: 'resize', listener: () => void): void;
  requestAnimationFrame(draw: () => void): void;
}
const { document, history, EventSource, addEventListener, requestAnimationFrame } = globalThis as unknown as Browser;

const element = (id: string): PageElement => document.getElementById(id)!;
const CHARTS = ['outcomes', 'ports', 'heat', 'latency', 'effect'] as const;
const charts = Object.fromEntries(
  CHARTS.map((id) => [id, init(element(id) as unknown as null, null, { renderer: 'svg' })]),
) as Record<(typeof CHARTS)[number], ReturnType<typeof init>>;

let state: LiveState | null = null;
/** What the figures and charts are of: the run in progress as soon as there is something of it, until then the last one. */
let shown: LiveRun | null = null;
let drawing = false;
let shownEffect: LiveEffect | null = null;

const source = new EventSource('/events');
source.onmessage = ({ data }) => {
  const message = JSON.parse(data) as LiveMessage;
  if (message.type === 'end') {
    source.close();
    becomeReport(message).catch(() => {
      element('phase').textContent = `The experiment is over. Its report is ${message.file}`;
      element('left').textContent = '';
    });
    return;
  }
  if (message.type === 'machines') {
    if (state) state = { ...state, machines: message.machines };
    drawSoon();
    return;
  }
  if (message.type === 'state') {
    state = message.state;
    const { current } = state;
    if (current && (shown === null || current.timeline.length > 0)) shown = current;
  } else {
    if (state?.current && shown?.id !== state.current.id) shown = state.current;
    if (shown) shown = { ...shown, timeline: [...shown.timeline, message.second] };
    element('left').textContent = `${message.left} left`;
  }
  drawSoon();
};
// The browser tries again by itself. Until then, or always where the run was killed, the last state stays in sight.
source.onerror = () => {
  element('phase').textContent =
    'No connection to bindstorm: it has ended or cannot be reached. Below is its last state';
  element('left').textContent = '';
};
addEventListener('resize', () => {
  for (const id of CHARTS) charts[id].resize();
});

/** The report takes the place of the page, without a further load: the server is about to end. Rejects when it has. */
async function becomeReport({ report, file }: Extract<LiveMessage, { type: 'end' }>): Promise<void> {
  const answer = await fetch(report);
  if (!answer.ok) throw new Error(`${report}: ${answer.status}`);
  const text = await answer.text();
  history.replaceState(null, '', report);
  document.open();
  document.write(text);
  document.close();
  const where = document.createElement('p');
  where.className = 'note';
  where.textContent = `The experiment is over, and this page cannot be loaded again: bindstorm has ended. The report is ${file}`;
  document.querySelector('header')?.append(where);
}

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
  const arm = now.arms.find(({ name }) => name === shown?.arm);
  const timeline = shown?.timeline ?? [];
  element('experiment').textContent = now.experiment;
  element('description').textContent = now.description ?? '';
  element('phase').textContent = now.phase;
  element('counts').textContent = `${now.done} of ${now.total} runs done`;
  element('progress').max = now.total;
  element('progress').value = now.done;
  const isPast = shown?.over || shown?.id !== now.current?.id;
  if (shown) element('now-title').textContent = `${isPast ? 'The last run' : 'The run in progress'}: ${shown.id}`;
  drawTiles(timeline, arm);
  drawOutcomes(timeline, now, arm);
  if (arm) drawPorts(timeline, arm);
  drawLatency(now);
  drawEffect(now.effect, now.looks);
  element('arms').replaceChildren(...now.arms.map((each) => armRow(each, now.effect)));
  element('machines-section').hidden = now.machines.length === 0;
  element('machines').replaceChildren(...machineRows(now));
}

/** Of the last second in which attempts ended: a run of a quarter of a second has slices with none. Until the next run has one, of the last. */
function drawTiles(timeline: readonly LiveSecond[], arm: LiveArm | undefined): void {
  const end = timeline.findLastIndex(({ attempts }) => attempts > 0);
  if (end < 0) return;
  const from = Math.max(0, timeline[end]!.t - 1);
  const slices = timeline.slice(0, end + 1).filter(({ t }) => t > from);
  const before = timeline[end - slices.length]?.t ?? 0;
  const attempts = sum(slices.map((slice) => slice.attempts));
  const ok = sum(slices.map(({ outcomes }) => outcomes.ok ?? 0));
  element('rate').textContent = formatNumber(Math.round(attempts / Math.max(0.02, timeline[end]!.t - before)));
  element('ok').textContent = formatValue('share', ok / attempts);
  element('failed').textContent = formatValue('share', (attempts - ok) / attempts);
  const ports = timeline.at(-1)!.portsPerAddress;
  const fullest = ports === null ? null : Math.max(0, ...ports);
  const hard = arm?.walls.hard ?? null;
  element('fullest').textContent =
    fullest === null ? '–' : `${formatNumber(fullest)}${hard === null ? '' : ` of ${formatNumber(hard)} ports`}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function drawOutcomes(timeline: readonly LiveSecond[], { arms }: LiveState, arm: LiveArm | undefined): void {
  const before = arms[0]?.last?.timeline ?? [];
  const slices = [medianSlices([timeline]), medianSlices([before])];
  const names = [...new Set(slices.flat().flatMap(({ rates }) => Object.keys(rates)))].sort(
    (a, b) => Number(b === 'ok') - Number(a === 'ok') || (a < b ? -1 : 1),
  );
  const colours = outcomeColours(names, CSS_PALETTE);
  const frame = { end: Math.max(1, timeEnd(slices)), scale: outcomeScale(slices) };
  show('outcomes', outcomesChart(slices[0]!, colours, frame, CSS_PALETTE, arm === arms[0] ? [] : slices[1]));
  element('outcome-keys').replaceChildren(
    ...[...colours].map(([name, colour]) => {
      const swatch = document.createElement('span');
      swatch.className = 'swatch';
      swatch.style.background = colour;
      return legendItem(swatch, name);
    }),
  );
}

function drawPorts(timeline: readonly LiveSecond[], arm: LiveArm): void {
  const end = Math.max(1, timeline.at(-1)?.t ?? 1);
  show('ports', portsChart(addressSlices([timeline]), arm.walls, end, CSS_PALETTE));
  const heat = heatOf('now', timeline, arm.addresses);
  if (heat && arm.walls.hard) show('heat', heatChart(heat, arm.walls.hard, end, CSS_PALETTE));
  else charts.heat.clear();
}

function drawLatency({ arms }: LiveState): void {
  const curves = arms.flatMap(({ name, last }, i): { name: string; curve: Curve }[] => {
    const points = last?.total ? medianPercentiles([last.total]) : [];
    if (points.length === 0) return [];
    if (i === 0) return [{ name, curve: { points, colour: CSS_PALETTE.baseline, dash: [], width: 3 } }];
    const style = (i - 1) % CSS_PALETTE.variants.length;
    return [{ name, curve: { points, colour: CSS_PALETTE.variants[style]!, dash: DASHES[style]!, width: 1.75 } }];
  });
  if (curves.length > 0)
    show(
      'latency',
      percentileChart(
        curves.map(({ curve }) => curve),
        CSS_PALETTE,
      ),
    );
  element('arm-keys').replaceChildren(...curves.map(({ name, curve }) => legendItem(lineSwatch(curve), name)));
}

function legendItem(swatch: PageElement, name: string): PageElement {
  const item = document.createElement('li');
  item.append(swatch, name);
  return item;
}

/** As html.ts draws it. */
function lineSwatch({ colour, dash, width }: Curve): PageElement {
  const [svg, path] = ['svg', 'path'].map((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag));
  const attributes = {
    d: 'M0 6H28',
    stroke: colour,
    'stroke-width': String(width),
    'stroke-dasharray': dash.join(' '),
  };
  for (const [name, value] of Object.entries(attributes)) path!.setAttribute(name, value);
  svg!.setAttribute('viewBox', '0 0 28 12');
  svg!.setAttribute('aria-hidden', 'true');
  svg!.append(path!);
  return svg!;
}

/** One colour for all: a green diamond would read as a verdict. */
function drawEffect(effect: LiveEffect, looks: LiveState['looks']): void {
  if (effect === shownEffect) return;
  shownEffect = effect;
  const { metric, rows } = effect;
  element('effect-metric').textContent = metricLabel(metric);
  const pairs = rows.map((row) => row.pairs);
  element('effect-words').textContent =
    rows.length === 0
      ? 'A variant is shown here as soon as it and the baseline have each finished a run of the same block.'
      : `By ${plural(Math.max(...pairs), 'block')} so far; intervals move as runs complete. ${judgedWhen(looks)} The report gives the verdicts, guardrails included.`;
  const first = rows[0];
  element('effect-figure').hidden = first === undefined;
  if (first === undefined) return charts.effect.clear();
  element('effect').style.height = `${effectHeight(rows.length)}px`;
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

function judgedWhen(looks: LiveState['looks']): string {
  return looks === null
    ? 'The arms are judged once, when all runs are done.'
    : `The arms are judged after ${listed(looks.map(String))} pairs, and one that is decided gets no more runs.`;
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

/** A row of a table: its head, then cells; a number is a cell of its own class. */
function rowOf(head: string, ...cells: readonly { readonly text: string; readonly isNumber?: boolean }[]): PageElement {
  const row = document.createElement('tr');
  const made = (tag: string, text: string) => {
    const cell = document.createElement(tag);
    cell.textContent = text;
    return cell;
  };
  const first = made('th', head);
  first.setAttribute('scope', 'row');
  row.append(
    first,
    ...cells.map(({ text, isNumber }) => {
      const cell = made('td', text);
      if (isNumber) cell.className = 'number';
      return cell;
    }),
  );
  return row;
}

function outcomesText(outcomes: Readonly<Record<string, number>>): string {
  return Object.entries(outcomes)
    .map(([outcome, n]) => `${formatNumber(n)} ${outcome}`)
    .join(', ');
}

/** Each, and all together. */
function machineRows({ machines, done: runs }: LiveState): PageElement[] {
  const rates = machines.flatMap(({ perSecond }) => perSecond ?? []);
  const all: Record<string, number> = {};
  for (const { outcomes } of machines)
    for (const [outcome, n] of Object.entries(outcomes)) all[outcome] = (all[outcome] ?? 0) + n;
  const busy = machines.filter(({ run }) => run !== null).length;
  const together: LiveMachine = {
    name: 'Together',
    run: `${busy} of ${machines.length} busy`,
    done: runs,
    perSecond: rates.length === 0 ? null : sum(rates),
    outcomes: all,
  };
  return [...machines, ...(machines.length > 1 ? [together] : [])].map(({ name, run, done, perSecond, outcomes }) =>
    rowOf(
      name,
      { text: run ?? '–' },
      { text: String(done), isNumber: true },
      { text: perSecond === null ? '–' : formatNumber(Math.round(perSecond)), isNumber: true },
      { text: outcomesText(outcomes) || '–' },
    ),
  );
}

function armRow({ name, done, stoppedAfter, last }: LiveArm, effect: LiveEffect): PageElement {
  const count = stoppedAfter === null ? String(done) : `${done}, decided after ${plural(stoppedAfter, 'pair')}`;
  return rowOf(
    name,
    { text: count, isNumber: true },
    { text: effectText(name, effect) },
    { text: last === null ? '–' : last.status === 'ok' ? outcomesText(last.outcomes) : last.status },
  );
}
