/** The loads beside the main one, which a fix must not starve. */
import type { Results } from '../../results/schema.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { html, type Markup } from '../markup.js';
import { neighbourRows, neighboursInWords } from '../rows/neighbours.js';
import { badge, bullets, code, section, table } from './parts.js';

/** @returns null where there are no neighbours */
export function neighboursSection(results: Results): Markup | null {
  const rows = neighbourRows(results);
  if (rows.length === 0) return null;
  return section(
    'neighbours',
    'Neighbours',
    html`<p>Small loads beside the main one, the same in every arm: other programs in the namespace under test, or other clients of the proxy. Their failures and their latency are guardrails. Medians over the compared runs.</p>`,
    bullets(neighboursInWords(results)),
    table(
      'Neighbours by arm',
      [
        { title: 'Neighbour' },
        { title: 'Arm' },
        { title: 'Failed', numeric: true },
        { title: 'How' },
        { title: 'Latency p90', numeric: true },
        { title: 'Its failures' },
      ],
      rows.map(({ neighbour, arm, failed, how, p90, verdict }) => [
        neighbour,
        arm,
        formatValue('share', failed),
        how.length === 0
          ? NONE
          : how.map(([what, count], i) => html`${i > 0 ? html`<br>` : null}${formatNumber(count)} ${code(what)}`),
        formatValue('microseconds', p90),
        verdict === null ? NONE : badge(verdict),
      ]),
    ),
  );
}
