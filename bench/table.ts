/**
 * The results as Markdown, padded so that a terminal shows straight columns. Pure.
 */
import { CONTENDER_TITLES } from './churn.js';
import type { Baseline, Change } from './guard.js';
import {
  type BenchResults,
  type Row,
  type SnapshotRow,
  type Spread,
  summarise,
  summariseSnapshots,
} from './results.js';

export function markdownOf(results: BenchResults): string {
  const { environment, settings, loadAverage } = results;
  const thousands = (n: number) => n.toLocaleString('en');
  const lines = [
    `${results.date.slice(0, 10)}, Linux ${environment.kernel}, ${environment.cpus} × ${environment.cpu}, ` +
      `Node.js ${environment.node}, ${results.compiler ?? 'no C compiler: the C client was not measured'}.`,
    `${settings.rounds} rounds of ${thousands(settings.attempts)} connections each, timed after the first ` +
      `${thousands(settings.warmUp)}, ${settings.inFlight} in flight, ` +
      `from ${settings.sources} addresses to ${settings.destinations} destinations, seed ${settings.seed}; ` +
      `load average ${loadAverage.before.toFixed(1)} before and ${loadAverage.after.toFixed(1)} after.`,
    '',
    'Medians over the rounds, with minimum and maximum. Ratios are of the same round; above 1, bindstorm makes more connections.',
    '',
    ...table(
      ['strategy', 'contender', 'connections/s', 'CPU µs each', 'bindstorm ÷ it', 'the same per CPU second'],
      summarise(results.samples).map(cellsOf),
    ),
    '',
    'One look at all sockets (`sock_diag`), which the agent takes with every sample:',
    '',
    ...table(
      ['sockets in TIME_WAIT', 'snapshot, ms', 'of it the dump, ms', 'µs a socket', 'of it reading, µs'],
      summariseSnapshots(results.snapshots).map(snapshotCells),
    ),
    '',
    'A call into C, ns each: the way into the kernel and back, and a look at the clock, which needs no kernel:',
    '',
    ...table(
      ['call', 'from JavaScript', 'from C'],
      (['getppid', 'clock'] as const).map((call) => [
        call === 'clock' ? 'clock_gettime' : call,
        results.calls.javascript[call].toFixed(0),
        results.calls.c?.[call].toFixed(0) ?? '',
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** Whether bindstorm became slower since a baseline, which may be of another machine. */
export function guardText(
  baseline: Baseline,
  changes: readonly Change[],
  here: Pick<Baseline, 'kernel' | 'cpu' | 'node'>,
): string {
  const differing = (['kernel', 'cpu', 'node'] as const).filter((key) => baseline[key] !== here[key]);
  const rows = changes.map(({ strategy, before, now, interval, p, verdict }) => [
    strategy,
    before.toFixed(3),
    now.toFixed(3),
    interval ? `${interval.map((n) => `${n < 0 ? '' : '+'}${n.toFixed(3)}`).join(' to ')}` : '',
    p.toFixed(3),
    verdict,
  ]);
  return [
    `Connections per CPU second as a share of C’s, against the baseline of ${baseline.date.slice(0, 10)}` +
      `${differing.length > 0 ? ` (other ${differing.join(', ')} then)` : ''}; rank-sum test, Holm over the strategies:`,
    '',
    ...table(['strategy', 'then', 'now', 'shift, 95 %', 'p', ''], rows),
  ].join('\n');
}

function cellsOf({ strategy, contender, rate, cpu, rateRatio, cpuRatio }: Row): string[] {
  return [
    strategy,
    CONTENDER_TITLES[contender],
    withSpread(rate, (n) => (Math.round(n / 100) * 100).toLocaleString('en')),
    withSpread(cpu, (n) => n.toFixed(1)),
    rateRatio ? withSpread(rateRatio, (n) => n.toFixed(2)) : '',
    cpuRatio ? withSpread(cpuRatio, (n) => n.toFixed(2)) : '',
  ];
}

function snapshotCells({ sockets, snapshot, dump, perSocket }: SnapshotRow): string[] {
  return [
    sockets.toLocaleString('en'),
    withSpread(snapshot, (n) => n.toFixed(2)),
    withSpread(dump, (n) => n.toFixed(2)),
    perSocket?.snapshot.toFixed(2) ?? '',
    perSocket?.reading.toFixed(2) ?? '',
  ];
}

export function withSpread({ median, min, max }: Spread, format: (n: number) => string): string {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)];
}
