/**
 * The samples of all runs as one table (RFC 4180, with line feeds), for spreadsheets and notebooks. Pure.
 */
import type { Results, Run, Second } from '../results/schema.js';
import { allRuns } from './rows/notices.js';

type Cell = string | number | boolean | null;

interface Column {
  readonly name: string;
  /** @param before the sample of the run before this one */
  readonly value: (run: Run, second: Second, before: Second | undefined) => Cell;
}

/** Only where several kernels were measured. */
const KERNEL: Column = { name: 'kernel', value: (run) => run.kernel ?? null };

const RUN_COLUMNS: readonly Column[] = [
  { name: 'variant', value: (run) => run.variant },
  { name: 'run', value: (run) => run.id },
  { name: 'block', value: (run) => run.block },
  { name: 'order', value: (run) => run.order },
  { name: 'warmup', value: (run) => run.warmup },
  { name: 'valid', value: (run) => run.valid && run.status === 'ok' },
  { name: 't_seconds', value: (_, second) => second.t },
  // Nanoseconds are noise of the subtraction.
  { name: 'interval_seconds', value: (_, { t }, before) => Number((t - (before?.t ?? 0)).toFixed(6)) },
  { name: 'attempts', value: (_, second) => second.attempts },
];

const MACHINE_COLUMNS: readonly Column[] = [
  { name: 'ports_in_use', value: (_, second) => second.portsInUse },
  { name: 'cpu_client_cores', value: (_, second) => second.cpu.client },
  { name: 'cpu_origin_cores', value: (_, second) => second.cpu.origin },
  { name: 'cpu_machine_cores', value: (_, second) => second.cpu.machine?.total ?? null },
  { name: 'load1', value: (_, second) => second.load1 },
  { name: 'memory_bytes', value: (_, second) => second.memory },
];

/**
 * One line a sample of a run: each second, of a run shorter than 5 s each 25 to 100 ms; `interval_seconds` says how long the line is. In
 * the order in which the runs were made, warm-ups included; the first line has the names. Every outcome and every TCP state that any
 * sample has is a column.
 */
export function renderCsv(results: Results): string {
  const runs = allRuns(results);
  const seconds = runs.flatMap((run) => run.timeline);
  const columns = [
    ...(results.kernels ? [KERNEL] : []),
    ...RUN_COLUMNS,
    ...namesIn(seconds, (second) => second.outcomes, 'ok').map(
      (outcome): Column => ({ name: outcome, value: (_, second) => second.outcomes[outcome] ?? 0 }),
    ),
    ...namesIn(seconds, (second) => second.states ?? {}).map(
      // No state was seen, or nobody looked: 0 is not the same as nothing.
      (state): Column => ({ name: state, value: (_, second) => second.states && (second.states[state] ?? 0) }),
    ),
    ...MACHINE_COLUMNS,
  ];
  const lines = [
    columns.map(({ name }) => cell(name)),
    ...runs.flatMap((run) =>
      run.timeline.map((second, i) => columns.map(({ value }) => cell(value(run, second, run.timeline[i - 1])))),
    ),
  ];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}

/** All keys of a record that any second has, in the order of their names; `first` before the others. */
function namesIn(
  seconds: readonly Second[],
  pick: (second: Second) => Readonly<Record<string, number>>,
  first?: string,
): string[] {
  const names = new Set(seconds.flatMap((second) => Object.keys(pick(second))));
  return [...names].sort((a, b) => Number(b === first) - Number(a === first) || (a < b ? -1 : 1));
}

function cell(value: Cell): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
