/** The two walls of a proxy: slow first, then full. */
import type { Results } from '../../results/schema.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { html, type Markup } from '../markup.js';
import { type Wall, wallRows } from '../rows/limits.js';
import { section, table } from './parts.js';

/** @returns null where no arm has a range that is large enough for a slow wall */
export function wallsSection(results: Results): Markup | null {
  const rows = wallRows(results);
  if (rows.length === 0) return null;
  const number = (value: number | null) => (value === null ? NONE : formatNumber(value));
  const measured = ({ measured: ports }: Wall) => (ports === null ? 'not reached' : formatNumber(ports));
  return section(
    'walls',
    'Two walls',
    html`<p>From a part of the ports on each search for one walks over those in use: slow, and without any error. The second wall is where nothing is left. Ports in use when each was met, medians over the compared runs; slow is four times the response time of the beginning.</p>`,
    table(
      'The walls by arm',
      [
        { title: 'Arm' },
        { title: 'Slow from', numeric: true },
        { title: 'Expected', numeric: true },
        { title: 'Response before', numeric: true },
        { title: 'Behind', numeric: true },
        { title: 'First failure at', numeric: true },
        { title: 'Expected', numeric: true },
      ],
      rows.map(({ name, slow, hard }) => [
        name,
        measured(slow),
        number(slow.expected),
        formatValue('microseconds', slow.before),
        formatValue('microseconds', slow.behind),
        measured(hard),
        number(hard.expected),
      ]),
    ),
  );
}
