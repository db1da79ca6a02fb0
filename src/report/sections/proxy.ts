/** A failure from its sides: what the client saw, what the proxy answered and logged, and the ports that it had in use. */
import type { Results } from '../../results/schema.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import { type Counted, proxyRows } from '../rows/proxy.js';
import { section, table } from './parts.js';

/** @returns null where no arm has a proxy */
export function proxySection(results: Results): Markup | null {
  const rows = proxyRows(results);
  if (rows.length === 0) return null;
  const number = (value: number | null) => (value === null ? NONE : formatNumber(value));
  const lines = rows.flatMap((row) => row.lines.map((line) => ({ name: row.name, line })));
  return section(
    'proxy',
    'What the proxy suffered',
    html`<p>The same failures from the sides of the client, of the proxy's own log, and of the kernel's list of its sockets; medians over the compared runs. Ports in use at the most; sockets in TIME_WAIT and in other states when the load had ended. Log lines need not be failures: one request may have several lines, or none.</p>`,
    table(
      'The proxy by arm',
      [
        { title: 'Arm' },
        { title: 'Proxy' },
        { title: 'Failing answers' },
        { title: 'Failures in its log' },
        { title: 'Ports, peak', numeric: true },
        { title: 'TIME_WAIT, end', numeric: true },
        { title: 'Others, end', numeric: true },
        { title: 'CPU', numeric: true },
        { title: 'Memory', numeric: true },
      ],
      rows.map((row) => [
        row.name,
        row.program,
        counts(row.answers),
        counts(row.logged),
        number(row.ports),
        number(row.timeWait),
        number(row.open),
        row.cpuSeconds === null ? NONE : formatValue('microseconds', row.cpuSeconds * 1e6),
        formatValue('bytes', row.memory),
      ]),
    ),
    lines.length === 0
      ? null
      : html`<details><summary>Lines of its log</summary>
<dl>${lines.map(({ name, line }) => html`<dt>${name}</dt><dd><code>${line}</code></dd>\n`)}</dl></details>`,
  );
}

function counts(counted: readonly Counted[]): Content {
  if (counted.length === 0) return 'none';
  return counted.map(
    ([what, count], i) => html`${i > 0 ? html`<br>` : null}${formatNumber(count)} <code>${what}</code>`,
  );
}
