/**
 * What the bench of the gauge found, as Markdown. Pure.
 */
import type { Environment } from '../src/results/schema.js';
import { type Spread, spread } from './results.js';
import { table } from './table.js';
import { BUILDS, WATCHERS, type WatchCost, type Watcher } from './watch-lab.js';

export interface WatchResults {
  /** ISO 8601. */
  readonly date: string;
  readonly environment: Environment;
  readonly loadAverage: { readonly before: number; readonly after: number };
  readonly cost: WatchCost;
}

const TITLES: Record<Watcher, string> = {
  watch: '`bindstorm watch --once --json`',
  other: 'the same of the other build',
  look: 'one look of a running `watch`',
  ss: 'sockets by `ss -Htan` into awk',
  proc: 'sockets by awk on `/proc/net/tcp`',
  ssPorts: 'distinct ports by `ss -Htan` into awk',
  procPorts: 'distinct ports by awk on `/proc/net/tcp`',
};

export interface WatchRow {
  readonly contender: Watcher;
  readonly seconds: Spread;
  readonly cpuSeconds: Spread;
  /** Its time divided by that of `watch --once`, of the same round; null in that row itself. */
  readonly timeRatio: Spread | null;
  readonly cpuRatio: Spread | null;
}

/** One row a contender. @throws RangeError without a sample of each */
export function summariseWatch({ samples }: WatchCost): WatchRow[] {
  const of = (contender: Watcher) => samples.filter((sample) => sample.contender === contender);
  const own = of('watch');
  return watchersOf(samples).map((contender) => {
    const found = of(contender);
    const ratio = (value: 'seconds' | 'cpuSeconds') =>
      contender === 'watch' ? null : spread(found.map((sample, round) => sample[value] / own[round]![value]));
    return {
      contender,
      seconds: spread(found.map(({ seconds }) => seconds)),
      cpuSeconds: spread(found.map(({ cpuSeconds }) => cpuSeconds)),
      timeRatio: ratio('seconds'),
      cpuRatio: ratio('cpuSeconds'),
    };
  });
}

function watchersOf(samples: WatchCost['samples']): readonly Watcher[] {
  return samples.some(({ contender }) => contender === 'other') ? BUILDS : WATCHERS;
}

export function watchMarkdown({ date, environment, loadAverage, cost }: WatchResults): string {
  const rounds = cost.samples.length / watchersOf(cost.samples).length;
  const lines = [
    `${date.slice(0, 10)}, Linux ${environment.kernel}, ${environment.cpus} × ${environment.cpu}, Node.js ${environment.node}. ` +
      `${cost.sockets.toLocaleString('en')} sockets in TIME_WAIT on 16 addresses, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; ` +
      `load average ${loadAverage.before.toFixed(1)} before and ${loadAverage.after.toFixed(1)} after.`,
    '',
    ...table(
      ['counts by local address', 'seconds', 'CPU seconds', '÷ watch --once', 'the same of CPU'],
      summariseWatch(cost).map(({ contender, seconds, cpuSeconds, timeRatio, cpuRatio }) => [
        TITLES[contender],
        withSpread(seconds),
        withSpread(cpuSeconds),
        timeRatio ? withSpread(timeRatio) : '',
        cpuRatio ? withSpread(cpuRatio) : '',
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function withSpread({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}
