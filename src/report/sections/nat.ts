/** What a report says of a router with NAT: the same failure from the client, the router and the origin. Left out where there is none. */
import type { Results } from '../../results/schema.js';
import { code, type Inline, lines, type Section, section, tableOf, text, WRITTEN } from '../document.js';
import { formatNumber, NONE } from '../format.js';
import { type NatRow, natRows, natSentences } from '../rows/nat.js';
import { counts } from './proxy.js';

/** The failure from three sides, and the rules behind it. */
export function natSection(results: Results): Section | null {
  const rows = natRows(results);
  if (rows.length === 0) return null;
  return section('nat', 'NAT', 'What the client, the router and the origin saw', WRITTEN, [
    ...natSentences(results).map((sentence) => text(sentence)),
    text(
      'Medians over the compared runs. The client: outcomes, and the connections that stood only at a later SYN. The router: its counters (conntrack -S) over the load, its entries by state, and those of each NAT address and destination, when the load had ended.',
    ),
    tableOf<NatRow>(
      'NAT by arm',
      [
        { title: 'Arm', cell: ({ name }) => name },
        { title: 'Client', wraps: 'list', cell: ({ client, late }) => counts([...client, ...late]) },
        { title: 'Router: counters', wraps: 'list', cell: ({ counters }) => counts(counters, NONE) },
        { title: 'Router: entries', wraps: 'list', cell: ({ entries }) => counts(entries, NONE) },
        {
          title: 'Origin: accepted',
          numeric: true,
          cell: ({ accepted }) => (accepted === null ? NONE : formatNumber(accepted)),
        },
        { title: 'NAT address → destination', wraps: 'list', cell: ({ pools }) => counts(pools, NONE) },
      ],
      rows,
    ),
    {
      kind: 'fold',
      summary: 'The rules of the router',
      blocks: [{ kind: 'terms', entries: rows.map(({ name, rules }): [Inline, Inline] => [name, rulesCell(rules)]) }],
    },
  ]);
}

function rulesCell(rules: readonly string[]): Inline {
  return rules.length === 0 ? NONE : lines(rules.map(code));
}
