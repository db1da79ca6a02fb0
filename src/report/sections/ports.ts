/** The plots of ports: in use on one address against what it has, and the heat strip of the address set. */
import { comparedRuns } from '../../analysis/usable.js';
import { strategyOf } from '../../domain/strategy.js';
import type { Results, Variant } from '../../results/schema.js';
import { portsChart } from '../charts/charts.js';
import { HEAT_LEVELS, HEAT_WORDS, heatChart, heatHeight, levelOf } from '../charts/heat.js';
import { CSS_PALETTE } from '../charts/palette.js';
import { type Figure, PAGE, type Section, section, text } from '../document.js';
import { formatNumber, formatValue, plural } from '../format.js';
import {
  type AddressHeat,
  type AddressSlice,
  type AddressWalls,
  addressHeat,
  addressTimeline,
  addressWalls,
  HEAT_ROWS,
} from '../rows/addresses.js';
import { medianOf } from '../rows/medians.js';
import { PANEL, panel, thinned } from './charts.js';

/** Ports in use on one address over time, one panel an arm. */
export function portsSection(results: Results): Section {
  return section('ports', 'Ports', 'Ports in use per local address', PAGE, [
    text([
      'Distinct ephemeral ports in use on one local address, TIME_WAIT included, as the kernel lists them; medians over the compared runs. Two levels are marked: slow, from where on each search for a port first walks over used ones, and full, where every port of the range is taken. The vertical scale of each panel is its own. Where ',
      { kind: 'code', text: 'connect()' },
      ' chooses the port, one port can serve several destinations, so an arm that is full need not fail.',
    ]),
    {
      kind: 'legend',
      entries: [
        { swatch: { kind: 'line', colour: CSS_PALETTE.portsLine, dash: [], width: 2 }, text: 'fullest address' },
        { swatch: { kind: 'area', colour: CSS_PALETTE.portsArea }, text: 'down to the emptiest' },
        { swatch: { kind: 'line', colour: CSS_PALETTE.slow, dash: [2, 3], width: 2 }, text: 'slow from here' },
        { swatch: { kind: 'line', colour: CSS_PALETTE.limit, dash: [6, 4], width: 2 }, text: 'full: all ports' },
      ],
    },
    { kind: 'group', style: 'panels', blocks: portFigures(results) },
  ]);
}

/** One for each arm, in the order of the results. */
export function portFigures(results: Results): Figure[] {
  const end = loadEnd(results);
  return results.variants.map((variant, i) => {
    const timeline = addressTimeline(variant);
    const walls = addressWalls(variant);
    return panel(
      { id: `p${i}`, variant, about: 'Ports in use per address over time', words: portsText(variant, timeline, walls) },
      timeline.length > 0 ? { option: (palette) => portsChart(timeline, walls, end, palette), ...PANEL } : null,
      {
        head: ['after', 'fullest', 'middle', 'emptiest'],
        rows: thinned(timeline).map(({ t, fullest, middle, least }) => [
          seconds(t),
          formatNumber(fullest),
          formatNumber(middle),
          formatNumber(least),
        ]),
      },
    );
  });
}

/** Seconds of the longest compared run. */
function loadEnd({ variants }: Results): number {
  return Math.max(
    0,
    ...variants.flatMap((variant) => comparedRuns(variant).map(({ timeline }) => timeline.at(-1)?.t ?? 0)),
  );
}

function portsText(variant: Variant, timeline: readonly AddressSlice[], { slow, hard }: AddressWalls): string {
  const peak = medianOf(variant, (run) => run.ports.peak);
  if (peak === null) return 'not observed';
  const fullest = Math.max(0, ...timeline.map((slice) => slice.fullest));
  const passed = (level: number | null) =>
    level === null ? undefined : timeline.find((slice) => slice.fullest >= level)?.t;
  const [slowAt, fullAt] = [passed(slow), passed(hard)];
  const { concurrent } = variant.prediction;
  return [
    `peak ${formatNumber(fullest)}${hard === null ? '' : ` of ${plural(hard, 'port')}`} on one address, ${formatNumber(peak)} on all`,
    slowAt === undefined ? '' : `slow from ${seconds(slowAt)}`,
    fullAt === undefined ? '' : `full from ${seconds(fullAt)}`,
    fullAt !== undefined && hard !== null && concurrent !== null && concurrent > hard * addressCount(variant)
      ? `but ${formatNumber(concurrent)} connections fit`
      : '',
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function addressCount(variant: Variant): number {
  return strategyOf(variant.load.strategy).address === 'chosen' ? variant.addresses.count : 1;
}

/** The strip of each arm that has more than one address; nothing where none has. */
export function heatSection(results: Results): Section | null {
  const figures = heatFigures(results).filter((figure) => figure !== null);
  if (figures.length === 0) return null;
  const merged = results.variants.some(({ addresses }) => addresses.count > HEAT_ROWS);
  return section('heat', 'Addresses', 'Which address filled up, and when', PAGE, [
    text(
      `One row per address, the first on top; from left to right the seconds of one run of each arm: the run with the median number of failures. The colour is the share of the address's ports in use, TIME_WAIT included.${merged ? ' Where there are more addresses than rows, a row is the fullest of several neighbouring addresses.' : ''}`,
    ),
    {
      kind: 'legend',
      entries: HEAT_WORDS.map((words, level) => ({
        swatch: { kind: 'area', colour: CSS_PALETTE.heat[level]! },
        text: words,
      })),
    },
    { kind: 'group', style: 'panels', blocks: figures },
  ]);
}

/** One for each arm, in the order of the results; null where it has one address, or none was observed. */
export function heatFigures(results: Results): (Figure | null)[] {
  const end = loadEnd(results);
  return results.variants.map((variant, i) => {
    const heat = addressHeat(variant);
    const { hard } = addressWalls(variant);
    if (heat === null || hard === null || hard === 0 || addressCount(variant) < 2) return null;
    return panel(
      { id: `h${i}`, variant, about: 'How full each address was over time', words: heatText(heat, hard) },
      {
        option: (palette) => heatChart(heat, hard, end, palette),
        width: PANEL.width,
        height: heatHeight(heat.rows.length),
      },
      {
        head: ['address', 'most ports', 'share', 'full from'],
        rows: heat.rows.map(({ name, ports }) => {
          const most = Math.max(...ports);
          const at = fullAt(heat, ports, hard);
          return [
            name,
            formatNumber(most),
            formatValue('share', most / hard),
            at === undefined ? 'never' : seconds(at),
          ];
        }),
      },
    );
  });
}

const FULL = HEAT_LEVELS.length - 1;

/** The first moment at which an address was full; undefined: never. */
function fullAt({ ends }: AddressHeat, ports: readonly number[], hard: number): number | undefined {
  return ends[ports.findIndex((count) => levelOf(count, hard) === FULL)];
}

function heatText(heat: AddressHeat, hard: number): string {
  const full = heat.rows.flatMap(({ name, ports }) => {
    const at = fullAt(heat, ports, hard);
    return at === undefined ? [] : [{ name, at }];
  });
  if (full.length === 0) return `${heat.run}: no address filled up`;
  const first = full.reduce((a, b) => (b.at < a.at ? b : a));
  const last = full.reduce((a, b) => (b.at > a.at ? b : a));
  const when =
    first.at === last.at
      ? `at ${seconds(first.at)}`
      : `the first at ${seconds(first.at)} (${first.name}), the last at ${seconds(last.at)} (${last.name})`;
  const rows = heat.rows.length === heat.addresses ? '' : ' rows';
  return `${heat.run}: ${full.length === heat.rows.length ? `all ${full.length}` : `${full.length} of ${heat.rows.length}`}${rows} filled up, ${when}`;
}

function seconds(t: number): string {
  return `${formatNumber(Math.round(t * 10) / 10)} s`;
}
