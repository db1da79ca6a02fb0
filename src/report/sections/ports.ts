/** The plots of ports: in use on one address against both walls, and the heat strip of the address set. */
import { strategyOf } from '../../domain/strategy.js';
import type { Results, Variant } from '../../results/schema.js';
import { portsChart } from '../charts/charts.js';
import { HEAT_LEVELS, HEAT_WORDS, heatChart, heatHeight, levelOf } from '../charts/heat.js';
import { CSS_PALETTE } from '../charts/palette.js';
import type { DrawSvg } from '../charts/svg.js';
import { formatNumber, formatValue, plural } from '../format.js';
import { html, type Markup } from '../markup.js';
import {
  type AddressHeat,
  type AddressSlice,
  type AddressWalls,
  addressHeat,
  addressTimeline,
  addressWalls,
  HEAT_ROWS,
} from '../rows/addresses.js';
import { comparedRuns, medianOf } from '../rows/medians.js';
import { areaSwatch, type FigureTable, legend, lineSwatch, panel, thinned } from './figure.js';
import { section } from './parts.js';

const PANEL = { width: 360, height: 220 };

export function portsSection(results: Results, draw: DrawSvg): Markup {
  const end = loadEnd(results);
  return section(
    'ports',
    'Ports in use per local address',
    html`<p>Distinct ephemeral ports in use on one local address, TIME_WAIT included, as the kernel lists them; medians over the compared runs. Two walls are marked: the slow one, from where on each search for a port first walks over used ones in vain, and the hard one, where every port of the range is taken. The vertical scale of each panel is its own. Where <code>connect()</code> chooses the port, one port can serve several destinations, so that an arm at its hard wall need not fail.</p>
${legend([
  { swatch: lineSwatch(CSS_PALETTE.portsLine, [], 2), text: 'fullest address' },
  { swatch: areaSwatch(CSS_PALETTE.portsArea), text: 'down to the emptiest' },
  { swatch: lineSwatch(CSS_PALETTE.slow, [2, 3], 2), text: 'slow wall' },
  { swatch: lineSwatch(CSS_PALETTE.limit, [6, 4], 2), text: 'hard wall: all ports' },
])}
<div class="panels">${results.variants.map((variant, index) => {
      const timeline = addressTimeline(variant);
      const walls = addressWalls(variant);
      return panel(
        variant,
        'Ports in use per address over time',
        portsText(variant, timeline, walls),
        timeline.length > 0
          ? draw(portsChart(timeline, walls, end, CSS_PALETTE), `p${index}`, PANEL.width, PANEL.height)
          : null,
        portsTable(timeline),
      );
    })}</div>`,
  );
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
  const passed = (wall: number | null) =>
    wall === null ? undefined : timeline.find((slice) => slice.fullest >= wall)?.t;
  const [slowAt, hardAt] = [passed(slow), passed(hard)];
  const { concurrent } = variant.prediction;
  return [
    `peak ${formatNumber(fullest)}${hard === null ? '' : ` of ${plural(hard, 'port')}`} on one address, ${formatNumber(peak)} on all`,
    slowAt === undefined ? '' : `slow wall at ${seconds(slowAt)}`,
    hardAt === undefined ? '' : `hard wall at ${seconds(hardAt)}`,
    hardAt !== undefined && hard !== null && concurrent !== null && concurrent > hard * addressCount(variant)
      ? `but ${formatNumber(concurrent)} connections fit`
      : '',
  ]
    .filter((text) => text !== '')
    .join('; ');
}

function addressCount(variant: Variant): number {
  return strategyOf(variant.load.strategy).address === 'chosen' ? variant.addresses.count : 1;
}

function portsTable(timeline: readonly AddressSlice[]): FigureTable {
  return {
    head: ['after', 'fullest', 'middle', 'emptiest'],
    rows: thinned(timeline).map(({ t, fullest, middle, least }) => [
      seconds(t),
      formatNumber(fullest),
      formatNumber(middle),
      formatNumber(least),
    ]),
  };
}

/** The strip of each arm that has more than one address. */
export function heatSection(results: Results, draw: DrawSvg): Markup | null {
  const end = loadEnd(results);
  const strips = results.variants.flatMap((variant, index) => {
    const heat = addressHeat(variant);
    const { hard } = addressWalls(variant);
    return heat === null || hard === null || hard === 0 || addressCount(variant) < 2
      ? []
      : [{ variant, index, heat, hard }];
  });
  if (strips.length === 0) return null;
  return section(
    'heat',
    'Which address filled up, and when',
    html`<p>One row an address, the first on top, from left to right the seconds of one run of each arm: the run whose number of failures is in the middle. The colour is the share of the address's ports in use, TIME_WAIT included.${strips.some(({ variant }) => variant.addresses.count > HEAT_ROWS) ? ' Where there are more addresses than rows, a row is the fullest of its neighbours.' : null}</p>
${legend(HEAT_WORDS.map((text, level) => ({ swatch: areaSwatch(CSS_PALETTE.heat[level]!), text })))}
<div class="panels">${strips.map(({ variant, index, heat, hard }) =>
      panel(
        variant,
        'How full each address was over time',
        heatText(heat, hard),
        draw(heatChart(heat, hard, end, CSS_PALETTE), `h${index}`, PANEL.width, heatHeight(heat.rows.length)),
        heatTable(heat, hard),
      ),
    )}</div>`,
  );
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

function heatTable(heat: AddressHeat, hard: number): FigureTable {
  return {
    head: ['address', 'most ports', 'share', 'full at'],
    rows: heat.rows.map(({ name, ports }) => {
      const most = Math.max(...ports);
      const at = fullAt(heat, ports, hard);
      return [name, formatNumber(most), formatValue('share', most / hard), at === undefined ? 'never' : seconds(at)];
    }),
  };
}

function seconds(t: number): string {
  return `${formatNumber(Math.round(t * 10) / 10)} s`;
}
