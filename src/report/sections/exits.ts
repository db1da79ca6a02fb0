/** The exits of a private Tor network, and the three questions of 2012. */
import type { Results } from '../../results/schema.js';
import { formatNumber, NONE } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import type { Counted } from '../rows/proxy.js';
import { answers, bootstrapText, exitRows } from '../rows/tor-exits.js';
import { bullets, section, table } from './parts.js';

/** @returns null where the subject is not Tor */
export function exitsSection(results: Results): Markup | null {
  const rows = exitRows(results);
  if (rows.length === 0) return null;
  return section(
    'exits',
    'The view of the exits',
    html`<p>A private Tor network of the lab, without a route out of it; medians over the compared runs. Calls were counted in one more run of each arm.</p>`,
    table(
      'The exits by arm',
      [
        { title: 'Arm' },
        { title: 'Tor' },
        { title: 'Refused calls' },
        { title: 'Lines in its log', numeric: true },
        { title: 'Clients were told' },
        { title: 'Streams ended' },
        { title: 'Ports in use, by address', numeric: true },
        { title: 'Bootstrap' },
      ],
      rows.map((row) => [
        row.name,
        row.version ?? NONE,
        row.calls === null ? 'not observed' : counts(row.calls),
        formatNumber(row.logged),
        counts(row.replies),
        counts(row.ends),
        row.ports?.map(formatNumber).join(', ') ?? NONE,
        bootstrapText(row),
      ]),
    ),
    ...answers(results).map(
      ({ question, sentences }, i) => html`<h3>${i + 1}. ${question}</h3>
${bullets(sentences)}`,
    ),
  );
}

function counts(counted: readonly Counted[]): Content {
  if (counted.length === 0) return 'none';
  return counted.map(
    ([what, count], i) => html`${i > 0 ? html`<br>` : null}${formatNumber(count)} <code>${what}</code>`,
  );
}
