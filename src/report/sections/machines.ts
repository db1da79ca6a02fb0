/** What each machine of a fleet says of the goal, beside the others. */
import { acrossMachines } from '../../analysis/machines.js';
import { parseMetric } from '../../domain/metric.js';
import type { Results } from '../../results/schema.js';
import { type Block, name, type Section, section, tableOf, text, WRITTEN } from '../document.js';
import { formatDifference, formatValue, metricLabel, NONE } from '../format.js';

/** Nothing where one machine made all runs. */
export function machinesSection(results: Results): Section | null {
  const across = acrossMachines(results);
  if (across.length === 0) return null;
  const { goal } = results.experiment;
  const { unit } = parseMetric(goal);
  const rows = across.flatMap(({ variant, machines }) => machines.map((effect) => ({ variant, ...effect })));
  type Row = (typeof rows)[number];
  const spreads = across.flatMap(({ variant, spread }) =>
    spread === null
      ? []
      : [`${variant}: from ${formatDifference(unit, spread[0])} to ${formatDifference(unit, spread[1])}`],
  );
  const blocks: Block[] = [
    text(
      'Each block was made on one machine, so that the two runs of a pair differ in nothing but the variant. What differs between the machines themselves is in no difference.',
    ),
    tableOf<Row>(
      `${metricLabel(goal)}, machine by machine`,
      [
        { title: 'Variant', cell: (row) => name(row.variant) },
        { title: 'Machine', cell: (row) => row.machine },
        { title: 'Pairs', numeric: true, cell: (row) => String(row.pairs) },
        {
          title: 'Baseline',
          numeric: true,
          cell: (row) => (row.baseline === null ? NONE : formatValue(unit, row.baseline)),
        },
        {
          title: 'Difference',
          numeric: true,
          cell: (row) => (row.difference === null ? NONE : formatDifference(unit, row.difference)),
        },
      ],
      rows,
    ),
    ...(spreads.length > 0 ? [text(`The medians of the difference between the machines: ${spreads.join('; ')}.`)] : []),
    ...(results.machines ? [machinesTable(results.machines)] : []),
  ];
  return section('machines', 'Machines', 'Machine by machine', WRITTEN, blocks);
}

function machinesTable(machines: NonNullable<Results['machines']>): Block {
  type Row = (typeof machines)[number];
  return tableOf<Row>(
    'The machines',
    [
      { title: 'Machine', cell: (row) => row.name },
      { title: 'Kernel', cell: ({ environment }) => `Linux ${environment.kernel}` },
      { title: 'CPU', cell: ({ environment }) => `${environment.cpus} × ${environment.cpu}` },
      { title: 'Memory', numeric: true, cell: ({ environment }) => formatValue('bytes', environment.memory) },
    ],
    machines,
  );
}
