/** The same failure from four sides, side by side. */
import type { Results } from '../../results/schema.js';
import { formatNumber, NONE } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import { type PortsAtPeak, type ViewRow, viewRows } from '../rows/four-views.js';
import type { Counted } from '../rows/proxy.js';
import { bullets, section, table } from './parts.js';

/** @returns null where no arm was observed */
export function viewsSection(results: Results): Markup | null {
  const rows = viewRows(results);
  if (rows.length === 0) return null;
  return section(
    'views',
    'One failure, four sides',
    html`<p>One more run of each arm, in which the system calls of the proxy were counted. That makes it slow, so it is compared with nothing, and its counts may differ from the medians above.</p>`,
    table(
      'The failures of one run by arm',
      [
        { title: 'Arm' },
        { title: 'The client' },
        { title: "The proxy's log" },
        { title: 'The kernel' },
        { title: 'Ports then' },
      ],
      rows.map((row) => [
        row.name,
        counts(row.client),
        counts(row.log),
        row.kernel === null
          ? 'not observed'
          : html`${counts(row.kernel)}${row.pids.length > 0 ? html`<br><small>by ${row.by}, pid ${row.pids.join(', ')}</small>` : html`<br><small>by ${row.by}</small>`}`,
        row.ports ? portsCell(row.ports) : NONE,
      ]),
    ),
    bullets(together(rows).map(([names, sentence]) => html`<strong>${names.join(', ')}</strong>: ${sentence}`)),
  );
}

/** What is said of several arms in the same words is said once. */
function together(rows: readonly ViewRow[]): [names: string[], sentence: string][] {
  const said = new Map<string, string[]>();
  for (const { name, sentences } of rows) {
    const sentence = sentences.join(' ');
    said.set(sentence, [...(said.get(sentence) ?? []), name]);
  }
  return [...said].map(([sentence, names]) => [names, sentence]);
}

function portsCell({ inUse, room, each, addresses, timeWait, full }: PortsAtPeak): Content {
  return html`${formatNumber(inUse)} of ${formatNumber(room)}<br><small>${formatNumber(each)} × ${formatNumber(addresses)}</small>${formatNumber(timeWait)} in TIME_WAIT<br>${formatNumber(full)} of ${formatNumber(addresses)} full`;
}

function counts(counted: readonly Counted[]): Content {
  if (counted.length === 0) return 'none';
  return counted.map(
    ([what, count], i) => html`${i > 0 ? html`<br>` : null}${formatNumber(count)} <code>${what}</code>`,
  );
}
